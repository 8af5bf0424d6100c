/** An input device with keys that a program presses (include/uapi/linux/uinput.h). */
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import koffi from 'koffi';

export const KEY_RESTART = 408;

const UI_DEV_CREATE = 0x5501;
const UI_SET_EVBIT = 0x40045564;
const UI_SET_KEYBIT = 0x40045565;
const EV_SYN = 0;
const EV_KEY = 1;
/** struct uinput_user_dev: a name of 80 octets, then ids and axes that keys have none of. */
const DEVICE_OCTETS = 1116;
/** struct input_event of a 64-bit machine; the kernel puts in the time. */
const EVENT_OCTETS = 24;

const ioctl: (fd: number, request: number, argument: number) => number = koffi
  .load(null)
  .func('int ioctl(int fd, ulong request, ulong argument)');

export class UserInput {
  readonly #handle: number;

  constructor(name: string, ...keys: readonly number[]) {
    this.#handle = openSync('/dev/uinput', constants.O_RDWR | constants.O_NONBLOCK);
    const call = (request: number, argument: number): void => {
      if (ioctl(this.#handle, request, argument) < 0) throw new Error(`uinput refuses ${request.toString(16)}`);
    };
    call(UI_SET_EVBIT, EV_KEY);
    for (const key of keys) call(UI_SET_KEYBIT, key);
    const device = Buffer.alloc(DEVICE_OCTETS);
    device.write(name, 'latin1');
    writeSync(this.#handle, device);
    call(UI_DEV_CREATE, 0);
  }

  press(key: number, pressed: boolean): void {
    writeSync(this.#handle, Buffer.concat([event(EV_KEY, key, pressed ? 1 : 0), event(EV_SYN, 0, 0)]));
  }

  close(): void {
    closeSync(this.#handle);
  }
}

function event(type: number, code: number, value: number): Buffer {
  const octets = Buffer.alloc(EVENT_OCTETS);
  octets.writeUInt16LE(type, 16);
  octets.writeUInt16LE(code, 18);
  octets.writeInt32LE(value, 20);
  return octets;
}
