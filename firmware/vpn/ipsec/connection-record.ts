import { isDeepStrictEqual } from 'node:util';
import type { AddressLeases } from '../../protocol/ike/authentication.ts';
import type { Failure, Instant } from '../../protocol/machine.ts';
import type { ConnectionState } from '../steps.ts';
import { PoolLeases } from './address-leases.ts';
import { AttemptPlan } from './attempt-plan.ts';
import type { IkeProofs } from './ike-authentication.ts';
import type { IpsecConnectionSettings, WorkingOffer } from './ipsec-types.ts';
import type { ProtectedChannel } from './protected-channel.ts';

/** What is known of an entry of `ipsec.connections` beside its channels. */
export class ConnectionRecord {
  readonly settings: IpsecConnectionSettings;
  readonly proofs: IkeProofs;
  readonly plan: AttemptPlan;
  /** Somebody takes calls on it. */
  served = false;
  /** Where the peer was last called, if its name had to be resolved. */
  knownAddress: string | undefined;
  /** Of the last attempt, or the last caller turned away, while none has succeeded since. */
  failure: Failure | undefined;
  /** {@link failure} is of a caller and has not been told yet. */
  turnedAway = false;
  state: ConnectionState = 'down';
  since: Instant;

  /** The same for as long as the record lives: what was leased is known to it alone. */
  readonly leases: AddressLeases | undefined;

  constructor(
    now: Instant,
    settings: IpsecConnectionSettings,
    proofs: IkeProofs,
    remembered: WorkingOffer | undefined,
  ) {
    this.settings = settings;
    this.proofs = proofs;
    this.since = now;
    const pool = settings.tunnel?.pool;
    this.leases = pool && new PoolLeases(pool.range, pool.dns);
    this.plan = new AttemptPlan({
      profile: settings.profile,
      explicitProposals: settings.ikeProposals !== undefined || settings.espProposals !== undefined,
      encapsulation: settings.encapsulation,
      ...(remembered === undefined ? {} : { remembered }),
    });
  }

  get name(): string {
    return this.settings.name;
  }

  isOf(settings: IpsecConnectionSettings): boolean {
    return isDeepStrictEqual(this.settings, settings);
  }

  /** The state that follows from its channels. */
  stateWith(channels: readonly ProtectedChannel[]): ConnectionState {
    const { remote, mode } = this.settings;
    if (channels.some(({ up }) => up)) return 'up';
    if (channels.length > 0) return 'connecting';
    if (this.served && (remote === 'any' || mode === 'transport')) return 'up';
    return this.failure === undefined ? 'down' : 'failed';
  }
}
