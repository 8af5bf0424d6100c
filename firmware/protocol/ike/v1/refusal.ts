/**
 * How a message that makes no SA is refused: in clear, without keeping anything, and not more than a few times a
 * second.
 */
import type { Failure, Instant } from '../../machine.ts';
import type { UdpPath } from '../../udp-path.ts';
import { COOKIE_OCTETS, isZero, type ReceivedMessage } from './header.ts';
import { plainMessage } from './main-mode.ts';
import { isakmpNotification } from './notification.ts';
import { ExchangeType, NotifyType, notifyName, PayloadType } from './numbers.ts';
import type { Outbox } from './outbox.ts';

/** Refusals that are told and reported in a second; the others are only counted. */
const REFUSALS_PER_SECOND = 5;

export class Refusals {
  readonly #outbox: Outbox;
  #second = Number.NEGATIVE_INFINITY;
  #spent = 0;

  constructor(outbox: Outbox) {
    this.#outbox = outbox;
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
    if (!this.#spend(now)) return;
    this.#outbox.received(ikeId, 'Main Mode 1', failure.reason);
    if (connection === undefined) return;
    this.#notify(ikeId, message, path, NotifyType.noProposalChosen);
    this.#outbox.emit({ kind: 'ike-down', ikeId, connection, failure });
  }

  /** Aggressive Mode, which is not spoken here. */
  aggressiveMode(now: Instant, ikeId: number, message: ReceivedMessage, path: UdpPath): void {
    if (!isZero(message.header.cookieR) || !this.#spend(now)) return;
    this.#outbox.received(ikeId, 'Aggressive Mode 1', 'refused');
    this.#notify(ikeId, message, path, NotifyType.invalidExchangeType);
  }

  #notify(ikeId: number, { header }: ReceivedMessage, path: UdpPath, type: number): void {
    const payloads = [{ type: PayloadType.notification, body: isakmpNotification(type) }];
    const cookieR = new Uint8Array(COOKIE_OCTETS);
    const reply = plainMessage(header.cookieI, cookieR, payloads, ExchangeType.informational);
    this.#outbox.send(ikeId, 'Informational', reply, path, false, notifyName(type));
  }

  #spend(now: Instant): boolean {
    if (now - this.#second >= 1000) {
      this.#second = now;
      this.#spent = 0;
    }
    this.#spent += 1;
    return this.#spent <= REFUSALS_PER_SECOND;
  }
}
