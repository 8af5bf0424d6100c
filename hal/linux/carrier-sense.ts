/** Carrier by ethtool's ioctl, which asks the driver; where a driver does not say, by the flags of netdevice(7). */
import type { CarrierSense, CarrierSenseFactory } from '../carrier-sense.ts';
import { HalError } from '../hal-error.ts';
import { assertInterfaceName } from '../names.ts';
import {
  AF_INET,
  ETHTOOL_GLINK,
  IFF_RUNNING,
  SIOCETHTOOL,
  SIOCGIFFLAGS,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
} from './ffi/constants.ts';
import { ENODEV, errnoName } from './ffi/errno.ts';
import { ETHTOOL_VALUE, IFREQ } from './ffi/layout.ts';
import { addressOf, close, ioctl, socket } from './ffi/libc.ts';

export class LinuxCarrierSenseFactory implements CarrierSenseFactory {
  open(): CarrierSense {
    // Of any family: it only leads to the devices.
    const handle = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (handle >= 0) return new LinuxCarrierSense(handle);
    const code = errnoName(-handle);
    throw new HalError(
      `Network devices cannot be asked for their carrier (${code}). Raise the limit of open files.`,
      code,
    );
  }
}

class LinuxCarrierSense implements CarrierSense {
  readonly #handle: number;
  readonly #request = new Uint8Array(IFREQ.size);
  readonly #value = new Uint8Array(ETHTOOL_VALUE.size);
  #closed = false;

  constructor(handle: number) {
    this.#handle = handle;
  }

  read(device: string): boolean | undefined {
    assertInterfaceName(device);
    if (this.#closed) throw new HalError('The sense of carriers is closed.', 'EBADF');
    const view = new DataView(this.#value.buffer);
    view.setUint32(ETHTOOL_VALUE.command, ETHTOOL_GLINK, true);
    const request = this.#named(device);
    request.setBigUint64(IFREQ.data, addressOf(this.#value), true);
    const returned = ioctl(this.#handle, SIOCETHTOOL, this.#request, IFREQ.size);
    if (returned >= 0) return view.getUint32(ETHTOOL_VALUE.data, true) !== 0;
    if (returned === -ENODEV) return undefined;
    const flags = this.#named(device);
    if (ioctl(this.#handle, SIOCGIFFLAGS, this.#request, IFREQ.size) < 0) return undefined;
    return (flags.getUint16(IFREQ.flags, true) & IFF_RUNNING) !== 0;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    close(this.#handle);
  }

  #named(device: string): DataView {
    this.#request.fill(0);
    this.#request.set(Buffer.from(device, 'latin1'), IFREQ.name);
    return new DataView(this.#request.buffer);
  }
}
