/** A cable and a TUN on which nothing passes by itself. */
import { writeFileSync } from 'node:fs';
import { AF_PACKET, ETH_P_IP, SOCK_CLOEXEC, SOCK_RAW } from '../../../hal/linux/ffi/constants.ts';
import { SOCKADDR_LL } from '../../../hal/linux/ffi/layout.ts';
import { bind, close, socket, write } from '../../../hal/linux/ffi/libc.ts';
import { LinuxPacketCaptureFactory } from '../../../hal/linux/packet-capture.ts';
import { LinuxTunFactory } from '../../../hal/linux/tun.ts';
import { LinuxUdpSocketFactory } from '../../../hal/linux/udp-socket.ts';
import { closeAll, type OpenWorld } from '../contract/contract.ts';
import { ip, ipQuietly } from '../contract/linux-worlds.ts';
import { frameOf, type PacketCaptureWorld, packetOf } from '../contract/packet-capture.ts';

/** Sends whole frames by a device. */
export class FrameSender {
  readonly #handle: number;

  constructor(device: string) {
    this.#handle = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    const address = new Uint8Array(SOCKADDR_LL.size);
    const view = new DataView(address.buffer);
    view.setUint16(SOCKADDR_LL.family, AF_PACKET, true);
    view.setUint16(SOCKADDR_LL.protocol, ETH_P_IP, false);
    view.setInt32(SOCKADDR_LL.interfaceIndex, Number(/^\d+/.exec(ip(`-o link show ${device}`))?.[0]), true);
    if (this.#handle < 0 || bind(this.#handle, address, address.length) < 0) throw new Error(`${device} sends nothing`);
  }

  send(frame: Uint8Array): void {
    const sent = write(this.#handle, frame, frame.length);
    if (sent !== frame.length) throw new Error(`a frame of ${frame.length} octets was not sent: ${sent}`);
  }

  close(): void {
    close(this.#handle);
  }
}

/** Sets a device up on which the kernel itself sends nothing. */
export function quietDevice(device: string): void {
  writeFileSync(`/proc/sys/net/ipv6/conf/${device}/disable_ipv6`, '1');
  ip(`link set ${device} up`);
}

export function linuxPacketCaptureWorld(): OpenWorld<PacketCaptureWorld> {
  ip('link add cvcab0 type veth peer name cvcab1');
  for (const device of ['cvcab0', 'cvcab1']) quietDevice(device);
  const tun = new LinuxTunFactory().open('cvtun0');
  quietDevice('cvtun0');
  ip('address add 10.66.0.1/24 dev cvtun0');
  const socket = new LinuxUdpSocketFactory().open({ family: 4, address: '10.66.0.1', port: 4000, mark: 0 });
  const senders = { inbound: new FrameSender('cvcab1'), outbound: new FrameSender('cvcab0') };
  const opened: { close(): void }[] = [senders.inbound, senders.outbound, socket, tun];
  const captures = new LinuxPacketCaptureFactory();
  return {
    world: {
      ethernet: 'cvcab0',
      tun: 'cvtun0',
      open: (device) => {
        const capture = captures.open(device);
        opened.push(capture);
        return capture;
      },
      passes: (device, direction, payload) => {
        if (device === 'cvcab0') senders[direction].send(frameOf(direction, payload));
        else if (direction === 'inbound') tun.write(packetOf('inbound', payload));
        else socket.send(payload, '10.66.0.2', 4000, '0.0.0.0');
      },
      removeTun: () => tun.close(),
    },
    close: () => {
      closeAll(opened);
      ipQuietly('link del cvcab0');
    },
  };
}
