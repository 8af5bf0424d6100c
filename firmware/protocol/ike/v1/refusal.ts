/**
 * How a message that makes no SA is refused: in clear, without keeping anything, and not more than a few times a
 * second.
 */
import { hex } from '../../bytes.ts';
import type { Failure, Instant } from '../../machine.ts';
import { formatEndpoint, type UdpPath } from '../../udp-path.ts';
import { isZeroSpi } from '../message-header.ts';
import { RateLimit } from '../rate-limit.ts';
import { COOKIE_OCTETS, type ReceivedMessage } from './header.ts';
import { isakmpNotification } from './notification.ts';
import { ExchangeType, NotifyType, notifyName, PayloadType } from './numbers.ts';
import type { Outbox } from './outbox.ts';
import { plainMessage } from './phase1.ts';

/** Refusals that are told and reported, in a second and at once; the others are only counted. */
const REFUSALS_PER_SECOND = 5;

export class Refusals {
  readonly #outbox: Outbox;
  readonly #limit = new RateLimit(REFUSALS_PER_SECOND, REFUSALS_PER_SECOND);
  /** Who was refused last: whoever repeats its message 1 is not reported again. */
  #last = '';

  constructor(outbox: Outbox) {
    this.#outbox = outbox;
  }

  /** In Aggressive Mode nobody may be who calls: that is said as where the proof is wrong. */
  caller(
    now: Instant,
    ikeId: number,
    message: ReceivedMessage,
    path: UdpPath,
    failure: Failure,
    connection: string,
  ): void {
    if (!this.#limit.allows(now)) return;
    this.#outbox.received(ikeId, failure.step, failure.reason);
    this.#notify(ikeId, message, path, NotifyType.authenticationFailed);
    this.#tell(ikeId, message, path, failure, connection);
  }

  /**
   * Message 1 that fits nothing. A person may read why; a stranger for whom nothing is configured gets no answer.
   * @param ikeId a fresh one.
   * @param connection the name of the one that it was meant for.
   */
  message1(
    now: Instant,
    ikeId: number,
    message: ReceivedMessage,
    path: UdpPath,
    failure: Failure,
    connection: string | undefined,
  ): void {
    if (!this.#limit.allows(now)) return;
    this.#outbox.received(ikeId, failure.step, failure.reason);
    if (connection === undefined) return;
    this.#notify(ikeId, message, path, NotifyType.noProposalChosen);
    this.#tell(ikeId, message, path, failure, connection);
  }

  #tell(ikeId: number, { header }: ReceivedMessage, path: UdpPath, failure: Failure, connection: string): void {
    const caller = `${hex(header.cookieI)} ${formatEndpoint(path.remote)}`;
    if (caller !== this.#last) this.#outbox.emit({ kind: 'ike-down', ikeId, connection, failure });
    this.#last = caller;
  }

  /** Aggressive Mode, where no connection is for it. */
  aggressiveMode(now: Instant, ikeId: number, message: ReceivedMessage, path: UdpPath): void {
    if (!isZeroSpi(message.header.cookieR) || !this.#limit.allows(now)) return;
    this.#outbox.received(ikeId, 'Aggressive Mode 1', 'refused');
    this.#notify(ikeId, message, path, NotifyType.invalidExchangeType);
  }

  #notify(ikeId: number, { header }: ReceivedMessage, path: UdpPath, type: number): void {
    const payloads = [{ type: PayloadType.notification, body: isakmpNotification(type) }];
    const cookieR = new Uint8Array(COOKIE_OCTETS);
    const reply = plainMessage(header.cookieI, cookieR, payloads, ExchangeType.informational);
    this.#outbox.send(ikeId, 'Informational', reply, path, false, notifyName(type));
  }
}
