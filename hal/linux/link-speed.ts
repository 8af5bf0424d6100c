/** Speed and duplex by ethtool's ioctl, which asks the driver. */
import type { LinkSpeed, LinkSpeeds } from '../link-speed.ts';
import { assertInterfaceName } from '../names.ts';
import { AF_INET, DUPLEX_FULL, ETHTOOL_GSET, SIOCETHTOOL, SOCK_CLOEXEC, SOCK_DGRAM } from './ffi/constants.ts';
import { ETHTOOL_CMD, IFREQ } from './ffi/layout.ts';
import { addressOf, close, ioctl, socket } from './ffi/libc.ts';

/** What a driver says that does not know: all bits set, in 16 bits or in 32. */
const UNKNOWN = [0, 0xffff, 0xffffffff];

export class LinuxLinkSpeeds implements LinkSpeeds {
  read(device: string): LinkSpeed | undefined {
    assertInterfaceName(device);
    // Of any family: it only leads to the devices. It is asked for so rarely that none is kept open.
    const handle = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (handle < 0) return undefined;
    try {
      const settings = new Uint8Array(ETHTOOL_CMD.size);
      const view = new DataView(settings.buffer);
      view.setUint32(ETHTOOL_CMD.command, ETHTOOL_GSET, true);
      const request = new Uint8Array(IFREQ.size);
      request.set(Buffer.from(device, 'latin1'), IFREQ.name);
      new DataView(request.buffer).setBigUint64(IFREQ.data, addressOf(settings), true);
      if (ioctl(handle, SIOCETHTOOL, request, IFREQ.size) < 0) return undefined;
      const high = view.getUint16(ETHTOOL_CMD.speedHigh, true);
      const megabits = high * 0x10000 + view.getUint16(ETHTOOL_CMD.speed, true);
      if (UNKNOWN.includes(megabits)) return undefined;
      return { megabits, fullDuplex: view.getUint8(ETHTOOL_CMD.duplex) === DUPLEX_FULL };
    } finally {
      close(handle);
    }
  }
}
