import { HalError } from '../hal-error.ts';
import type { SerialPort, SerialPortEnd, SerialPortOptions, SerialPorts } from '../serial-port.ts';

/** Octets that a line holds for a side that does not read, as a driver does. */
const DRIVER_BUFFER = 4096;

/** Descriptors of simulated lines; nobody can read them, and no two are the same. */
let nextDescriptor = 10_000;

/** Lines in memory. */
export class SimulatedSerialPorts implements SerialPorts {
  readonly #lines = new Map<string, SimulatedSerialLine>();
  /** What was asked for, in order. */
  readonly asked: SerialPortOptions[] = [];

  /** Plugs a line in. */
  plug(path: string): SimulatedSerialLine {
    const line = new SimulatedSerialLine(() => this.#lines.delete(path));
    this.#lines.set(path, line);
    return line;
  }

  async open(options: SerialPortOptions): Promise<SerialPort> {
    const { path } = options;
    this.asked.push(options);
    const line = this.#lines.get(path);
    if (line === undefined) {
      throw new HalError(
        `The serial line ${path} cannot be opened (ENOENT). Plug it in, or correct its name.`,
        'ENOENT',
      );
    }
    return line.open(path);
  }
}

/** A line with its far end in the hands of a test. */
export class SimulatedSerialLine {
  readonly #pulled: () => void;
  #near: NearEnd | undefined;
  #taken: Uint8Array[] = [];
  #reads = true;
  /** Called with what the near end has sent. */
  onOctets: ((octets: Uint8Array) => void) | undefined;

  constructor(pulled: () => void) {
    this.#pulled = pulled;
  }

  open(path: string): SerialPort {
    if (this.#near !== undefined) {
      const advice = 'Another program uses it: end that one first.';
      throw new HalError(`The serial line ${path} cannot be opened (EBUSY). ${advice}`, 'EBUSY');
    }
    this.#near = new NearEnd(this, () => {
      this.#near = undefined;
    });
    return this.#near;
  }

  /** Somebody has it open. */
  get inUse(): boolean {
    return this.#near !== undefined;
  }

  /** The far end sends; lost when nobody has the line open. */
  send(octets: Uint8Array): void {
    this.#near?.receive(Uint8Array.from(octets));
  }

  /** Whether the far end reads; while it does not, the near end can write {@link DRIVER_BUFFER} octets more. */
  set reads(reads: boolean) {
    this.#reads = reads;
    if (!reads) return;
    for (const octets of this.#taken.splice(0)) this.onOctets?.(octets);
    this.#near?.roomAgain();
  }

  /** Out of the socket; {@link SimulatedSerialPorts.plug} puts another one in. */
  pull(): void {
    this.#pulled();
    this.#near?.lose('the device is gone (EIO)');
  }

  /** @internal Of the near end: whether there is room for it. */
  take(octets: Uint8Array): boolean {
    if (this.#reads) {
      this.onOctets?.(octets);
      return true;
    }
    const waiting = this.#taken.reduce((sum, { length }) => sum + length, 0);
    if (waiting + octets.length > DRIVER_BUFFER) return false;
    this.#taken.push(octets);
    return true;
  }
}

class NearEnd implements SerialPort {
  readonly #line: SimulatedSerialLine;
  readonly #left: () => void;
  readonly #ended = Promise.withResolvers<SerialPortEnd>();
  readonly #descriptor = nextDescriptor++;
  #open = true;
  #lent = false;
  #paused = false;
  #waiting: Uint8Array[] = [];
  #write: { readonly octets: Uint8Array; readonly settle: PromiseWithResolvers<void> } | undefined;
  onOctets: ((octets: Uint8Array) => void) | undefined;

  constructor(line: SimulatedSerialLine, left: () => void) {
    this.#line = line;
    this.#left = left;
  }

  get ended(): Promise<SerialPortEnd> {
    return this.#ended.promise;
  }

  receive(octets: Uint8Array): void {
    this.#waiting.push(octets);
    queueMicrotask(() => this.#hand());
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    queueMicrotask(() => this.#hand());
  }

  lend(): number {
    if (!this.#open) throw notOpen();
    this.#lent = true;
    this.pause();
    return this.#descriptor;
  }

  takeBack(): void {
    if (!this.#lent) return;
    this.#lent = false;
    this.resume();
  }

  write(octets: Uint8Array): Promise<void> {
    if (!this.#open) return Promise.reject(notOpen());
    const settle = Promise.withResolvers<void>();
    this.#write = { octets: Uint8Array.from(octets), settle };
    queueMicrotask(() => this.roomAgain());
    return settle.promise;
  }

  async close(): Promise<void> {
    this.#end({ kind: 'closed' });
  }

  lose(reason: string): void {
    this.#end({ kind: 'lost', reason });
  }

  roomAgain(): void {
    if (this.#write === undefined || !this.#line.take(this.#write.octets)) return;
    const { settle } = this.#write;
    this.#write = undefined;
    settle.resolve();
  }

  #hand(): void {
    while (this.#open && !this.#paused) {
      const octets = this.#waiting.shift();
      if (octets === undefined) return;
      this.onOctets?.(octets);
    }
  }

  #end(end: SerialPortEnd): void {
    if (!this.#open) return;
    this.#open = false;
    this.#left();
    this.#write?.settle.reject(notOpen());
    this.#write = undefined;
    this.#ended.resolve(end);
  }
}

function notOpen(): HalError {
  return new HalError('The serial line is not open any more. Open it again once it is back.', 'EBADF');
}
