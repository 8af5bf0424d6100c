/** Accounting of the sessions of one server (RFC 2866, RFC 2869 section 2.1): when they begin and end, and what they carry. */
import type { Clock, Timer } from '../../../hal/clock.ts';
import type { DataPlane, SessionCounters, SessionKey } from '../../dataplane/data-plane.ts';
import { utf8Bytes } from '../../protocol/bytes.ts';
import type { Instant } from '../../protocol/machine.ts';
import { ACCT_STATUS } from '../../protocol/radius/attribute-table.ts';
import type { RadiusAttribute } from '../../protocol/radius/attribute-value.ts';
import type { AccountingEvent, AccountingRecord } from '../../protocol/radius/client-types.ts';

/** A session that has begun. */
export interface AccountedSession {
  /** Acct-Session-Id: no other session has it, not even after a restart. */
  readonly session: string;
  /** Data-plane key, for its counters. */
  readonly key: SessionKey;
  /** The same in all its records: user, address, call, Class. */
  readonly attributes: readonly RadiusAttribute[];
  /** Between two interim updates, ms. */
  readonly interimMs: number;
}

interface Open extends AccountedSession {
  readonly began: Instant;
  nextInterim: Instant;
}

/** Counters of a session whose counters cannot be had any more. */
const NOTHING = { packetsReceived: 0, octetsReceived: 0, packetsSent: 0, octetsSent: 0 };
/** Octet counters of 32 bits, and what is above them (RFC 2869 sections 5.1 and 5.2). */
const GIGAWORD = 0x1_0000_0000;
/** Acct-Session-Id of the records that are of all sessions. */
const ALL = 'all sessions';

export class SessionAccountant {
  readonly #dataPlane: Pick<DataPlane, 'counters'>;
  readonly #clock: Clock;
  readonly #nas: readonly RadiusAttribute[];
  readonly #account: (record: AccountingRecord) => void;
  readonly #open = new Map<string, Open>();
  /** Records whose counters are awaited. */
  #pending: Promise<void> = Promise.resolve();
  #timer: Timer | undefined;
  #ended = false;

  constructor(
    dataPlane: Pick<DataPlane, 'counters'>,
    clock: Clock,
    nas: readonly RadiusAttribute[],
    account: (record: AccountingRecord) => void,
  ) {
    this.#dataPlane = dataPlane;
    this.#clock = clock;
    this.#nas = nas;
    this.#account = account;
  }

  /** The server begins: whatever was open there is over (RFC 2866 section 5.1). */
  on(): void {
    this.#tell('on', ALL, this.#nas);
  }

  begin(session: AccountedSession): void {
    const now = this.#clock.now();
    this.#open.set(session.session, { ...session, began: now, nextInterim: now + session.interimMs });
    this.#tell('start', session.session, session.attributes);
    this.#arm();
  }

  /** To be called before the session leaves the data plane, which then answers with its last counters. */
  end(session: string, cause: number): void {
    const open = this.#open.get(session);
    if (!open) return;
    this.#open.delete(session);
    this.#arm();
    const ended = this.#clock.now();
    this.#later(async () => {
      const counters = await this.#counters();
      const attributes: RadiusAttribute[] = [
        ...open.attributes,
        ...usage(open, ended, counters.get(open.key)),
        { name: 'acctTerminateCause', value: cause },
      ];
      this.#tell('stop', session, attributes);
    });
  }

  /** The server ends, all its sessions being over. Resolves when every record is on its way. */
  async off(): Promise<void> {
    this.#ended = true;
    this.#timer?.cancel();
    await this.#pending;
    this.#tell('off', ALL, this.#nas);
  }

  #arm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#ended || this.#open.size === 0) return;
    let earliest = Number.POSITIVE_INFINITY;
    for (const { nextInterim } of this.#open.values()) earliest = Math.min(earliest, nextInterim);
    this.#timer = this.#clock.setTimer(earliest, () => this.#interim());
  }

  #interim(): void {
    const now = this.#clock.now();
    const due = [...this.#open.values()].filter(({ nextInterim }) => nextInterim <= now);
    for (const open of due) open.nextInterim = now + open.interimMs;
    this.#arm();
    this.#later(async () => {
      const counters = await this.#counters();
      for (const open of due) {
        // It may have ended meanwhile, and its Stop says more.
        if (!this.#open.has(open.session)) continue;
        const attributes = [...open.attributes, ...usage(open, now, counters.get(open.key))];
        this.#tell('interim', open.session, attributes);
      }
    });
  }

  #tell(event: AccountingEvent, session: string, attributes: readonly RadiusAttribute[]): void {
    const head: RadiusAttribute[] = [
      { name: 'acctStatusType', value: STATUS[event] },
      { name: 'acctSessionId', value: utf8Bytes(session) },
      { name: 'eventTimestamp', value: Math.floor(this.#clock.wall() / 1000) % GIGAWORD },
    ];
    this.#account({ event, session, attributes: [...head, ...attributes] });
  }

  /** Keeps account of what is under way; the data plane answers in the order of asking, and so records keep theirs. */
  #later(task: () => Promise<void>): void {
    const next = task();
    this.#pending = Promise.all([this.#pending, next]).then(
      () => undefined,
      () => undefined,
    );
  }

  async #counters(): Promise<ReadonlyMap<SessionKey, SessionCounters>> {
    try {
      const { sessions } = await this.#dataPlane.counters();
      return new Map(sessions.map((counters) => [counters.key, counters]));
    } catch {
      // A data plane that is gone has taken them with it; that a session ended is to be told all the same.
      return new Map();
    }
  }
}

const STATUS: Readonly<Record<AccountingEvent, number>> = {
  on: ACCT_STATUS.accountingOn,
  off: ACCT_STATUS.accountingOff,
  start: ACCT_STATUS.start,
  stop: ACCT_STATUS.stop,
  interim: ACCT_STATUS.interimUpdate,
};

/** Input is what came from the user (RFC 2866 sections 5.3 and 5.4). */
function usage(open: Open, now: Instant, counters: SessionCounters | undefined): readonly RadiusAttribute[] {
  const { packetsReceived, octetsReceived, packetsSent, octetsSent } = counters ?? NOTHING;
  return [
    { name: 'acctSessionTime', value: Math.round((now - open.began) / 1000) },
    { name: 'acctInputOctets', value: octetsReceived % GIGAWORD },
    { name: 'acctOutputOctets', value: octetsSent % GIGAWORD },
    { name: 'acctInputPackets', value: packetsReceived % GIGAWORD },
    { name: 'acctOutputPackets', value: packetsSent % GIGAWORD },
    { name: 'acctInputGigawords', value: Math.floor(octetsReceived / GIGAWORD) },
    { name: 'acctOutputGigawords', value: Math.floor(octetsSent / GIGAWORD) },
  ];
}
