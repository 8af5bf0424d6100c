/** poll(2) over descriptors, with an eventfd by which another thread ends the wait. */
import { HalError } from '../hal-error.ts';
import type { Poller, PollerFactory, WakePoller } from '../poller.ts';
import { EFD_CLOEXEC, EFD_NONBLOCK, POLLIN, POLLOUT } from './ffi/constants.ts';
import { EINTR, errnoName } from './ffi/errno.ts';
import { POLLFD } from './ffi/layout.ts';
import { close, eventfd, poll, read, write } from './ffi/libc.ts';

/** Size of an eventfd's counter, octets (eventfd(2)). */
const COUNTER_SIZE = 8;

/** Handles that the first allocation has room for; it doubles when needed. */
const INITIAL_CAPACITY = 16;

/** Longest time-out of poll(2), milliseconds: its argument is a signed 32-bit number. */
const MAX_TIMEOUT = 0x7fff_ffff;

/** What is written to an eventfd to wake its reader: the number 1. */
const ONE = new Uint8Array(BigUint64Array.of(1n).buffer);

/**
 * Ends the wait of the poller whose `wakeHandle` this is. The poller must still be open: the number of a closed one may
 * belong to another file by now.
 */
export const wakePoller: WakePoller = (wakeHandle) => {
  // The only failure of an open eventfd is EAGAIN, a full counter: then the wake-up is pending anyway.
  write(wakeHandle, ONE, COUNTER_SIZE);
};

export class LinuxPollerFactory implements PollerFactory {
  open(): Poller {
    const handle = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (handle < 0) {
      const code = errnoName(-handle);
      throw new HalError(`The kernel gave no event descriptor (${code}): raise the limit of open files.`, code);
    }
    return new LinuxPoller(handle);
  }
}

class LinuxPoller implements Poller {
  readonly wakeHandle: number;
  /** `struct pollfd` of the wake handle, then one for each watched handle. */
  #entries: Uint8Array;
  #view: DataView;
  #count = 0;
  readonly #ready: number[] = [];
  readonly #counter = new Uint8Array(COUNTER_SIZE);
  #closed = false;

  constructor(wakeHandle: number) {
    this.wakeHandle = wakeHandle;
    this.#entries = new Uint8Array(INITIAL_CAPACITY * POLLFD.size);
    this.#view = new DataView(this.#entries.buffer);
    this.#append(wakeHandle);
  }

  add(handle: number): void {
    if (this.#indexOf(handle) < 0) this.#append(handle);
  }

  awaitRoom(handle: number, wanted: boolean): void {
    const index = this.#indexOf(handle);
    if (index <= 0) return;
    this.#view.setInt16(index * POLLFD.size + POLLFD.events, wanted ? POLLIN | POLLOUT : POLLIN, true);
  }

  remove(handle: number): void {
    const index = this.#indexOf(handle);
    if (index <= 0) return;
    const last = --this.#count;
    this.#entries.copyWithin(index * POLLFD.size, last * POLLFD.size, (last + 1) * POLLFD.size);
  }

  wait(timeoutMs: number): readonly number[] {
    if (this.#closed) throw new HalError('The poller is closed.', 'EBADF');
    this.#ready.length = 0;
    const limit = timeoutMs < 0 ? -1 : Math.min(Math.ceil(timeoutMs), MAX_TIMEOUT);
    const end = limit > 0 ? performance.now() + limit : 0;
    let left = limit;
    for (;;) {
      const found = poll(this.#entries, this.#count, left);
      if (found >= 0) return this.#collect(found);
      if (found !== -EINTR) {
        const code = errnoName(-found);
        throw new HalError(`The kernel would not wait for ${this.#count} handles (${code}).`, code);
      }
      if (limit > 0) left = Math.max(0, Math.ceil(end - performance.now()));
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    close(this.wakeHandle);
  }

  #collect(found: number): readonly number[] {
    let left = found;
    for (let index = 0; index < this.#count && left > 0; index++) {
      const at = index * POLLFD.size;
      // POLLERR, POLLHUP and POLLNVAL come unasked: a handle in trouble is ready, so that its owner looks at it.
      if (this.#view.getInt16(at + POLLFD.returned, true) === 0) continue;
      left--;
      if (index === 0) read(this.wakeHandle, this.#counter, COUNTER_SIZE);
      else this.#ready.push(this.#view.getInt32(at + POLLFD.handle, true));
    }
    return this.#ready;
  }

  #indexOf(handle: number): number {
    for (let index = 0; index < this.#count; index++) {
      if (this.#view.getInt32(index * POLLFD.size + POLLFD.handle, true) === handle) return index;
    }
    return -1;
  }

  #append(handle: number): void {
    const at = this.#count * POLLFD.size;
    if (at === this.#entries.length) {
      const larger = new Uint8Array(this.#entries.length * 2);
      larger.set(this.#entries);
      this.#entries = larger;
      this.#view = new DataView(larger.buffer);
    }
    this.#view.setInt32(at + POLLFD.handle, handle, true);
    this.#view.setInt16(at + POLLFD.events, POLLIN, true);
    this.#view.setInt16(at + POLLFD.returned, 0, true);
    this.#count++;
  }
}
