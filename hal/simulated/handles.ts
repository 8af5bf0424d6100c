/** The simulated machine's handle numbers: what file descriptors are to the kernel. */
export class SimulatedHandles {
  /** Far from the real descriptors of a process, so that a mix-up shows. */
  #next = 100_000;
  readonly #ready = new Map<number, () => boolean>();
  readonly #writable = new Map<number, () => boolean>();

  /**
   * A new handle.
   * @param ready whether it has input or an error.
   * @param writable whether it has room for output. Default: always.
   */
  register(ready: () => boolean, writable: () => boolean = () => true): number {
    const handle = this.#next++;
    this.#ready.set(handle, ready);
    this.#writable.set(handle, writable);
    return handle;
  }

  release(handle: number): void {
    this.#ready.delete(handle);
    this.#writable.delete(handle);
  }

  /** A handle that is closed is ready, as with poll(2): its owner has to notice. */
  isReady(handle: number): boolean {
    return this.#ready.get(handle)?.() ?? true;
  }

  hasRoom(handle: number): boolean {
    return this.#writable.get(handle)?.() ?? true;
  }
}
