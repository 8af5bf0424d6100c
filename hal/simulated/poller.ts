import { HalError } from '../hal-error.ts';
import type { Poller, PollerFactory, WakePoller } from '../poller.ts';
import type { SimulatedHandles } from './handles.ts';

/** Pollers whose wait never blocks: it tells what is ready now. */
export class SimulatedPollerFactory implements PollerFactory {
  readonly #handles: SimulatedHandles;
  readonly #woken = new Set<number>();

  constructor(handles: SimulatedHandles) {
    this.#handles = handles;
  }

  open(): Poller {
    return new SimulatedPoller(this.#handles, this.#woken);
  }

  /** The `wakePoller` of this machine. */
  readonly wake: WakePoller = (wakeHandle) => {
    this.#woken.add(wakeHandle);
  };

  /** Whether a wake-up is pending that no wait has taken yet. */
  isWoken(wakeHandle: number): boolean {
    return this.#woken.has(wakeHandle);
  }
}

class SimulatedPoller implements Poller {
  readonly wakeHandle: number;
  readonly #handles: SimulatedHandles;
  readonly #woken: Set<number>;
  /** By handle: whether room for output is awaited, too. */
  readonly #watched = new Map<number, boolean>();
  readonly #ready: number[] = [];
  #closed = false;

  constructor(handles: SimulatedHandles, woken: Set<number>) {
    this.#handles = handles;
    this.#woken = woken;
    this.wakeHandle = handles.register(() => woken.has(this.wakeHandle));
  }

  add(handle: number): void {
    if (!this.#watched.has(handle)) this.#watched.set(handle, false);
  }

  awaitRoom(handle: number, wanted: boolean): void {
    if (this.#watched.has(handle)) this.#watched.set(handle, wanted);
  }

  remove(handle: number): void {
    this.#watched.delete(handle);
  }

  wait(_timeoutMs: number): readonly number[] {
    if (this.#closed) throw new HalError('The poller is closed.', 'EBADF');
    this.#woken.delete(this.wakeHandle);
    this.#ready.length = 0;
    for (const [handle, room] of this.#watched) {
      if (this.#handles.isReady(handle) || (room && this.#handles.hasRoom(handle))) this.#ready.push(handle);
    }
    return this.#ready;
  }

  close(): void {
    this.#closed = true;
    this.#handles.release(this.wakeHandle);
  }
}
