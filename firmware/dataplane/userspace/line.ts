/** A line of the engine: what PPP frames come and go by. */
import type { Instant } from '../../protocol/machine.ts';

export interface Line {
  /** For the poller. */
  readonly handle: number;
  /** Takes what has come in, a turn's worth, and sends what waited, if there is room again. @throws HalError when it is lost. */
  serve(now: Instant): void;
  /**
   * The PPP frame `bytes[start..end)` goes out or waits.
   * @param control it is not dropped for want of room.
   * @returns false when it was dropped.
   */
  send(bytes: Uint8Array, start: number, end: number, control: boolean): boolean;
  /** Serial: what the peer wants escaped. */
  setPeerAccm(map: number): void;
  close(): void;
}

/** What a line tells. Octets are views that are overwritten after the call. */
export interface LineHost {
  /** The PPP frame `bytes[at..end)`, in any of its header forms. */
  frame(bytes: Uint8Array, at: number, end: number, now: Instant): void;
  drop(reason: 'unknownSession' | 'wrongPeer' | 'malformed'): void;
  /** PPPoE: the peer sent by another session than this line's. */
  otherSession(sessionId: number, now: Instant): void;
  /** Serial: whether there is something that waits for room. */
  awaitRoom(wanted: boolean): void;
  /** Serial: the line is lost, or the modem says that the call has ended. */
  ended(reason: string): void;
}

/** The sentence of an error as a part of another one. */
export function clause({ message }: Error): string {
  return `${message.slice(0, 1).toLowerCase()}${message.slice(1).replace(/\.$/, '')}`;
}
