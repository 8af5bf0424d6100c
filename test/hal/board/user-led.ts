/** A LED of the kernel whose lamp is in user space: the kernel says how bright it is (include/uapi/linux/uleds.h). */
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';

const NAME_OCTETS = 64;
const MOST = 255;

export class UserLed {
  readonly #handle: number;
  #level = 0;
  #open = true;

  constructor(name: string) {
    this.#handle = openSync('/dev/uleds', constants.O_RDWR | constants.O_NONBLOCK);
    const device = Buffer.alloc(NAME_OCTETS + 4);
    device.write(name, 'latin1');
    device.writeInt32LE(MOST, NAME_OCTETS);
    writeSync(this.#handle, device);
  }

  /** Every level that it has had since the last look, 0 dark to 1 full, in order; the kernel leaves out what nobody saw. */
  levels(): number[] {
    const levels: number[] = [];
    const octets = Buffer.alloc(4);
    try {
      while (readSync(this.#handle, octets) === octets.length) levels.push(octets.readInt32LE() / MOST);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
    this.#level = levels.at(-1) ?? this.#level;
    return levels;
  }

  /** Now. */
  level(): number {
    this.levels();
    return this.#level;
  }

  /** The LED is gone. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    closeSync(this.#handle);
  }
}
