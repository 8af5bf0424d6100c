/** A wire under the kernel's sockets, and what they were set to. */
import assert from 'node:assert/strict';
import { SOL_SOCKET } from '../../../hal/linux/ffi/constants.ts';
import { getsockopt } from '../../../hal/linux/ffi/libc.ts';
import { LinuxTunFactory } from '../../../hal/linux/tun.ts';
import type { Tun } from '../../../hal/tun.ts';
import type { UdpSocket } from '../../../hal/udp-socket.ts';
import { ip } from '../contract/linux-worlds.ts';

/** Who is on the wire. */
export const PEER = '10.66.0.2';
export const ROUTER = '10.66.0.3';

export function integerOption(socket: UdpSocket, option: number): number {
  const value = new Uint8Array(4);
  assert.equal(getsockopt(socket.handle, SOL_SOCKET, option, value), 4);
  return new DataView(value.buffer).getUint32(0, true);
}

/** A wire: a TUN whose other end is the test. The host has 10.66.0.1 and 10.66.0.9 on it. */
export function withWire(use: (tun: Tun) => void): void {
  const tun = new LinuxTunFactory().open('cvwire');
  try {
    ip('link set cvwire mtu 1400 up');
    ip('address add 10.66.0.1/24 dev cvwire');
    ip('address add 10.66.0.9/24 dev cvwire');
    use(tun);
  } finally {
    tun.close();
  }
}
