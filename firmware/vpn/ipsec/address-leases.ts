import type { AddressLeases, AssignedConfiguration, ProvedPeer } from '../../protocol/ike/authentication.ts';
import { peerKey } from '../../protocol/ike/identity.ts';
import { AddressPool } from '../l2tp/address-pool.ts';

/** Callers whose address is kept for them after they have gone. */
const MAX_REMEMBERED = 1024;

/** Inner addresses out of a range, one for each IKE SA; a caller who comes back gets the same one when it is free. */
export class PoolLeases implements AddressLeases {
  readonly #pool: AddressPool;
  readonly #dns: readonly string[];
  /** The first one is told; others came with what the IKE SA took over from. */
  readonly #leased = new Map<number, readonly string[]>();
  readonly #remembered = new Set<string>();

  /**
   * @param pool `first-last`, both included. @param dns told to every caller.
   * @throws RangeError when the pool is no range.
   */
  constructor(pool: string, dns: readonly string[]) {
    this.#pool = new AddressPool(pool, []);
    this.#dns = dns;
  }

  /** What a caller would like to have does not count: who he has proved to be does. */
  lease(ikeId: number, peer: ProvedPeer): AssignedConfiguration | undefined {
    const leased = this.#leased.get(ikeId) ?? [];
    const address = leased[0] ?? this.#pool.take(this.#nameOf(peer));
    if (address === undefined) return undefined;
    if (leased.length === 0) this.#leased.set(ikeId, [address]);
    return { addresses: [address], dns: this.#dns };
  }

  release(ikeId: number, heir?: number): void {
    const leased = this.#leased.get(ikeId);
    if (leased === undefined) return;
    this.#leased.delete(ikeId);
    if (heir !== undefined) this.#leased.set(heir, [...(this.#leased.get(heir) ?? []), ...leased]);
    else for (const address of leased) this.#pool.release(address);
  }

  /** `undefined` for one too many. */
  #nameOf(peer: ProvedPeer): string | undefined {
    const name = peerKey(peer);
    if (this.#remembered.has(name)) return name;
    if (this.#remembered.size >= MAX_REMEMBERED) return undefined;
    this.#remembered.add(name);
    return name;
  }
}
