/** GPIO lines through the character device, version 2 of its interface (Documentation/userspace-api/gpio/chardev.rst). */
import { type Gpio, type GpioChange, type GpioInput, type GpioLine, type GpioOutput, gpioLineText } from '../gpio.ts';
import { HalError } from '../hal-error.ts';
import { type DeviceFiles, deviceFiles, failed } from './device-files.ts';
import {
  GPIO_GET_CHIPINFO_IOCTL,
  GPIO_V2_GET_LINE_IOCTL,
  GPIO_V2_LINE_ATTR_ID_DEBOUNCE,
  GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES,
  GPIO_V2_LINE_EVENT_RISING_EDGE,
  GPIO_V2_LINE_FLAG_ACTIVE_LOW,
  GPIO_V2_LINE_FLAG_EDGE_FALLING,
  GPIO_V2_LINE_FLAG_EDGE_RISING,
  GPIO_V2_LINE_FLAG_INPUT,
  GPIO_V2_LINE_FLAG_OUTPUT,
  GPIO_V2_LINE_GET_VALUES_IOCTL,
  GPIO_V2_LINE_SET_VALUES_IOCTL,
} from './ffi/constants.ts';
import {
  GPIO_V2_LINE_CONFIG_ATTRIBUTE,
  GPIO_V2_LINE_EVENT,
  GPIO_V2_LINE_REQUEST,
  GPIO_V2_LINE_VALUES,
  GPIOCHIP_INFO,
} from './ffi/layout.ts';
import { gpioRefused, noChip, noLine } from './gpio-errors.ts';
import { codeOf } from './sys-files.ts';

/** Who has the line, as `gpioinfo` shows it. */
const CONSUMER = 'culvert';
/** Changes that the kernel keeps for us between two looks. */
const EVENTS = 64;
const NANOSECONDS = 1_000_000n;

/** Chips that there are. */
export function gpioChips(files: DeviceFiles = deviceFiles): readonly string[] {
  return files.list('/dev').filter((name) => /^gpiochip\d+$/.test(name));
}

export class GpioDevice implements Gpio {
  readonly means = 'GPIO character device';
  readonly #files: DeviceFiles;

  constructor(files: DeviceFiles = deviceFiles) {
    this.#files = files;
  }

  async input(line: GpioLine, { debounceMs }: { readonly debounceMs: number }): Promise<GpioInput> {
    const edges = GPIO_V2_LINE_FLAG_EDGE_RISING | GPIO_V2_LINE_FLAG_EDGE_FALLING;
    const attribute = { id: GPIO_V2_LINE_ATTR_ID_DEBOUNCE, value: Math.round(debounceMs * 1000) };
    const attributes = debounceMs > 0 ? [attribute] : [];
    const handle = this.#request(line, GPIO_V2_LINE_FLAG_INPUT | edges, attributes);
    return new DeviceInput(this.#files, line, handle);
  }

  async output(line: GpioLine, { active }: { readonly active: boolean }): Promise<GpioOutput> {
    const attribute = { id: GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES, value: active ? 1 : 0 };
    return new DeviceOutput(this.#files, line, this.#request(line, GPIO_V2_LINE_FLAG_OUTPUT, [attribute]));
  }

  /** @returns the handle of the line. */
  #request(
    line: GpioLine,
    flags: number,
    attributes: readonly { readonly id: number; readonly value: number }[],
  ): number {
    const chip = this.#openChip(line);
    try {
      const request = new Uint8Array(GPIO_V2_LINE_REQUEST.size);
      const view = new DataView(request.buffer);
      view.setUint32(GPIO_V2_LINE_REQUEST.offsets, line.line, true);
      request.set(Buffer.from(CONSUMER, 'latin1'), GPIO_V2_LINE_REQUEST.consumer);
      const all = flags | (line.activeLow ? GPIO_V2_LINE_FLAG_ACTIVE_LOW : 0);
      view.setBigUint64(GPIO_V2_LINE_REQUEST.flags, BigInt(all), true);
      view.setUint32(GPIO_V2_LINE_REQUEST.attributeCount, attributes.length, true);
      for (const [index, { id, value }] of attributes.entries()) {
        const at = GPIO_V2_LINE_REQUEST.attributes + index * GPIO_V2_LINE_CONFIG_ATTRIBUTE.size;
        view.setUint32(at + GPIO_V2_LINE_CONFIG_ATTRIBUTE.id, id, true);
        view.setBigUint64(at + GPIO_V2_LINE_CONFIG_ATTRIBUTE.value, BigInt(value), true);
        view.setBigUint64(at + GPIO_V2_LINE_CONFIG_ATTRIBUTE.mask, 1n, true);
      }
      view.setUint32(GPIO_V2_LINE_REQUEST.lineCount, 1, true);
      view.setUint32(GPIO_V2_LINE_REQUEST.eventBufferSize, EVENTS, true);
      const returned = this.#files.ioctl(chip, GPIO_V2_GET_LINE_IOCTL, request);
      if (returned < 0) throw gpioRefused(line, failed(returned));
      return view.getInt32(GPIO_V2_LINE_REQUEST.handle, true);
    } finally {
      this.#files.close(chip);
    }
  }

  /** The chip with that label, and with that many lines. */
  #openChip(line: GpioLine): number {
    const labels: string[] = [];
    let refusal: HalError | undefined;
    for (const name of gpioChips(this.#files)) {
      let handle: number;
      try {
        handle = this.#files.open(`/dev/${name}`, 'both');
      } catch (error) {
        refusal ??= gpioRefused(line, codeOf(error));
        continue;
      }
      const info = new Uint8Array(GPIOCHIP_INFO.size);
      const returned = this.#files.ioctl(handle, GPIO_GET_CHIPINFO_IOCTL, info);
      const label = textOf(info, GPIOCHIP_INFO.label, GPIOCHIP_INFO.labelSize);
      const lines = new DataView(info.buffer).getUint32(GPIOCHIP_INFO.lines, true);
      if (returned >= 0 && label === line.chip && line.line < lines) return handle;
      this.#files.close(handle);
      if (returned >= 0 && label === line.chip) throw noLine(line, lines);
      if (returned >= 0) labels.push(label);
    }
    throw refusal ?? noChip(line, labels);
  }
}

/** What both directions have: a handle that is closed once. */
class DeviceLine {
  protected readonly files: DeviceFiles;
  protected readonly line: GpioLine;
  protected readonly handle: number;
  #open = true;

  constructor(files: DeviceFiles, line: GpioLine, handle: number) {
    this.files = files;
    this.line = line;
    this.handle = handle;
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.files.close(this.handle);
  }

  /** The number of a closed handle may belong to another file by now. */
  protected assertOpen(): void {
    if (!this.#open) throw new HalError(`${gpioLineText(this.line)} is closed.`, 'EBADF');
  }

  protected values(request: number, bits: bigint): bigint {
    this.assertOpen();
    const values = new Uint8Array(GPIO_V2_LINE_VALUES.size);
    const view = new DataView(values.buffer);
    view.setBigUint64(GPIO_V2_LINE_VALUES.bits, bits, true);
    view.setBigUint64(GPIO_V2_LINE_VALUES.mask, 1n, true);
    const returned = this.files.ioctl(this.handle, request, values);
    if (returned < 0) throw gpioRefused(this.line, failed(returned));
    return view.getBigUint64(GPIO_V2_LINE_VALUES.bits, true);
  }
}

class DeviceOutput extends DeviceLine implements GpioOutput {
  set(active: boolean): void {
    this.values(GPIO_V2_LINE_SET_VALUES_IOCTL, active ? 1n : 0n);
  }
}

class DeviceInput extends DeviceLine implements GpioInput {
  get active(): boolean {
    return (this.values(GPIO_V2_LINE_GET_VALUES_IOCTL, 0n) & 1n) === 1n;
  }

  changes(): readonly GpioChange[] {
    this.assertOpen();
    const changes: GpioChange[] = [];
    const events = new Uint8Array(GPIO_V2_LINE_EVENT.size * EVENTS);
    const view = new DataView(events.buffer);
    // The handle blocks: it is read when it has something, and then the kernel gives what it has.
    while (this.files.isReady(this.handle)) {
      const returned = this.files.read(this.handle, events);
      if (returned < GPIO_V2_LINE_EVENT.size) throw gpioRefused(this.line, returned < 0 ? failed(returned) : 'ENODEV');
      for (let at = 0; at + GPIO_V2_LINE_EVENT.size <= returned; at += GPIO_V2_LINE_EVENT.size) {
        const nanoseconds = view.getBigUint64(at + GPIO_V2_LINE_EVENT.timestamp, true);
        const active = view.getUint32(at + GPIO_V2_LINE_EVENT.id, true) === GPIO_V2_LINE_EVENT_RISING_EDGE;
        changes.push({ active, at: Number(nanoseconds / NANOSECONDS) });
      }
    }
    return changes;
  }
}

/** A text of C, which ends at a zero. */
export function textOf(octets: Uint8Array, at: number, size: number): string {
  const text = Buffer.from(octets.subarray(at, at + size)).toString('latin1');
  const end = text.indexOf('\0');
  return end < 0 ? text : text.slice(0, end);
}
