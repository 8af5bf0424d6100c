/** All child SAs of an endpoint: which ISAKMP SA each belongs to, which one takes over from which, and their timers. */
import { ByteReader } from '../../bytes.ts';
import type { Failure, Instant, RandomSource } from '../../machine.ts';
import type { UdpPath } from '../../udp-path.ts';
import type { ChildSa } from '../ike-types.ts';
import type { IkeV1ChildView } from './endpoint-types.ts';
import { type Lifetime, lifetimeFrom, nextAttempt } from './lifetimes.ts';
import type { Phase1Outcome } from './main-mode.ts';
import type { Outbox } from './outbox.ts';
import { LAST_RESERVED_SPI } from './phase2-transforms.ts';
import type { AgreedChild } from './quick-mode.ts';
import { selectorsKey } from './quick-mode-selectors.ts';

/** How long the side that made the successor keeps the old SA, ms: what is on its way still arrives. */
const OLD_CHILD_MS = 5000;

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
  /** When this side, which made the successor, deletes it. */
  deleteAt?: Instant;
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
  readonly #records = new Map<number, ChildRecord>();
  readonly #inboundSpis = new Set<number>();
  #lastId = 0;

  constructor(outbox: Outbox, random: RandomSource) {
    this.#outbox = outbox;
    this.#random = random;
  }

  /** An SPI that no child SA of this endpoint receives on. */
  freshSpi(): number {
    for (;;) {
      const spi = new ByteReader(this.#random.bytes(4)).u32('random');
      if (spi > LAST_RESERVED_SPI && !this.#inboundSpis.has(spi)) return spi;
    }
  }

  /** A new child SA: `child-up` follows, with the one that it takes over from. */
  add(now: Instant, sa: Phase1Outcome, ikeId: number, path: UdpPath, agreed: AgreedChild): void {
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
      udpEncapsulation: nat.encapsulate,
      path,
      localSelectors: [agreed.selectors.local],
      remoteSelectors: [agreed.selectors.remote],
      ...(agreed.natOriginal === undefined ? {} : { natOriginal: agreed.natOriginal }),
      lifetime: agreed.lifetime,
    };
    const lifetime = lifetimeFrom(now, agreed.lifetime, agreed.initiator, this.#random);
    const replaced = this.#supersede(now, ikeId, connection.mode, agreed);
    this.#records.set(child.id, { child, agreed, ikeId, lifetime, rekeying: false, replaced: false });
    this.#inboundSpis.add(child.inboundSpi);
    this.#outbox.emit({ kind: 'child-up', child, ...(replaced === undefined ? {} : { replaces: replaced.child.id }) });
  }

  /** Which one is current; the one that the exchange was begun for is to be deleted in any case. */
  #supersede(now: Instant, ikeId: number, mode: string, agreed: AgreedChild): ChildRecord | undefined {
    const key = selectorsKey(mode, agreed.selectors);
    const current = this.ofIke(ikeId).find(
      (record) => !record.replaced && selectorsKey(mode, record.agreed.selectors) === key,
    );
    const asked = agreed.replaces === undefined ? undefined : this.#records.get(agreed.replaces);
    // Where both sides began at once, what the other made is left alone until it ends by itself: were each side to
    // delete the other's, none would be left.
    if (asked !== undefined) asked.deleteAt ??= now + OLD_CHILD_MS;
    const old = asked !== undefined && !asked.replaced ? asked : current;
    if (old !== undefined) {
      old.replaced = true;
      old.rekeying = false;
    }
    return old;
  }

  /** It is no more: `child-down` follows. Harmless when there is none of this id. */
  remove(childId: number, failure?: Failure): void {
    const record = this.#records.get(childId);
    if (record === undefined) return;
    this.#records.delete(childId);
    this.#inboundSpis.delete(record.child.inboundSpi);
    this.#outbox.emit({ kind: 'child-down', childId, ...(failure === undefined ? {} : { failure }) });
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

function deadlineOf({ deleteAt, lifetime, rekeying, replaced }: ChildRecord): Instant {
  if (deleteAt !== undefined) return Math.min(deleteAt, lifetime.expiresAt);
  return rekeying || replaced ? lifetime.expiresAt : Math.min(lifetime.rekeyAt, lifetime.expiresAt);
}
