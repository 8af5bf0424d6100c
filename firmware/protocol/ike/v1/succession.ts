/**
 * How ISAKMP SAs with one peer follow one another: the newest has the child SAs, older ones still answer until they are
 * deleted or expire.
 */
import type { Failure, Instant } from '../../machine.ts';
import type { ChildTable } from './child-table.ts';
import type { IkeV1View } from './endpoint-types.ts';
import { closedHere } from './failures.ts';
import type { IsakmpSa } from './isakmp-sa.ts';
import type { Outbox } from './outbox.ts';
import type { SaTable } from './sa-table.ts';

/** How long the side that made the successor keeps the old SA, ms. */
const RETIRE_MS = 10000;

/** ISAKMP SAs with one peer, those that were taken over from included; rekeys of both sides at once leave some four. */
const MAX_CHAIN = 16;

export class Succession {
  readonly #table: SaTable;
  readonly #children: ChildTable;
  readonly #outbox: Outbox;

  constructor(table: SaTable, children: ChildTable, outbox: Outbox) {
    this.#table = table;
    this.#children = children;
    this.#outbox = outbox;
  }

  /**
   * A new SA stands: `ike-up` follows. It takes over from the SA that it was made for, or from one that the same peer
   * has already.
   */
  begin(now: Instant, sa: IsakmpSa, made: IsakmpSa | undefined): void {
    const old = made ?? this.#table.samePeer(sa).find(({ replacedBy }) => replacedBy === undefined);
    if (old !== undefined) {
      this.#takeOver(sa, old);
      // Whoever made the successor deletes what it was made for. The other side keeps it until then, so that of two
      // successors that were made at once neither is deleted.
      // Where both called at once each has the other's as the older one: nor may that be deleted.
      const own = old.sa.initiator ? old : undefined;
      const meant = sa.sa.rekeys === undefined ? own : this.#table.sas.get(sa.sa.rekeys);
      if (sa.sa.initiator && meant !== undefined) meant.retireAt = now + RETIRE_MS;
    }
    this.#up(sa, old);
    this.#shorten(sa);
  }

  /** A peer that makes one after the other and deletes none loses the oldest. */
  #shorten(sa: IsakmpSa): void {
    const chain = this.chainOf(sa).filter((member) => member !== sa && member.ended === undefined);
    for (const oldest of chain.slice(0, Math.max(0, chain.length + 1 - MAX_CHAIN))) oldest.endAndTell(closedHere());
  }

  /** Everything that `sa` has taken over from, and itself. */
  chainOf(sa: IsakmpSa): readonly IsakmpSa[] {
    return [...this.#table.sas.values()].filter((member) => member.owner === sa);
  }

  /** The peer deleted the SA with these cookies, over `by`: itself, or another one of the same peer. */
  deletedByPeer(by: IsakmpSa, key: string): void {
    const named = this.#table.established(key);
    if (named === undefined || (named !== by && !this.#table.samePeer(by).includes(named))) return;
    this.#handOver(named);
    named.endedByPeer();
  }

  /** The peer does not answer over `sa`: it may have deleted that one, and the DELETE was lost. */
  silent(sa: IsakmpSa, failure: Failure): void {
    this.#handOver(sa);
    sa.end(failure);
  }

  /** By now `sa` is where another SA is with the same peer: they are of one connection, and the newer one has it. */
  join(sa: IsakmpSa): void {
    // Before a login is good, its SA is of nobody.
    if (!sa.admitted) return;
    const owners = [sa, ...this.forgottenBy(sa)].filter(({ ended }) => ended === undefined);
    const newest = owners.reduce((best, other) => (other.ikeId > best.ikeId ? other : best));
    for (const old of owners) {
      if (old === newest) continue;
      this.#takeOver(newest, old);
      this.#up(newest, old);
    }
  }

  /** Of two SAs that were made at once, the peer may give up the one that is in use here: the other one goes on. */
  #handOver(sa: IsakmpSa): void {
    const heir = sa.replacedBy === undefined ? this.#survivor(sa) : undefined;
    if (heir === undefined) return;
    heir.replacedBy = undefined;
    heir.retireAt = undefined;
    heir.doubted = heir.canBeAsked;
    this.#takeOver(heir, sa);
    for (const member of this.chainOf(heir)) if (member.replacedBy === sa) member.replacedBy = heir;
    this.#up(heir, sa);
  }

  /** What a peer that says INITIAL-CONTACT over `sa` does not remember. */
  forgottenBy(sa: IsakmpSa): readonly IsakmpSa[] {
    const owners = this.#table.samePeer(sa).map(({ owner }) => owner);
    return [...new Set(owners)].filter((owner) => owner !== sa.owner);
  }

  views(): readonly IkeV1View[] {
    return [...this.#table.sas.values()].map((sa) => ({
      ikeId: sa.ikeId,
      connection: sa.sa.connection.name,
      initiator: sa.sa.initiator,
      state: stateOf(sa),
      path: sa.path,
      proposal: sa.sa.proposal,
      peer: sa.peer,
      ...sa.lifetime,
      children: this.#children.views(sa.ikeId),
      ...(sa.lastFailure === undefined ? {} : { lastFailure: sa.lastFailure }),
    }));
  }

  /** The longest-lived of those that it has taken over from. */
  #survivor(sa: IsakmpSa): IsakmpSa | undefined {
    const others = this.chainOf(sa).filter((other) => other !== sa && other.retireAt === undefined && !other.ended);
    return others.sort((a, b) => b.lifetime.expiresAt - a.lifetime.expiresAt)[0];
  }

  #takeOver(sa: IsakmpSa, old: IsakmpSa): void {
    old.replacedBy = sa;
    sa.opened ||= old.opened;
    sa.used ||= old.used;
    sa.inherit(old);
    this.#children.move(old.ikeId, sa.ikeId);
  }

  #up(sa: IsakmpSa, old: IsakmpSa | undefined): void {
    this.#outbox.emit({
      kind: 'ike-up',
      ikeId: sa.ikeId,
      connection: sa.sa.connection.name,
      initiator: sa.sa.initiator,
      proposal: sa.sa.proposal,
      peer: sa.peer,
      path: sa.path,
      ...(sa.configuration === undefined ? {} : { configuration: sa.configuration }),
      ...(old === undefined ? {} : { replaces: old.ikeId }),
    });
  }
}

function stateOf({ admitted, replacedBy }: IsakmpSa): IkeV1View['state'] {
  if (!admitted) return 'phase-1';
  return replacedBy === undefined ? 'established' : 'replaced';
}
