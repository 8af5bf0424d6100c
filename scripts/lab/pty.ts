/** Pseudo-terminals: one end for a serial line of the firmware, the other for a test or a simulated device. Node itself cannot open them. */
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import koffi from 'koffi';

const libc = koffi.load(null);
const grantpt: (fd: number) => number = libc.func('int grantpt(int fd)');
const unlockpt: (fd: number) => number = libc.func('int unlockpt(int fd)');
const ptsname: (fd: number) => string | null = libc.func('const char *ptsname(int fd)');

/** How long until it looks again whether octets have come, ms; nothing waits longer than that for one that is there. */
const LOOK_MS = 2;

export class Pty {
  readonly #master: number;
  /** Of the device that is to be opened. */
  readonly path: string;
  #open = true;
  #unsent: Buffer[] = [];
  /** Who waits until there is nothing to read. */
  #waiting: (() => void)[] = [];
  /** Whether this end reads; otherwise the other one can write no more than the kernel holds. */
  reads = true;
  onOctets: ((octets: Uint8Array) => void) | undefined;

  constructor() {
    this.#master = openSync('/dev/ptmx', constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
    if (grantpt(this.#master) < 0 || unlockpt(this.#master) < 0) throw new Error('there are no pseudo-terminals here');
    this.path = ptsname(this.#master) ?? '';
    this.#look();
  }

  /** Octets that were given and that the other end has not room for yet. */
  get unsent(): number {
    return this.#unsent.reduce((sum, { length }) => sum + length, 0);
  }

  /** Sends, as fast as the other end takes it. */
  send(octets: Uint8Array | string): void {
    this.#unsent.push(Buffer.from(octets as Uint8Array));
    this.#push();
  }

  /** Returns when all that has been written at the other end before was read, or this end is closed. */
  async drained(): Promise<void> {
    if (this.#open) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** All that has come by now, while {@link reads} is false. */
  readNow(): Uint8Array {
    return this.#read();
  }

  /** The cable is pulled. Until then a process does not end. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    closeSync(this.#master);
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #push(): void {
    for (let [octets] = this.#unsent; octets !== undefined && this.#open; [octets] = this.#unsent) {
      let written = 0;
      try {
        written = writeSync(this.#master, octets);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      }
      if (written === octets.length) this.#unsent.shift();
      else this.#unsent[0] = octets.subarray(written);
      if (written === 0) return;
    }
  }

  #look(): void {
    if (!this.#open) return;
    this.#push();
    if (!this.reads) {
      setTimeout(() => this.#look(), LOOK_MS);
      return;
    }
    const waiting = this.#waiting.splice(0);
    const octets = this.#read();
    if (octets.length > 0) this.#waiting.push(...waiting);
    else for (const resolve of waiting) resolve();
    if (octets.length > 0) this.onOctets?.(octets);
    setTimeout(() => this.#look(), octets.length > 0 ? 0 : LOOK_MS);
  }

  /** At once: a read on its way in another thread would take what belongs to whoever gets the descriptor after {@link close}. */
  #read(): Uint8Array {
    const buffer = Buffer.alloc(65_536);
    try {
      return Uint8Array.from(buffer.subarray(0, readSync(this.#master, buffer)));
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      // EAGAIN: nothing has come. EIO: nobody has the other end open.
      if (code === 'EAGAIN' || code === 'EIO') return new Uint8Array();
      throw error;
    }
  }
}
