/** Buttons that are keys of an input device, as the driver `gpio-keys` makes them (Documentation/input/input.rst). */
import type { Button, ButtonChange, ButtonPlace, Buttons } from '../buttons.ts';
import { HalError } from '../hal-error.ts';
import { type DeviceFiles, deviceFiles, failed } from './device-files.ts';
import {
  CLOCK_MONOTONIC,
  EV_KEY,
  EV_SYN,
  EVIOCGBIT_KEY,
  EVIOCGKEY,
  EVIOCGNAME,
  EVIOCSCLOCKID,
  INPUT_NAME_OCTETS,
  KEY_OCTETS,
  SYN_DROPPED,
} from './ffi/constants.ts';
import { INPUT_EVENT } from './ffi/layout.ts';
import { textOf } from './gpio-device.ts';
import { codeOf } from './sys-files.ts';

const FOLDER = '/dev/input';
/** Events that are read at once. */
const EVENTS = 64;
const REPEATED = 2;

/** Whether the machine has input devices at all. */
export function hasInputDevices(files: DeviceFiles = deviceFiles): boolean {
  return eventFiles(files).length > 0;
}

export class InputButtons implements Buttons {
  readonly #files: DeviceFiles;

  constructor(files: DeviceFiles = deviceFiles) {
    this.#files = files;
  }

  async open(place: ButtonPlace): Promise<Button> {
    if (place.kind !== 'key') throw new HalError('This button is no key of an input device.', 'ENODEV');
    let refusal: string | undefined;
    for (const name of eventFiles(this.#files)) {
      let handle: number;
      try {
        handle = this.#files.open(`${FOLDER}/${name}`, 'read');
      } catch (error) {
        refusal ??= codeOf(error);
        continue;
      }
      if (hasBit(keys(this.#files, handle, EVIOCGBIT_KEY), place.code)) return this.#button(name, handle, place.code);
      this.#files.close(handle);
    }
    if (refusal === undefined) {
      throw new HalError(
        `No input device of this machine has the key ${place.code}: correct the key in the description of the board.`,
        'ENODEV',
      );
    }
    throw new HalError(
      `The key ${place.code} is looked for in vain: an input device cannot be opened (${refusal}). ` +
        'Run this as root, or as a member of the group that owns the device ("input").',
      refusal,
    );
  }

  #button(name: string, handle: number, code: number): Button {
    const text = new Uint8Array(INPUT_NAME_OCTETS);
    const named = this.#files.ioctl(handle, EVIOCGNAME, text) > 0 ? textOf(text, 0, INPUT_NAME_OCTETS) : name;
    // Without it the stamps are of the wall clock, which somebody may set.
    const clock = new Uint8Array(Int32Array.of(CLOCK_MONOTONIC).buffer);
    const returned = this.#files.ioctl(handle, EVIOCSCLOCKID, clock);
    if (returned < 0) {
      this.#files.close(handle);
      throw gone(`key ${code} of ${named}`, failed(returned));
    }
    return new InputButton(this.#files, `key ${code} of ${named}`, handle, code);
  }
}

class InputButton implements Button {
  readonly place: string;
  readonly #files: DeviceFiles;
  readonly #handle: number;
  readonly #code: number;
  #open = true;

  constructor(files: DeviceFiles, place: string, handle: number, code: number) {
    this.#files = files;
    this.place = place;
    this.#handle = handle;
    this.#code = code;
  }

  get pressed(): boolean {
    this.#assertOpen();
    const down = keys(this.#files, this.#handle, EVIOCGKEY);
    if (typeof down === 'string') throw gone(this.place, down);
    return hasBit(down, this.#code);
  }

  changes(): readonly ButtonChange[] {
    this.#assertOpen();
    const changes: ButtonChange[] = [];
    const events = new Uint8Array(INPUT_EVENT.size * EVENTS);
    while (this.#files.isReady(this.#handle)) {
      const returned = this.#files.read(this.#handle, events);
      if (returned < INPUT_EVENT.size) throw gone(this.place, returned < 0 ? failed(returned) : 'ENODEV');
      for (let at = 0; at + INPUT_EVENT.size <= returned; at += INPUT_EVENT.size) {
        const change = this.#change(new DataView(events.buffer, at, INPUT_EVENT.size));
        if (change !== undefined) changes.push(change);
      }
    }
    return changes;
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#files.close(this.#handle);
  }

  #change(event: DataView): ButtonChange | undefined {
    const type = event.getUint16(INPUT_EVENT.type, true);
    const code = event.getUint16(INPUT_EVENT.code, true);
    const value = event.getInt32(INPUT_EVENT.value, true);
    const seconds = Number(event.getBigInt64(INPUT_EVENT.seconds, true));
    const at = seconds * 1000 + Number(event.getBigInt64(INPUT_EVENT.microseconds, true)) / 1000;
    // Events were lost: only how it is now can be told.
    if (type === EV_SYN && code === SYN_DROPPED) return { pressed: this.pressed, at };
    return type === EV_KEY && code === this.#code && value !== REPEATED ? { pressed: value === 1, at } : undefined;
  }

  /** The number of a closed handle may belong to another file by now. */
  #assertOpen(): void {
    if (!this.#open) throw new HalError(`The ${this.place} is closed.`, 'EBADF');
  }
}

/** By number, so that the same device is found first each time. */
function eventFiles(files: DeviceFiles): readonly string[] {
  const names = files.list(FOLDER).filter((name) => /^event\d+$/.test(name));
  return names.toSorted((one, other) => Number(one.slice(5)) - Number(other.slice(5)));
}

/** A bit map; the errno name when it cannot be read. */
function keys(files: DeviceFiles, handle: number, request: number): Uint8Array | string {
  const map = new Uint8Array(KEY_OCTETS);
  const returned = files.ioctl(handle, request, map);
  return returned < 0 ? failed(returned) : map;
}

function hasBit(map: Uint8Array | string, bit: number): boolean {
  return typeof map !== 'string' && ((map[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0;
}

function gone(place: string, code: string): HalError {
  return new HalError(`The button at ${place} cannot be read any more (${code}): its device is gone.`, code);
}
