/** What one session of a server has to know of the others: which addresses and networks are somebody's already. */
import type { Failure } from '../../protocol/machine.ts';
import { printable } from '../../protocol/printable.ts';
import type { AddressPool } from './address-pool.ts';
import type { GrantSurroundings, ServerUser } from './user-grant.ts';

/** A session as its neighbours see it. */
export interface Neighbour {
  readonly user: string | undefined;
  readonly address: string | undefined;
  /** CIDR: what is routed to it. */
  readonly prefixes: readonly string[];
}

export interface NeighbourhoodOptions {
  readonly localAddress: string;
  /** `first-last` */
  readonly pool: string;
  readonly ipv6Pool?: string;
  readonly users: Readonly<Record<string, ServerUser>>;
  readonly review: GrantSurroundings['review'];
}

export class SessionNeighbours {
  readonly pool: AddressPool;
  readonly #options: NeighbourhoodOptions;
  readonly #sessions: () => Iterable<Neighbour>;

  constructor(options: NeighbourhoodOptions, pool: AddressPool, sessions: () => Iterable<Neighbour>) {
    this.#options = options;
    this.pool = pool;
    this.#sessions = sessions;
  }

  /** Against what a grant of RADIUS to that user is held. */
  around(session: Neighbour, user: string | undefined): GrantSurroundings {
    return { ...this.#options, taken: () => this.#others(session, user).flatMap(({ prefixes }) => prefixes) };
  }

  /** Whether that user may have an address that is not of the pool's choice. @returns why not. */
  refuse(session: Neighbour, user: string | undefined, address: string): Failure | undefined {
    const holder = this.#others(session, user).find((other) => other.address === address);
    if (!holder) return undefined;
    return {
      step: 'IPCP',
      reason: `the address ${address} of this user is in use by ${printable(holder.user ?? 'a peer without a name')}`,
      remedy: 'give users addresses of their own, outside of the pool',
    };
  }

  /** Sessions of other users; an earlier one of the same user gives way when the new one is up. */
  #others(session: Neighbour, user: string | undefined): readonly Neighbour[] {
    return [...this.#sessions()].filter((other) => other !== session && other.user !== user);
  }
}
