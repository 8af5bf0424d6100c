import { read, write } from 'node:fs';
import { promisify } from 'node:util';
import { HalError } from '../hal-error.ts';
import type { SerialPort, SerialPortEnd, SerialPortOptions, SerialPorts } from '../serial-port.ts';

const readDescriptor = promisify(read);
const writeDescriptor = promisify(write);

/** Octets that are read at once: what comes in a third of a second at 115200 baud. */
const CHUNK = 4096;

/** What the package calls a binding: a port without its stream, which cannot tell a line that was hung up from a silent one. */
type Binding = Awaited<ReturnType<typeof openBinding>>;

/** termios, speed, lock and waiting are the package's; reading and writing are ours. */
export class LinuxSerialPorts implements SerialPorts {
  async open({ path, baud }: SerialPortOptions): Promise<SerialPort> {
    if (!Number.isInteger(baud) || baud < 50 || baud > 4_000_000)
      throw new HalError(`${baud} is no speed of a serial line: give 50 to 4000000 bits per second.`, 'EINVAL');
    try {
      return new OpenPort(path, await openBinding(path, baud));
    } catch (error) {
      throw refused(path, error);
    }
  }
}

/** Opens with O_NOCTTY and takes a lock (flock), which a second open fails over. */
async function openBinding(path: string, baudRate: number) {
  // Loaded where there is a line: most commands have none.
  const { SerialPort: Package } = await import('serialport');
  const binding = await Package.binding.open({ path, baudRate, hupcl: false });
  if (!('poller' in binding)) throw new Error('this is not Linux');
  return binding;
}

class OpenPort implements SerialPort {
  readonly #path: string;
  readonly #binding: Binding;
  readonly #ended = Promise.withResolvers<SerialPortEnd>();
  #open = true;
  /** Reads and writes on their way in other threads. */
  readonly #underWay = new Set<Promise<unknown>>();
  #resume: (() => void) | undefined;
  #paused: Promise<void> | undefined;
  /** Resolves with the reason when the line is hung up while nothing is read. */
  #hangUp: Promise<string> | undefined;
  #lent = false;
  #freed: Promise<void> | undefined;
  onOctets: ((octets: Uint8Array) => void) | undefined;

  constructor(path: string, binding: Binding) {
    this.#path = path;
    this.#binding = binding;
    void this.#read();
  }

  get ended(): Promise<SerialPortEnd> {
    return this.#ended.promise;
  }

  pause(): void {
    if (this.#paused !== undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#paused = promise;
    this.#resume = resolve;
  }

  resume(): void {
    this.#paused = undefined;
    this.#resume?.();
  }

  lend(): number {
    const { fd } = this.#binding;
    if (!this.#open || fd === null) throw this.#notOpen();
    this.#lent = true;
    this.pause();
    return fd;
  }

  takeBack(): void {
    if (!this.#lent) return;
    this.#lent = false;
    if (this.#open) this.resume();
    else void this.#free();
  }

  async write(octets: Uint8Array): Promise<void> {
    for (let at = 0; at < octets.length; ) at += await this.#writeOnce(octets, at);
    if (!this.#open) throw this.#notOpen();
  }

  /** @returns how many octets the line took. @throws HalError when it is not open any more. */
  async #writeOnce(octets: Uint8Array, at: number): Promise<number> {
    const { fd } = this.#binding;
    if (!this.#open || fd === null) throw this.#notOpen();
    try {
      const { bytesWritten } = await this.#track(writeDescriptor(fd, octets, at));
      return bytesWritten;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EINTR') return 0;
      const reason = code === 'EAGAIN' ? await this.#once('writable').catch(text) : text(error);
      if (reason === undefined) return 0;
      // The reader finds out, too; who comes first says why.
      if (this.#open) await this.#end({ kind: 'lost', reason });
      throw this.#notOpen();
    }
  }

  async close(): Promise<void> {
    this.#lent = false;
    await this.#end({ kind: 'closed' });
    await this.#free();
  }

  async #read(): Promise<void> {
    const buffer = Buffer.alloc(CHUNK);
    while (this.#open) {
      const reason = await this.#readOnce(buffer);
      if (reason !== undefined) await this.#end({ kind: 'lost', reason });
    }
  }

  /** @returns why the line is lost, if it is. */
  async #readOnce(buffer: Buffer): Promise<string | undefined> {
    try {
      if (this.#paused !== undefined) return await this.#silent(this.#paused);
      await this.#once('readable');
      const { fd } = this.#binding;
      if (!this.#open || fd === null || this.#paused !== undefined) return undefined;
      const { bytesRead } = await this.#track(readDescriptor(fd, buffer, 0, CHUNK, null));
      // A terminal that was hung up has an end; a raw one that is silent has none (termios(3), VMIN 1).
      if (bytesRead === 0) return 'it was hung up';
      if (this.#open) this.onOctets?.(Uint8Array.from(buffer.subarray(0, bytesRead)));
      return undefined;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      return code === 'EAGAIN' || code === 'EINTR' ? undefined : text(error);
    }
  }

  /** Nothing is read until it is over. @returns why the line is lost, if it is meanwhile. */
  #silent(paused: Promise<void>): Promise<string | undefined> {
    this.#hangUp ??= this.#once('disconnect').then(() => 'it was hung up', text);
    return Promise.race([paused.then(() => undefined), this.#hangUp]);
  }

  #once(event: 'readable' | 'writable' | 'disconnect'): Promise<undefined> {
    return new Promise((resolve, reject) => {
      this.#binding.poller.once(event, (error: Error | null) => (error ? reject(error) : resolve(undefined)));
    });
  }

  #track<Result>(operation: Promise<Result>): Promise<Result> {
    this.#underWay.add(operation);
    return operation.finally(() => this.#underWay.delete(operation));
  }

  async #end(end: SerialPortEnd): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    this.resume();
    this.#ended.resolve(end);
    if (!this.#lent) await this.#free();
  }

  /** Closes the descriptor, once. */
  #free(): Promise<void> {
    this.#freed ??= this.#closeDescriptor();
    return this.#freed;
  }

  async #closeDescriptor(): Promise<void> {
    // Else they would meet whoever gets the descriptor next. They do not wait for anything: nothing blocks on this one.
    await Promise.allSettled(this.#underWay);
    // What waits for the line fails with it. A device that is gone may refuse to be closed; its descriptor is free then, too.
    await this.#binding.close().catch(() => undefined);
  }

  #notOpen(): HalError {
    return new HalError(`The serial line ${this.#path} is not open any more. Open it again once it is back.`, 'EBADF');
  }
}

function text(error: unknown): string {
  const words = error instanceof Error ? error.message : String(error);
  // What libuv makes of a terminal whose other end is gone (POLLERR).
  return words === 'bad file descriptor' ? 'it was hung up' : words;
}

/** The package says what failed in words of C alone. */
function refused(path: string, error: unknown): HalError {
  const [code, remedy] = CAUSES.find(([, , words]) => text(error).includes(words)) ?? [
    '',
    'The kernel log may say why.',
  ];
  const shown = code === '' ? text(error) : code;
  return new HalError(`The serial line ${path} cannot be opened (${shown}). ${remedy}`, code);
}

const CAUSES: readonly (readonly [code: string, remedy: string, words: string])[] = [
  ['ENOENT', 'Plug it in, or correct its name.', 'No such file or directory'],
  ['ENODEV', 'Plug it in, or correct its name.', 'No such device'],
  ['EACCES', 'Run this as root, or as a member of the group that owns the device ("dialout").', 'Permission denied'],
  ['EBUSY', 'Another program uses it: end that one first.', 'Cannot lock port'],
  ['EBUSY', 'Another program uses it: end that one first.', 'busy'],
  ['ENOTTY', 'It is no serial line: correct its name.', 'Inappropriate ioctl'],
  ['EIO', 'Nothing is behind it: plug it in again.', 'Input/output error'],
];
