/** A watchdog through its device file (Documentation/watchdog/watchdog-api.rst). */
import { HalError } from '../hal-error.ts';
import type { Watchdog, Watchdogs } from '../watchdog.ts';
import { type DeviceFiles, deviceFiles, failed } from './device-files.ts';
import {
  WDIOC_GETSUPPORT,
  WDIOC_GETTIMEOUT,
  WDIOC_KEEPALIVE,
  WDIOC_SETTIMEOUT,
  WDIOF_MAGICCLOSE,
} from './ffi/constants.ts';
import { WATCHDOG_INFO } from './ffi/layout.ts';
import { textOf } from './gpio-device.ts';
import { codeOf } from './sys-files.ts';

/** Written before it is closed: it was meant, and no crash. */
const MAGIC = Uint8Array.of('V'.charCodeAt(0));

export class LinuxWatchdogs implements Watchdogs {
  readonly #files: DeviceFiles;

  constructor(files: DeviceFiles = deviceFiles) {
    this.#files = files;
  }

  open(device: string, timeoutSeconds: number): Watchdog {
    let handle: number;
    try {
      handle = this.#files.open(device, 'write');
    } catch (error) {
      throw refused(device, codeOf(error));
    }
    // It runs from here on, and is fed whatever else it does not know.
    const info = new Uint8Array(WATCHDOG_INFO.size);
    const told = this.#files.ioctl(handle, WDIOC_GETSUPPORT, info) >= 0;
    const identity = told ? textOf(info, WATCHDOG_INFO.identity, WATCHDOG_INFO.identitySize) : device;
    const options = new DataView(info.buffer).getUint32(WATCHDOG_INFO.options, true);
    const asked = number(this.#files, handle, WDIOC_SETTIMEOUT, timeoutSeconds);
    const actual = number(this.#files, handle, WDIOC_GETTIMEOUT, 0) ?? asked;
    // A driver that says nothing has a minute as a rule; to feed it as if it were less harms nobody.
    const seconds = actual !== undefined && actual > 0 ? actual : timeoutSeconds;
    return new LinuxWatchdog(this.#files, device, handle, identity, seconds, (options & WDIOF_MAGICCLOSE) !== 0);
  }
}

class LinuxWatchdog implements Watchdog {
  readonly identity: string;
  readonly timeoutSeconds: number;
  readonly #files: DeviceFiles;
  readonly #device: string;
  readonly #handle: number;
  readonly #stops: boolean;
  #open = true;

  constructor(
    files: DeviceFiles,
    device: string,
    handle: number,
    identity: string,
    timeoutSeconds: number,
    stops: boolean,
  ) {
    this.#files = files;
    this.#device = device;
    this.#handle = handle;
    this.identity = identity;
    this.timeoutSeconds = timeoutSeconds;
    this.#stops = stops;
  }

  feed(): void {
    if (!this.#open) throw new HalError(`The watchdog ${this.#device} is closed.`, 'EBADF');
    const returned = this.#files.ioctl(this.#handle, WDIOC_KEEPALIVE, new Uint8Array(4));
    if (returned < 0) throw refused(this.#device, failed(returned));
  }

  close(): { readonly running: boolean } {
    if (!this.#open) return { running: false };
    this.#open = false;
    const running = !this.#stops || this.#files.write(this.#handle, MAGIC) !== MAGIC.length;
    this.#files.close(this.#handle);
    return { running };
  }
}

/** An ioctl whose argument is an int that the kernel may change; `undefined`: the driver does not know it. */
function number(files: DeviceFiles, handle: number, request: number, value: number): number | undefined {
  const argument = new Uint8Array(4);
  const view = new DataView(argument.buffer);
  view.setInt32(0, value, true);
  return files.ioctl(handle, request, argument) < 0 ? undefined : view.getInt32(0, true);
}

function refused(device: string, code: string): HalError {
  const what = `The watchdog ${device} cannot be used (${code || 'unknown error'}).`;
  switch (code) {
    case 'ENOENT':
    case 'ENODEV':
      return new HalError(`${what} The machine has none, or its driver is not loaded.`, code);
    case 'EBUSY':
      return new HalError(
        `${what} Somebody else feeds it, such as systemd (RuntimeWatchdogSec): leave it to one.`,
        code,
      );
    case 'EACCES':
    case 'EPERM':
      return new HalError(`${what} Run this as root, or give the device to the user of this program.`, code);
    default:
      return new HalError(`${what} The kernel log may say why.`, code);
  }
}
