/** What PPP runs over on an uplink: a PPPoE session, or a serial line behind a modem's CONNECT. */
import type { PppCarrier } from '../dataplane/ppp-carrier.ts';
import type { Failure } from '../protocol/machine.ts';

/** What brings lines about. */
export interface PppLineSource {
  /**
   * Dials. Resolves when PPP may begin.
   * @throws PppLineError, also when `signal` ends it.
   */
  dial(signal: AbortSignal): Promise<PppLine>;
}

/** One line that stands. Its frames belong to the data plane until {@link hangUp}. */
export interface PppLine {
  /** How frames travel, for the data plane. */
  readonly carrier: PppCarrier;
  /** Largest PPP information field that it carries, octets: 1492 or more with PPPoE. */
  readonly mru: number;
  /** What was connected to, in words for status and log: `access concentrator "ac1"`, `CONNECT 150000000`. */
  readonly peer: string;
  /** Resolves once, when the other side or the line itself has ended it: PADT, NO CARRIER, unplugged. Not by {@link hangUp}. */
  readonly ended: Promise<Failure>;
  /**
   * Bare PPP frames that came before the data plane listened. To be called once, when it does; those that came twice do no harm.
   */
  takeEarly?(): readonly Uint8Array[];
  /** PPPoE: the peer sends by a session that was lost on this side; it is told so. */
  straySession?(sessionId: number): void;
  /** PADT, or escape and ATH. The data plane has let go of the carrier before. Never rejects. */
  hangUp(): Promise<void>;
}

/** Why there is no line. */
export class PppLineError extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(`${failure.step}: ${failure.reason}; ${failure.remedy}`);
    this.failure = failure;
  }
}
