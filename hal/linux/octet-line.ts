/** Raw descriptors: read(2) and write(2) on a terminal that somebody else has opened. */
import { HalError } from '../hal-error.ts';
import type { OctetLine, OctetLineFactory } from '../octet-line.ts';
import { EAGAIN, EINTR, errnoName } from './ffi/errno.ts';
import { read, write } from './ffi/libc.ts';

export class LinuxOctetLineFactory implements OctetLineFactory {
  adopt(descriptor: number): OctetLine {
    return new LinuxOctetLine(descriptor);
  }
}

class LinuxOctetLine implements OctetLine {
  readonly handle: number;

  constructor(handle: number) {
    this.handle = handle;
  }

  read(into: Uint8Array): number {
    const returned = read(this.handle, into, into.length);
    if (returned > 0) return returned;
    if (returned === -EAGAIN || returned === -EINTR) return -1;
    // A terminal that was hung up has an end; a raw one that is silent has none (termios(3), VMIN 1).
    if (returned === 0) throw new HalError('The line was hung up.', 'EPIPE');
    throw lost(-returned);
  }

  write(octets: Uint8Array): number {
    const returned = write(this.handle, octets, octets.length);
    if (returned >= 0) return returned;
    if (returned === -EAGAIN || returned === -EINTR) return 0;
    throw lost(-returned);
  }
}

function lost(errno: number): HalError {
  const code = errnoName(errno);
  return new HalError(`The line was unplugged or hung up (${code}).`, code);
}
