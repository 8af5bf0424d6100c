/** TUN devices through /dev/net/tun. */
import { closeSync, constants, openSync } from 'node:fs';
import { HalError } from '../hal-error.ts';
import { assertInterfaceName } from '../names.ts';
import type { Tun, TunFactory } from '../tun.ts';
import { explainDenied } from './capabilities.ts';
import { IFF_NO_PI, IFF_TUN, IFF_TUN_EXCL, TUNSETIFF } from './ffi/constants.ts';
import { EAGAIN, EINTR, errnoName } from './ffi/errno.ts';
import { IFREQ } from './ffi/layout.ts';
import { ioctl, read, write } from './ffi/libc.ts';

const CLONE_DEVICE = '/dev/net/tun';

export class LinuxTunFactory implements TunFactory {
  open(name: string): Tun {
    assertInterfaceName(name);
    const handle = openCloneDevice(name);
    const request = new Uint8Array(IFREQ.size);
    request.set(Buffer.from(name, 'latin1'), IFREQ.name);
    new DataView(request.buffer).setUint16(IFREQ.flags, IFF_TUN | IFF_NO_PI | IFF_TUN_EXCL, true);
    const returned = ioctl(handle, TUNSETIFF, request, IFREQ.size);
    if (returned < 0) {
      closeSync(handle);
      throw refused(name, errnoName(-returned));
    }
    return new LinuxTun(name, handle);
  }
}

class LinuxTun implements Tun {
  readonly name: string;
  readonly handle: number;
  #closed = false;

  constructor(name: string, handle: number) {
    this.name = name;
    this.handle = handle;
  }

  read(into: Uint8Array): number {
    this.#assertOpen();
    const returned = read(this.handle, into, into.byteLength);
    if (returned >= 0) return returned;
    if (returned === -EAGAIN || returned === -EINTR) return -1;
    // Anything else lasts: the handle would stay ready for ever, and a caller that went on would spin.
    const code = errnoName(-returned);
    throw new HalError(
      `The TUN device ${this.name} gives no packets any more (${code}), so it was deleted from outside: ` +
        'restart what used it.',
      code,
    );
  }

  write(packet: Uint8Array): boolean {
    this.#assertOpen();
    return write(this.handle, packet, packet.byteLength) === packet.byteLength;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.handle);
  }

  /** The number of a closed handle may belong to another file by now. */
  #assertOpen(): void {
    if (this.#closed) throw new HalError(`The TUN device ${this.name} is closed.`, 'EBADF');
  }
}

function openCloneDevice(name: string): number {
  try {
    // The descriptor is close-on-exec: libuv adds O_CLOEXEC.
    return openSync(CLONE_DEVICE, constants.O_RDWR | constants.O_NONBLOCK);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (code !== 'EACCES' && code !== 'EPERM') throw refused(name, code);
    throw new HalError(
      `The TUN device ${name} cannot be created (${code}). This user may not open the file ${CLONE_DEVICE}: ` +
        'give it mode 0666, as udev does, and allow it in the container or service that Culvert runs in.',
      code,
    );
  }
}

function refused(name: string, code: string): HalError {
  const what = `The TUN device ${name} cannot be created (${code || 'unknown error'}).`;
  switch (code) {
    case 'EBUSY':
      return new HalError(`${what} A network interface of that name exists: remove it or choose another name.`, code);
    case 'EPERM':
    case 'EACCES':
      return new HalError(`${what} ${explainDenied('CAP_NET_ADMIN')}`, code);
    case 'ENOENT':
    case 'ENODEV':
    case 'ENXIO':
      return new HalError(`${what} The kernel has no ${CLONE_DEVICE}: load its module with "modprobe tun".`, code);
    case 'EMFILE':
    case 'ENFILE':
      return new HalError(`${what} Too many files are open: raise the limit of open files.`, code);
    default:
      return new HalError(`${what} The kernel log may say why.`, code);
  }
}
