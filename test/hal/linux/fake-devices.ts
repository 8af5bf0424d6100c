/** Device files of a kernel that a test makes up: GPIO chips, input devices and a watchdog, by the layouts of its headers. */
import type { DeviceFiles } from '../../../hal/linux/device-files.ts';

const [ENXIO, EBUSY, EINVAL, ENOTTY] = [6, 16, 22, 25];

/** One open file. Results as of the kernel: zero or more, or the negative error number. */
interface OpenFile {
  ioctl(request: number, argument: DataView): number;
  read(into: DataView): number;
  write(bytes: Uint8Array): number;
  isReady(): boolean;
  close(): void;
}

const NOTHING: OpenFile = {
  ioctl: () => -ENOTTY,
  read: () => -EINVAL,
  write: () => -EINVAL,
  isReady: () => false,
  close: () => undefined,
};

export class FakeDevices implements DeviceFiles {
  readonly #paths = new Map<string, () => OpenFile>();
  readonly #open = new Map<number, OpenFile>();
  #next = 100;

  /** Makes a device file. @param open throws {@link systemError} when it refuses. */
  add(path: string, open: () => OpenFile): void {
    this.#paths.set(path, open);
  }

  /** How many files are open. */
  get count(): number {
    return this.#open.size;
  }

  list(folder: string): readonly string[] {
    return [...this.#paths.keys()].flatMap((path) =>
      path.startsWith(`${folder}/`) ? [path.slice(folder.length + 1)] : [],
    );
  }

  open(path: string): number {
    const open = this.#paths.get(path);
    if (open === undefined) throw systemError('ENOENT');
    return this.adopt(open());
  }

  /** A handle that the kernel gives by an ioctl. */
  adopt(file: OpenFile): number {
    this.#open.set(++this.#next, file);
    return this.#next;
  }

  close(handle: number): void {
    const file = this.#file(handle);
    this.#open.delete(handle);
    file.close();
  }

  ioctl(handle: number, request: number, argument: Uint8Array): number {
    return this.#file(handle).ioctl(request, view(argument));
  }

  read(handle: number, into: Uint8Array): number {
    return this.#file(handle).read(view(into));
  }

  write(handle: number, bytes: Uint8Array): number {
    return this.#file(handle).write(bytes);
  }

  isReady(handle: number): boolean {
    return this.#file(handle).isReady();
  }

  #file(handle: number): OpenFile {
    const file = this.#open.get(handle);
    if (file === undefined) throw new Error(`the handle ${handle} is not open`);
    return file;
  }
}

/** What node:fs throws. */
export function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}

function view(octets: Uint8Array): DataView {
  return new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
}

function putText(into: DataView, at: number, text: string): void {
  for (const [index, code] of [...Buffer.from(text, 'latin1')].entries()) into.setUint8(at + index, code);
}

/** A GPIO chip; numbers and offsets as a C compiler has them from linux/gpio.h. */
export class FakeGpioChip {
  readonly #devices: FakeDevices;
  readonly #label: string;
  readonly high: boolean[];
  readonly #used = new Set<number>();
  readonly #queues = new Map<number, { activeLow: boolean; events: { at: number; rising: boolean }[] }>();
  /** Of the last request, microseconds. */
  debounce = 0;
  /** What the next events are stamped with, ms. */
  now = 0;

  constructor(devices: FakeDevices, name: string, label: string, lines: number) {
    this.#devices = devices;
    this.#label = label;
    this.high = Array.from({ length: lines }, () => false);
    devices.add(`/dev/${name}`, () => ({ ...NOTHING, ioctl: (request, argument) => this.#chip(request, argument) }));
  }

  pull(line: number, high: boolean): void {
    if (this.high[line] === high) return;
    this.high[line] = high;
    const queue = this.#queues.get(line);
    queue?.events.push({ at: this.now, rising: high !== queue.activeLow });
  }

  #chip(request: number, argument: DataView): number {
    if (request === 0x8044b401) {
      putText(argument, 0, 'gpiochip');
      putText(argument, 32, this.#label);
      argument.setUint32(64, this.high.length, true);
      return 0;
    }
    if (request !== 0xc250b407 || argument.byteLength !== 592) return -ENOTTY;
    const line = argument.getUint32(0, true);
    if (argument.getUint32(560, true) !== 1 || line >= this.high.length) return -EINVAL;
    if (this.#used.has(line)) return -EBUSY;
    const flags = Number(argument.getBigUint64(288, true));
    const activeLow = (flags & 2) !== 0;
    const output = (flags & 8) !== 0;
    // Edges and a debounce period are for inputs.
    if (output === ((flags & 4) !== 0) || (output && (flags & 0x30) !== 0)) return -EINVAL;
    for (let index = 0; index < argument.getUint32(296, true); index++) {
      const at = 320 + index * 24;
      const id = argument.getUint32(at, true);
      if ((argument.getBigUint64(at + 16, true) & 1n) === 0n) continue;
      if (id === 2) this.high[line] = (argument.getBigUint64(at + 8, true) === 1n) !== activeLow;
      else if (id === 3) this.debounce = argument.getUint32(at + 8, true);
      else return -EINVAL;
    }
    this.#used.add(line);
    if ((flags & 0x30) === 0x30) this.#queues.set(line, { activeLow, events: [] });
    argument.setInt32(588, this.#devices.adopt(this.#line(line, activeLow, output)), true);
    return 0;
  }

  #line(line: number, activeLow: boolean, output: boolean): OpenFile {
    const events = () => this.#queues.get(line)?.events ?? [];
    return {
      ...NOTHING,
      ioctl: (request, values) => {
        if (values.byteLength !== 16 || values.getBigUint64(8, true) !== 1n) return -EINVAL;
        if (request === 0xc010b40e) {
          values.setBigUint64(0, this.high[line] !== activeLow ? 1n : 0n, true);
          return 0;
        }
        if (request !== 0xc010b40f || !output) return -EINVAL;
        this.high[line] = (values.getBigUint64(0, true) === 1n) !== activeLow;
        return 0;
      },
      read: (into) => {
        const found = events().splice(0, Math.floor(into.byteLength / 48));
        for (const [index, { at, rising }] of found.entries()) {
          into.setBigUint64(index * 48, BigInt(at) * 1_000_000n, true);
          into.setUint32(index * 48 + 8, rising ? 1 : 2, true);
          into.setUint32(index * 48 + 12, line, true);
        }
        return found.length * 48;
      },
      isReady: () => events().length > 0,
      close: () => {
        this.#used.delete(line);
        this.#queues.delete(line);
      },
    };
  }
}

/** An input device with one key; numbers and offsets as a C compiler has them from linux/input.h. */
export class FakeInputDevice {
  readonly #code: number;
  #down = false;
  readonly #events: { type: number; code: number; value: number; at: number }[] = [];
  #monotonic = false;
  /** It was unplugged. */
  gone = false;
  now = 0;

  constructor(devices: FakeDevices, name: string, code: number, title: string) {
    this.#code = code;
    devices.add(`/dev/input/${name}`, () => {
      // Whoever opens it gets what happens from then on.
      this.#events.length = 0;
      return {
        ...NOTHING,
        ioctl: (request, argument) => this.#ioctl(request, argument, title),
        read: (into) => this.#read(into),
        isReady: () => this.gone || this.#events.length > 0,
      };
    });
  }

  press(down: boolean): void {
    this.#down = down;
    this.emit(1, this.#code, down ? 1 : 0);
    this.emit(0, 0, 0);
  }

  emit(type: number, code: number, value: number): void {
    this.#events.push({ type, code, value, at: this.now });
  }

  /** The kernel's buffer ran over. */
  lose(down: boolean): void {
    this.#down = down;
    this.emit(0, 3, 0);
  }

  #ioctl(request: number, argument: DataView, title: string): number {
    if (this.gone) return -19;
    if (request === 0x80404506) {
      putText(argument, 0, title);
      return title.length + 1;
    }
    if (request === 0x400445a0) {
      this.#monotonic = argument.getInt32(0, true) === 1;
      return 0;
    }
    if ((request !== 0x80604521 && request !== 0x80604518) || argument.byteLength !== 96) return -ENXIO;
    if (request === 0x80604521 || this.#down) argument.setUint8(this.#code >> 3, 1 << (this.#code & 7));
    return 96;
  }

  #read(into: DataView): number {
    if (this.gone) return -19;
    const found = this.#events.splice(0, Math.floor(into.byteLength / 24));
    for (const [index, { type, code, value, at }] of found.entries()) {
      const stamp = this.#monotonic ? at : at + 1e12;
      into.setBigInt64(index * 24, BigInt(Math.floor(stamp / 1000)), true);
      into.setBigInt64(index * 24 + 8, BigInt(Math.round((stamp % 1000) * 1000)), true);
      into.setUint16(index * 24 + 16, type, true);
      into.setUint16(index * 24 + 18, code, true);
      into.setInt32(index * 24 + 20, value, true);
    }
    return found.length * 24;
  }
}

/** A watchdog; numbers and offsets as a C compiler has them from linux/watchdog.h. */
export class FakeWatchdog {
  running = false;
  fed = 0;
  timeout = 60;
  #open = false;
  #magic = false;

  /** @param limits what it takes for a timeout, s. @param stops whether it knows the magic close. */
  constructor(devices: FakeDevices, path: string, { most = 3600, stops = true } = {}) {
    devices.add(path, () => {
      if (this.#open) throw systemError('EBUSY');
      this.#open = true;
      this.running = true;
      this.#magic = false;
      return {
        ...NOTHING,
        ioctl: (request, argument) => this.#ioctl(request, argument, most, stops),
        write: (bytes) => {
          this.#magic = bytes.includes('V'.charCodeAt(0));
          return bytes.length;
        },
        close: () => {
          this.#open = false;
          if (this.#magic && stops) this.running = false;
        },
      };
    });
  }

  #ioctl(request: number, argument: DataView, most: number, stops: boolean): number {
    if (request === 0x80285700) {
      argument.setUint32(0, 0x8080 | (stops ? 0x100 : 0), true);
      putText(argument, 8, 'Software Watchdog');
      return 0;
    }
    if (request === 0xc0045706) {
      const asked = argument.getInt32(0, true);
      if (asked > most) return -EINVAL;
      this.timeout = asked;
      return 0;
    }
    if (request === 0x80045707) {
      argument.setInt32(0, this.timeout, true);
      return 0;
    }
    if (request !== 0x80045705) return -ENOTTY;
    this.fed += 1;
    return 0;
  }
}
