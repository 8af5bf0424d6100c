/** All child SAs of an endpoint: which ISAKMP SA each belongs to, which one takes over from which, and their timers. */
import { ByteReader } from '../../bytes.ts';
import type { Failure, Instant, RandomSource } from '../../machine.ts';
import type { UdpPath } from '../../udp-path.ts';
import type { ChildSa } from '../ike-types.ts';
import { childProtocol } from '../proposals.ts';
import type { IkeV1ChildView } from './endpoint-types.ts';
import { type Lifetime, lifetimeFrom, nextAttempt } from './lifetimes.ts';
import type { Outbox } from './outbox.ts';
import type { Phase1Outcome } from './phase1.ts';
import { LAST_RESERVED_SPI } from './phase2-transforms.ts';
import type { AgreedChild } from './quick-mode.ts';
import { selectorsKey } from './quick-mode-selectors.ts';

/** How long the side that made the successor keeps the old SA once the new one is in use, ms: what is on its way. */
const OLD_CHILD_MS = 5000;

/**
 * How long the side that made the successor still sends on the old SA, ms, unless the peer uses the new one sooner: the
 * peer has that when it has read message 3 of Quick Mode, which nothing answers and which ESP may overtake.
 */
const SEND_LATER_MS = 300;

/** How long that side keeps the old SA while the peer may not have the new one, ms: it asks for message 3 of Quick Mode for 23 s. */
const UNCONFIRMED_MS = 30_000;

export interface ChildRecord {
  readonly child: ChildSa;
  readonly agreed: AgreedChild;
  /** The ISAKMP SA that it belongs to now. */
  ikeId: number;
  lifetime: Lifetime;
  /** A rekey is under way. */
  rekeying: boolean;
  /** Another one has taken over: it only receives. */
  replaced: boolean;
  /** Message 3 of Quick Mode has not come yet: it only receives, and whoever sends on it shows that it may be sent on. */
  pending: boolean;
  /** That was said with its `child-up`: `child-send` has to follow. */
  receiveOnly: boolean;
  /** As initiator: when it is sent on; until then it is `receiveOnly`. */
  sendAt?: Instant | undefined;
  /** When this side, which made the successor, deletes it. */
  deleteAt?: Instant | undefined;
  /** The one that it was made to replace. */
  readonly replaces?: ChildRecord;
  /** Why the last rekey failed. */
  lastFailure?: Failure;
}

/** What a child SA's timer asks for. */
export interface DueChild {
  readonly record: ChildRecord;
  readonly action: 'rekey' | 'delete' | 'expire';
}

export class ChildTable {
  readonly #outbox: Outbox;
  readonly #random: RandomSource;
  readonly #spiInUse: (spi: number) => boolean;
  readonly #records = new Map<number, ChildRecord>();
  readonly #inboundSpis = new Set<number>();
  #lastId = 0;

  /** @param spiInUse tells of SPIs that somebody else receives on. */
  constructor(outbox: Outbox, random: RandomSource, spiInUse: (spi: number) => boolean = () => false) {
    this.#outbox = outbox;
    this.#random = random;
    this.#spiInUse = spiInUse;
  }

  /** An SPI that nobody receives on. */
  freshSpi(): number {
    for (;;) {
      const spi = new ByteReader(this.#random.bytes(4)).u32('random');
      if (spi > LAST_RESERVED_SPI && !this.#inboundSpis.has(spi) && !this.#spiInUse(spi)) return spi;
    }
  }

  /** A new child SA: `child-up` follows, with the one that it takes over from. */
  add(now: Instant, sa: Phase1Outcome, ikeId: number, path: UdpPath, agreed: AgreedChild): void {
    const record = this.#insert(now, sa, ikeId, path, agreed);
    const { child } = record;
    const replaced = this.#supersede(now, record);
    if (replaced === undefined) this.#outbox.emit({ kind: 'child-up', child });
    else {
      record.sendAt = now + SEND_LATER_MS;
      this.#outbox.emit({ kind: 'child-up', child, replaces: replaced.child.id, receiveOnly: true });
    }
  }

  /** From now on it is sent on. */
  #send(record: ChildRecord): void {
    if (record.sendAt === undefined) return;
    record.sendAt = undefined;
    this.#outbox.emit({ kind: 'child-send', childId: record.child.id });
  }

  /**
   * As responder: the peer sends on it as soon as it has message 2, so it has to be received on from then on.
   * {@link settle} follows, or {@link remove}.
   * @returns its id.
   */
  prepare(now: Instant, sa: Phase1Outcome, ikeId: number, path: UdpPath, agreed: AgreedChild): number {
    const current = this.#current(ikeId, sa.connection.mode, agreed);
    const record = this.#insert(now, sa, ikeId, path, agreed);
    record.pending = true;
    const { child } = record;
    // The first one may be sent on at once: there is nothing else by which anything could be sent.
    record.receiveOnly = current !== undefined;
    const instead = current === undefined ? {} : { replaces: current.child.id, receiveOnly: true as const };
    this.#outbox.emit({ kind: 'child-up', child, ...instead });
    return child.id;
  }

  /** The peer has what was prepared: it is sent on. Harmless when that is so already, or there is none of this id. */
  settle(now: Instant, childId: number): void {
    const record = this.#records.get(childId);
    if (record?.pending !== true) return;
    record.pending = false;
    this.#supersede(now, record);
    if (record.receiveOnly) this.#outbox.emit({ kind: 'child-send', childId });
    record.receiveOnly = false;
  }

  #insert(now: Instant, sa: Phase1Outcome, ikeId: number, path: UdpPath, agreed: AgreedChild): ChildRecord {
    const { connection, nat } = sa;
    this.#lastId += 1;
    const child: ChildSa = {
      id: this.#lastId,
      ikeId,
      connection: connection.name,
      mode: connection.mode,
      inboundSpi: agreed.inboundSpi,
      outboundSpi: agreed.outboundSpi,
      inbound: agreed.inbound,
      outbound: agreed.outbound,
      extendedSequenceNumbers: false,
      udpEncapsulation: nat.encapsulation !== undefined && childProtocol(agreed.esp) === 'esp',
      path,
      localSelectors: [agreed.selectors.local],
      remoteSelectors: [agreed.selectors.remote],
      ...(agreed.natOriginal === undefined ? {} : { natOriginal: agreed.natOriginal }),
      lifetime: agreed.lifetime,
    };
    const lifetime = lifetimeFrom(now, agreed.lifetime, agreed.initiator, this.#random);
    const asked = agreed.replaces === undefined ? undefined : this.#records.get(agreed.replaces);
    const replaces = asked === undefined ? {} : { replaces: asked };
    const begun = { rekeying: false, replaced: false, pending: false, receiveOnly: false };
    const record = { child, agreed, ikeId, lifetime, ...begun, ...replaces };
    this.#records.set(child.id, record);
    this.#inboundSpis.add(child.inboundSpi);
    return record;
  }

  /** The one of the same selectors that is sent on. */
  #current(ikeId: number, mode: string, { selectors }: AgreedChild): ChildRecord | undefined {
    const key = selectorsKey(mode, selectors);
    return this.ofIke(ikeId).find(
      ({ replaced, pending, agreed }) => !replaced && !pending && selectorsKey(mode, agreed.selectors) === key,
    );
  }

  /** Which one is current; the one that the exchange was begun for is to be deleted in any case. */
  #supersede(now: Instant, record: ChildRecord): ChildRecord | undefined {
    const { ikeId, child, agreed } = record;
    // Nor is it itself.
    record.pending = true;
    const current = this.#current(ikeId, child.mode, agreed);
    record.pending = false;
    const asked = agreed.replaces === undefined ? undefined : this.#records.get(agreed.replaces);
    // Where both sides began at once, what the other made is left alone until it ends by itself: were each side to
    // delete the other's, none would be left.
    if (asked !== undefined) asked.deleteAt ??= now + UNCONFIRMED_MS;
    const old = asked !== undefined && !asked.replaced ? asked : current;
    if (old !== undefined) {
      old.replaced = true;
      old.rekeying = false;
    }
    return old;
  }

  /** It is no more: `child-down` follows. Harmless when there is none of this id. */
  remove(now: Instant, childId: number, failure?: Failure): void {
    const record = this.#records.get(childId);
    if (record === undefined) return;
    this.#records.delete(childId);
    this.#inboundSpis.delete(record.child.inboundSpi);
    const { replaced, pending, replaces } = record;
    // A peer that gives up what was sent on has its successor.
    for (const next of this.#records.values()) if (next.replaces === record) this.#send(next);
    if (!replaced && !pending && replaces !== undefined) this.#revive(now, replaces);
    this.#outbox.emit({ kind: 'child-down', childId, ...(failure === undefined ? {} : { failure }) });
  }

  /** The one that took over was given up by a peer that never got message 3: all is as before. */
  #revive(now: Instant, record: ChildRecord): void {
    if (!record.replaced || !this.#records.has(record.child.id)) return;
    const { expiresAt } = record.lifetime;
    record.replaced = false;
    record.deleteAt = undefined;
    record.lifetime = { expiresAt, rekeyAt: nextAttempt(now, expiresAt) };
    this.#outbox.emit({ kind: 'child-send', childId: record.child.id });
  }

  /** The peer uses it: it does not need the one before any more. */
  confirmed(now: Instant, record: ChildRecord): void {
    const { child, replaces } = record;
    this.settle(now, child.id);
    this.#send(record);
    if (replaces?.deleteAt === undefined) return;
    replaces.deleteAt = Math.min(replaces.deleteAt, now + OLD_CHILD_MS);
  }

  find(childId: number): ChildRecord | undefined {
    return this.#records.get(childId);
  }

  ofIke(ikeId: number): readonly ChildRecord[] {
    return [...this.#records.values()].filter((record) => record.ikeId === ikeId);
  }

  /** The one that a Delete of the peer names: by what the peer receives on; strongSwan at times says the other one. */
  byDeletedSpi(ikeId: number, spi: number): ChildRecord | undefined {
    const records = this.ofIke(ikeId);
    return (
      records.find(({ child }) => child.outboundSpi === spi) ?? records.find(({ child }) => child.inboundSpi === spi)
    );
  }

  /** Another ISAKMP SA has them from now on. */
  move(from: number, to: number): void {
    for (const record of this.ofIke(from)) record.ikeId = to;
  }

  /** A rekey failed: it is tried again before the end. */
  rekeyFailed(now: Instant, childId: number, failure: Failure | undefined): void {
    const record = this.#records.get(childId);
    if (record === undefined) return;
    record.rekeying = false;
    if (failure !== undefined) record.lastFailure = failure;
    const { expiresAt } = record.lifetime;
    record.lifetime = { expiresAt, rekeyAt: nextAttempt(now, expiresAt) };
  }

  get deadline(): Instant | undefined {
    let earliest: Instant | undefined;
    for (const record of this.#records.values()) {
      const deadline = deadlineOf(record);
      if (earliest === undefined || deadline < earliest) earliest = deadline;
    }
    return earliest;
  }

  due(now: Instant): readonly DueChild[] {
    const due: DueChild[] = [];
    for (const record of this.#records.values()) {
      if (now < deadlineOf(record)) continue;
      if (record.sendAt !== undefined && now >= record.sendAt) this.#send(record);
      if (now < deadlineOf(record)) continue;
      if (now >= record.lifetime.expiresAt) due.push({ record, action: 'expire' });
      else due.push({ record, action: record.deleteAt === undefined ? 'rekey' : 'delete' });
    }
    return due;
  }

  views(ikeId: number): readonly IkeV1ChildView[] {
    return this.ofIke(ikeId).map(({ child, agreed, lifetime, replaced }) => ({
      id: child.id,
      mode: child.mode,
      proposal: agreed.esp,
      inboundSpi: child.inboundSpi,
      outboundSpi: child.outboundSpi,
      udpEncapsulation: child.udpEncapsulation,
      replaced,
      ...lifetime,
    }));
  }
}

function deadlineOf({ sendAt, ...record }: ChildRecord): Instant {
  const later = endOf(record);
  return sendAt === undefined ? later : Math.min(sendAt, later);
}

function endOf({ deleteAt, lifetime, rekeying, replaced, pending }: ChildRecord): Instant {
  if (deleteAt !== undefined) return Math.min(deleteAt, lifetime.expiresAt);
  return rekeying || replaced || pending ? lifetime.expiresAt : Math.min(lifetime.rekeyAt, lifetime.expiresAt);
}
