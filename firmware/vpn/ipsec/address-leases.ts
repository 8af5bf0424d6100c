import type { AddressLeases, AssignedConfiguration } from '../../protocol/ike/authentication.ts';
import { identityKey } from '../../protocol/ike/identity.ts';
import type { IkeIdentity } from '../../protocol/ike/ike-types.ts';
import { AddressPool } from '../l2tp/address-pool.ts';

/** Callers whose address is kept for them after they have gone. */
const MAX_REMEMBERED = 1024;

/** Inner addresses out of a range, one for each IKE SA; a caller who comes back gets the same one when it is free. */
export class PoolLeases implements AddressLeases {
  readonly #pool: AddressPool;
  readonly #dns: readonly string[];
  readonly #leased = new Map<number, string>();
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
  lease(ikeId: number, identity: IkeIdentity): AssignedConfiguration | undefined {
    const address = this.#leased.get(ikeId) ?? this.#pool.take(this.#nameOf(identity));
    if (address === undefined) return undefined;
    this.#leased.set(ikeId, address);
    return { addresses: [address], dns: this.#dns };
  }

  release(ikeId: number, heir?: number): void {
    const address = this.#leased.get(ikeId);
    if (address === undefined) return;
    this.#leased.delete(ikeId);
    if (heir === undefined) this.#pool.release(address);
    else this.#leased.set(heir, address);
  }

  /** `undefined` for one too many. */
  #nameOf(identity: IkeIdentity): string | undefined {
    const name = identityKey(identity);
    if (this.#remembered.has(name)) return name;
    if (this.#remembered.size >= MAX_REMEMBERED) return undefined;
    this.#remembered.add(name);
    return name;
  }
}
