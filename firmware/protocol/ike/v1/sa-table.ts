/** How an endpoint finds what a message belongs to. */
import { hex } from '../../bytes.ts';
import type { Instant } from '../../machine.ts';
import { formatEndpoint, type UdpEndpoint, type UdpPath } from '../../udp-path.ts';
import { sameIdentity } from '../identity.ts';
import { isZeroSpi } from '../message-header.ts';
import { cookieKey, type IsakmpHeader } from './header.ts';
import type { IsakmpSa } from './isakmp-sa.ts';
import type { Phase1Exchange } from './phase1.ts';
import type { ReplayCache } from './replay-cache.ts';

/**
 * How long the replies of an SA that is no more are kept, ms, and of how many SAs. Apple repeats Quick Modes so late.
 */
const LINGER_MS = 30000;
const MAX_LINGERING = 64;

/** Replies of an SA that is no more. */
export interface Lingering {
  readonly ikeId: number;
  readonly replay: ReplayCache;
  readonly path: UdpPath;
  readonly fragments: boolean;
  readonly until: Instant;
}

type Initiator = Phase1Exchange & { readonly initiator: true };
type Responder = Phase1Exchange & { readonly initiator: false };

export class SaTable {
  /** By ikeId. */
  readonly phase1s = new Map<number, Phase1Exchange>();
  readonly sas = new Map<number, IsakmpSa>();
  /** By the initiator's cookie: the other one is not known at first. */
  readonly #initiators = new Map<string, Initiator>();
  readonly #responders = new Map<string, Responder>();
  /** By the initiator's cookie and where message 1 came from. */
  readonly #asked = new Map<string, Responder>();
  readonly #established = new Map<string, IsakmpSa>();
  readonly #lingering = new Map<string, Lingering>();

  addInitiator(mode: Initiator): void {
    this.phase1s.set(mode.ikeId, mode);
    this.#initiators.set(hex(mode.cookieI), mode);
  }

  addResponder(mode: Responder, remote: UdpEndpoint): void {
    this.phase1s.set(mode.ikeId, mode);
    this.#responders.set(cookieKey(mode.cookieI, mode.cookieR), mode);
    this.#asked.set(askedKey(mode.cookieI, remote), mode);
  }

  removePhase1(mode: Phase1Exchange): void {
    this.phase1s.delete(mode.ikeId);
    if (mode.initiator) this.#initiators.delete(hex(mode.cookieI));
    else {
      this.#responders.delete(cookieKey(mode.cookieI, mode.cookieR));
      for (const [key, other] of this.#asked) if (other === mode) this.#asked.delete(key);
    }
  }

  add(sa: IsakmpSa): void {
    this.sas.set(sa.ikeId, sa);
    this.#established.set(sa.key, sa);
  }

  /** It is no more, but what it answered may be asked for again. */
  remove(now: Instant, sa: IsakmpSa): void {
    this.sas.delete(sa.ikeId);
    this.#established.delete(sa.key);
    const { replay, vendor } = sa.sa;
    const fragments = vendor.fragmentation;
    this.#lingering.set(sa.key, { ikeId: sa.ikeId, replay, path: sa.path, fragments, until: now + LINGER_MS });
    const [oldest] = this.#lingering.keys();
    if (this.#lingering.size > MAX_LINGERING && oldest !== undefined) this.#lingering.delete(oldest);
  }

  /** The phase 1 that has this message 1 already. */
  asked(cookieI: Uint8Array, remote: UdpEndpoint): Responder | undefined {
    return this.#asked.get(askedKey(cookieI, remote));
  }

  /** By cookies. */
  phase1Of({ cookieI, cookieR }: IsakmpHeader): Phase1Exchange | undefined {
    const initiator = this.#initiators.get(hex(cookieI));
    if (initiator === undefined) return this.#responders.get(cookieKey(cookieI, cookieR));
    // A refusal may come without a cookie of the responder's own.
    const known = isZeroSpi(initiator.cookieR) || isZeroSpi(cookieR) || hex(initiator.cookieR) === hex(cookieR);
    return known ? initiator : undefined;
  }

  established(key: string): IsakmpSa | undefined {
    return this.#established.get(key);
  }

  lingering(now: Instant, key: string): Lingering | undefined {
    const found = this.#lingering.get(key);
    if (found === undefined || now < found.until) return found;
    this.#lingering.delete(key);
    return undefined;
  }

  /** SAs with whoever is at this address. */
  countAt(address: string): number {
    let count = 0;
    for (const { path } of this.sas.values()) if (path.remote.address === address) count += 1;
    return count;
  }

  /** There is an SA with whoever is at this address, or this side is making one. */
  knows(address: string): boolean {
    for (const { initiator, path } of this.phase1s.values()) {
      if (initiator && path.remote.address === address) return true;
    }
    return this.countAt(address) > 0;
  }

  /**
   * Other SAs with the same peer: the same identity, and user, at the same address and port under the same connection. Two sites
   * that both call themselves 192.168.1.10 are two peers, and so are two hosts behind one NAT.
   */
  samePeer(sa: IsakmpSa): readonly IsakmpSa[] {
    const { connection, peerIdentity } = sa.sa;
    const { user } = sa.peer;
    const end = formatEndpoint(sa.path.remote);
    return [...this.sas.values()].filter(
      (other) =>
        other !== sa &&
        other.admitted &&
        other.sa.connection.name === connection.name &&
        formatEndpoint(other.path.remote) === end &&
        sameIdentity(other.sa.peerIdentity, peerIdentity) &&
        other.peer.user === user,
    );
  }
}

function askedKey(cookieI: Uint8Array, remote: UdpEndpoint): string {
  return `${hex(cookieI)} ${formatEndpoint(remote)}`;
}
