import type { SerialPort } from '../../hal/serial-port.ts';

/** Octets that may wait for a line that takes none. */
const MOST_WAITING = 1024 * 1024;

/** Writes to a line in order, and remembers what it has not taken yet: that is bounded, for a line may stand still for ever. */
export class LineWriter {
  readonly #port: Pick<SerialPort, 'write'>;
  readonly #overflow: () => void;
  #waiting: Uint8Array[] = [];
  #octets = 0;
  #busy: Promise<void> | undefined;
  #ended = false;

  /** @param overflow is called once, when so much waits that nobody can be reading; nothing more is taken then. */
  constructor(port: Pick<SerialPort, 'write'>, overflow: () => void) {
    this.#port = port;
    this.#overflow = overflow;
  }

  write(octets: Uint8Array): void {
    if (this.#ended) return;
    this.#waiting.push(octets);
    this.#octets += octets.length;
    if (this.#octets > MOST_WAITING) {
      this.end();
      this.#overflow();
      return;
    }
    this.#busy ??= this.#run();
  }

  /** Returns when the line has taken all, or is gone. */
  async drained(): Promise<void> {
    await this.#busy;
  }

  /** What waits is forgotten, and nothing more is taken. */
  end(): void {
    this.#ended = true;
    this.#waiting = [];
    this.#octets = 0;
  }

  async #run(): Promise<void> {
    // What is written in this turn goes together.
    await Promise.resolve();
    try {
      while (this.#waiting.length > 0) {
        const octets = Buffer.concat(this.#waiting);
        this.#waiting = [];
        await this.#port.write(octets);
        this.#octets = Math.max(0, this.#octets - octets.length);
      }
    } catch {
      // The line is gone, as its reader learns, too.
      this.end();
    } finally {
      this.#busy = undefined;
    }
  }
}
