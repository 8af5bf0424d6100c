/** Whether the peer has the last message of Aggressive Mode: nothing answers it, so it is repeated until something genuine comes. */
import type { Instant } from '../../machine.ts';
import { NotifyType } from './numbers.ts';
import { Retransmission } from './retransmit.ts';

export class Confirmation {
  readonly #message: Uint8Array;
  readonly #retransmission: Retransmission;
  #disbelieved = false;
  #since: Instant | undefined;
  #over: boolean;

  /** @param message absent: the peer is known to have all. */
  constructor(now: Instant, message: Uint8Array | undefined) {
    this.#message = message ?? new Uint8Array(0);
    this.#over = message === undefined;
    this.#since = message === undefined ? now : undefined;
    this.#retransmission = new Retransmission(now);
  }

  get deadline(): Instant | undefined {
    return this.#over ? undefined : this.#retransmission.deadline;
  }

  /** Since when the peer is known to have all. */
  get since(): Instant | undefined {
    return this.#since;
  }

  /** The peer said in clear that it does not believe this side; anybody may have said so. */
  get disbelieved(): boolean {
    return this.#disbelieved;
  }

  /** Something genuine came. */
  heard(now: Instant): void {
    this.#over = true;
    this.#since ??= now;
    this.#disbelieved = false;
  }

  /** A notification in clear. @param type Notify Message Type. */
  hint(type: number): void {
    if (!this.#over) this.#disbelieved ||= type === NotifyType.authenticationFailed;
  }

  /** The message, where it is to be sent once more. */
  due(now: Instant): Uint8Array | undefined {
    const due = this.#over ? 'nothing' : this.#retransmission.due(now);
    if (due === 'exhausted') this.#over = true;
    return due === 'resend' ? this.#message : undefined;
  }
}
