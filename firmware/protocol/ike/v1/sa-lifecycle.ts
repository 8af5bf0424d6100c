/**
 * From an agreed phase 1 to the end: when SAs come up, are rekeyed, expire and are taken down with their child SAs.
 */
import type { Failure, Instant } from '../../machine.ts';
import { sameIdentity } from '../identity.ts';
import { ahThroughNat } from '../nat.ts';
import { isForAh } from '../proposals.ts';
import type { ChildRecord, ChildTable } from './child-table.ts';
import { closedHere, expired, peerRestarted } from './failures.ts';
import { IsakmpSa } from './isakmp-sa.ts';
import type { IsakmpSaHost } from './isakmp-sa-host.ts';
import { addressChanged } from './login-failures.ts';
import type { Phase1Outcome } from './phase1.ts';
import { beginPhase1 } from './phase1-begin.ts';
import { wantedIds } from './quick-mode-selectors.ts';
import type { SaTable } from './sa-table.ts';
import { Succession } from './succession.ts';

/** How much longer an SA stays that is to be deleted but in the middle of a Quick Mode, ms. */
const BUSY_MS = 1000;

/** Proposals besides the one in use that are offered for a new ISAKMP SA with the same peer. */
const MAX_OTHER_PROPOSALS = 9;

export class SaLifecycle {
  readonly #host: IsakmpSaHost;
  readonly #table: SaTable;
  readonly #children: ChildTable;
  readonly #succession: Succession;

  constructor(host: IsakmpSaHost, table: SaTable) {
    this.#host = host;
    this.#table = table;
    this.#children = host.children;
    this.#succession = new Succession(table, host.children, host.outbox);
  }

  get succession(): Succession {
    return this.#succession;
  }

  /** Phase 1 is through: a login and an inner address may have to follow. */
  established(now: Instant, outcome: Phase1Outcome): void {
    const rekeyed = this.#rekeyedBy(outcome);
    const opened = outcome.initiator && outcome.rekeys === undefined;
    const sa = new IsakmpSa(now, this.#host, outcome, opened, rekeyed?.configuration?.addresses[0]);
    this.#table.add(sa);
    if (!sa.configuring) this.admit(now, sa);
  }

  /** It is of use: `ike-up` follows, and Quick Mode where this side opened the connection. */
  admit(now: Instant, sa: IsakmpSa): void {
    const outcome = sa.sa;
    const rekeyed = this.#rekeyedBy(outcome);
    const before = rekeyed?.configuration?.addresses[0];
    const [address] = sa.configuration?.addresses ?? [];
    if (before !== undefined && address !== undefined && before !== address) {
      sa.endAndTell(addressChanged(before, address));
      return;
    }
    sa.admit(now);
    if (outcome.initialContact) this.initialContact(now, sa);
    const same = rekeyed !== undefined && sameIdentity(rekeyed.sa.peerIdentity, outcome.peerIdentity);
    this.#succession.begin(now, sa, same && rekeyed.ended === undefined ? rekeyed : undefined);
    if (sa.opened && this.#children.ofIke(sa.ikeId).length === 0) this.#startChildren(now, sa);
    else if (outcome.initiator) sa.showPlace(now);
  }

  #rekeyedBy({ rekeys }: Phase1Outcome): IsakmpSa | undefined {
    return rekeys === undefined ? undefined : this.#table.sas.get(rekeys)?.owner;
  }

  /**
   * Takes down whatever the same peer had before it began `sa`. Where both call at once, the peer says that it knows of
   * no SA and has this side's a moment later.
   */
  initialContact(now: Instant, sa: IsakmpSa): void {
    for (const other of this.#succession.forgottenBy(sa)) {
      const { since } = other.confirmation;
      if (since !== undefined && since <= sa.sa.begunAt) this.#down(now, other, peerRestarted());
    }
  }

  rekeyIke(now: Instant, ikeId: number): void {
    const sa = this.#table.sas.get(ikeId);
    if (sa === undefined || sa.replacedBy !== undefined || sa.rekeying || !sa.renews) return;
    sa.rekeying = true;
    // What was agreed on before comes first, and a long list of what a server would take is not an offer to send.
    const { proposal, connection: configured } = sa.sa;
    const ikeProposals = [proposal, ...configured.ikeProposals.slice(0, MAX_OTHER_PROPOSALS)];
    const connection = { ...configured, ikeProposals };
    const options = {
      ikeId: this.#host.freshIkeId(),
      connection,
      path: sa.path,
      initialContact: () => false,
      rekeys: ikeId,
    };
    this.#table.addInitiator(beginPhase1(now, this.#host, options));
  }

  rekeyChild(now: Instant, record: ChildRecord): void {
    const sa = this.#table.sas.get(record.ikeId);
    if (sa === undefined) return;
    record.rekeying = true;
    const { esp, ids } = record.agreed;
    // What was agreed on before comes first, and decides about perfect forward secrecy.
    const proposals = [esp, ...sa.sa.connection.espProposals.filter((other) => other.encryption !== esp.encryption)];
    const request = { proposals, replaces: record.child.id };
    sa.startQuickMode(now, ids === undefined ? request : { ...request, ids });
  }

  close(now: Instant, sa: IsakmpSa, failure: Failure): void {
    const { owner } = sa;
    owner.deleteChildren(this.#children.ofIke(owner.ikeId).map(({ child }) => child.inboundSpi));
    for (const member of this.#succession.chainOf(owner)) member.deleteSelf();
    this.#down(now, owner, failure);
  }

  tick(now: Instant): void {
    for (const { record, action } of this.#children.due(now)) this.#childDue(now, record, action);
    for (const sa of [...this.#table.sas.values()]) if (now >= sa.deadline) this.#tickSa(now, sa);
    this.settle(now);
  }

  /** Takes down what has ended. */
  settle(now: Instant): void {
    for (const sa of this.#host.ending) {
      this.#host.ending.delete(sa);
      if (sa.ended === undefined || !this.#table.sas.has(sa.ikeId)) continue;
      if (sa.replacedBy !== undefined) this.#forget(now, sa);
      else this.#down(now, sa, sa.ended);
    }
  }

  #startChildren(now: Instant, sa: IsakmpSa): void {
    const { connection, nat } = sa.sa;
    const proposals = connection.espProposals;
    if (isForAh(proposals) && (nat.local || nat.remote)) {
      sa.endAndTell(ahThroughNat('Quick Mode', nat));
      return;
    }
    for (const ids of wantedIds(connection, sa.path)) sa.startQuickMode(now, { ids, proposals });
  }

  #childDue(now: Instant, record: ChildRecord, action: 'rekey' | 'delete' | 'expire'): void {
    if (action === 'rekey') {
      this.rekeyChild(now, record);
      return;
    }
    const sa = this.#table.sas.get(record.ikeId);
    if (action === 'delete') sa?.deleteChildren([record.child.inboundSpi]);
    this.#children.remove(now, record.child.id, record.replaced ? undefined : expired('child SA', record.lastFailure));
    sa?.tick(now);
  }

  #tickSa(now: Instant, sa: IsakmpSa): void {
    const { rekeyAt, expiresAt } = sa.lifetime;
    if (now >= expiresAt) sa.endAndTell(expired('ISAKMP SA', sa.lastFailure));
    else if (sa.replacedBy === undefined && !sa.doubted && now >= rekeyAt) this.rekeyIke(now, sa.ikeId);
    if (sa.retireAt !== undefined && now >= sa.retireAt) this.#retire(now, sa);
    sa.tick(now);
  }

  #retire(now: Instant, sa: IsakmpSa): void {
    if (sa.busy) {
      sa.retireAt = now + BUSY_MS;
      return;
    }
    sa.deleteSelf();
    sa.end(closedHere());
  }

  #down(now: Instant, sa: IsakmpSa, failure: Failure): void {
    sa.end(failure);
    const chain = this.#succession.chainOf(sa);
    for (const mode of [...this.#table.phase1s.values()]) {
      const rekeys = mode.initiator ? mode.rekeys : undefined;
      if (chain.some(({ ikeId }) => ikeId === rekeys)) this.#table.removePhase1(mode);
    }
    for (const { child } of this.#children.ofIke(sa.ikeId)) this.#children.remove(now, child.id, failure);
    for (const member of chain) this.#forget(now, member);
    const { rekeys } = sa.sa;
    if (!sa.admitted && rekeys !== undefined) this.#table.sas.get(rekeys)?.rekeyFailed(now, failure);
    else this.#host.outbox.emit({ kind: 'ike-down', ikeId: sa.ikeId, connection: sa.sa.connection.name, failure });
  }

  #forget(now: Instant, sa: IsakmpSa): void {
    this.#table.remove(now, sa);
    sa.forget(now);
  }
}
