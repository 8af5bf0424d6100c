/**
 * What waits for the control thread, and who may add to it. It is bounded as a whole, and in shares: a flood of whatever
 * anybody may send, at whichever socket, leaves room for the other sockets, and for those who have proved who they are.
 */
import type { SocketId } from '../data-plane.ts';

/**
 * How far the origin of an event is known. `stranger`: not at all. `known`: it bears the address of a peer, which anybody
 * may forge, or is told by an ICMP message. `proven`: it came out of an SA or within a session, each of which may cause
 * so many a second, or it is the engine's own.
 */
export type Standing = 'stranger' | 'known' | 'proven';

/** Events that may wait: a busy second's worth, and by their size 8 MiB at the very most. */
export const CONTROL_QUEUE = 1024;
/** Of those, events that anybody may cause, `stranger` and `known`. */
export const UNPROVEN_QUEUE = 768;
/** Of those, events that strangers caused. */
export const STRANGER_QUEUE = 512;
/** The same for one socket: IKE has two, both may be flooded, and DNS is to be heard all the same. */
export const SOCKET_UNPROVEN = 320;
export const SOCKET_STRANGERS = 192;

/** Events of one origin that wait. */
interface Share {
  unproven: number;
  strangers: number;
}

interface Entry {
  readonly socket: SocketId;
  readonly stranger: boolean;
}

export class ControlQueue {
  /** Events that the control thread has dealt with so far, modulo 2^32. */
  readonly #acknowledged: () => number;
  /** Events added so far, and those known to be dealt with, modulo 2^32. */
  #added = 0;
  #settled = 0;
  /** What waits of those that anybody may cause, by its number. */
  readonly #entries = new Map<number, Entry>();
  readonly #all: Share = { unproven: 0, strangers: 0 };
  readonly #bySocket = new Map<SocketId, Share>();

  constructor(acknowledged: () => number) {
    this.#acknowledged = acknowledged;
  }

  /** Whether one more event may be added. */
  hasRoom(standing: Standing, socket: SocketId): boolean {
    this.#settle();
    if ((this.#added - this.#settled) >>> 0 >= CONTROL_QUEUE) return false;
    if (standing === 'proven') return true;
    const share = this.#bySocket.get(socket);
    if (this.#all.unproven >= UNPROVEN_QUEUE || (share?.unproven ?? 0) >= SOCKET_UNPROVEN) return false;
    if (standing === 'known') return true;
    return this.#all.strangers < STRANGER_QUEUE && (share?.strangers ?? 0) < SOCKET_STRANGERS;
  }

  /** An event was handed to the control thread, whether there was room or not. */
  add(standing: Standing, socket: SocketId): void {
    this.#added = (this.#added + 1) >>> 0;
    if (standing === 'proven') return;
    const entry = { socket, stranger: standing === 'stranger' };
    this.#entries.set(this.#added, entry);
    this.#count(entry, 1);
  }

  /** Takes out what the control thread has dealt with, which it does in order. */
  #settle(): void {
    const settled = this.#acknowledged() >>> 0;
    while (this.#settled !== settled) {
      this.#settled = (this.#settled + 1) >>> 0;
      const entry = this.#entries.get(this.#settled);
      if (entry === undefined) continue;
      this.#entries.delete(this.#settled);
      this.#count(entry, -1);
    }
  }

  #count({ socket, stranger }: Entry, difference: number): void {
    const share = this.#bySocket.get(socket) ?? { unproven: 0, strangers: 0 };
    for (const each of [this.#all, share]) {
      each.unproven += difference;
      if (stranger) each.strangers += difference;
    }
    if (share.unproven > 0) this.#bySocket.set(socket, share);
    else this.#bySocket.delete(socket);
  }
}
