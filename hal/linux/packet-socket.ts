/** Packet sockets (packet(7)) of SOCK_DGRAM: the kernel reads and writes the Ethernet header. */
import { HalError } from '../hal-error.ts';
import { assertInterfaceName } from '../names.ts';
import {
  FRAMES_PER_TURN,
  type FrameDestination,
  formatMac,
  type PacketSocket,
  type PacketSocketEnd,
  type PacketSocketOptions,
  type PacketSockets,
  parseMac,
  type ReceivedFrame,
} from '../packet-socket.ts';
import { assertPacketSocketOptions, packetSendRefused } from '../packet-socket-words.ts';
import {
  AF_PACKET,
  ARPHRD_ETHER,
  MSG_DONTWAIT,
  MSG_TRUNC,
  PACKET_AUXDATA,
  PACKET_BROADCAST,
  PACKET_HOST,
  PACKET_MULTICAST,
  SO_ATTACH_FILTER,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOL_PACKET,
  SOL_SOCKET,
  TP_STATUS_CSUMNOTREADY,
} from './ffi/constants.ts';
import { EAGAIN, EINTR, errnoName, OWN_SEND_ERRORS, PENDING_ERROR_RETRIES } from './ffi/errno.ts';
import { SOCKADDR_LL, TPACKET_AUXDATA } from './ffi/layout.ts';
import { close, recvmsg, sendmsg, setIntegerOption, setsockopt, socket } from './ffi/libc.ts';
import { Message } from './ffi/message.ts';
import {
  bindPacketSocket,
  deviceIndex,
  deviceMac,
  deviceMtu,
  hardwareType,
  noSuchDevice,
  packetSocketRefused,
} from './packet-device.ts';
import { filterOption, udpPortProgram } from './packet-filter-program.ts';
import { type StopWatching, watchReadable } from './readable.ts';

/** Octets of the largest packet that is taken whole; a longer one is dropped. */
const LARGEST_PACKET = 65_535;

const DESTINATIONS: Readonly<Record<number, FrameDestination>> = {
  [PACKET_HOST]: 'host',
  [PACKET_BROADCAST]: 'broadcast',
  [PACKET_MULTICAST]: 'multicast',
};

export class LinuxPacketSockets implements PacketSockets {
  async open(options: PacketSocketOptions): Promise<PacketSocket> {
    const { device } = options;
    assertInterfaceName(device);
    assertPacketSocketOptions(options);
    const check = (returned: number): number => {
      if (returned >= 0) return returned;
      const code = errnoName(-returned);
      throw packetSocketRefused(`A packet socket on ${device} cannot be opened (${code}).`, code);
    };
    // Of protocol 0: it hears nothing before it is bound, which comes last.
    const handle = check(socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    try {
      const index = deviceIndex(handle, device);
      if (index === undefined) throw noSuchDevice(device, 'listen on');
      if (hardwareType(handle, device) !== ARPHRD_ETHER)
        throw new HalError(`${device} is no Ethernet device, which this needs: name another one.`, 'EINVAL');
      check(setIntegerOption(handle, SOL_PACKET, PACKET_AUXDATA, 1));
      if (options.udpPort !== undefined) check(attachFilter(handle, options.udpPort));
      check(bindPacketSocket(handle, index, options.etherType));
      const opened = new LinuxPacketSocket(handle, index, options);
      await opened.watch();
      return opened;
    } catch (error) {
      close(handle);
      throw error;
    }
  }
}

/** @returns what setsockopt(2) does. */
function attachFilter(handle: number, port: number): number {
  const { option } = filterOption(udpPortProgram(port));
  return setsockopt(handle, SOL_SOCKET, SO_ATTACH_FILTER, option, option.length);
}

class LinuxPacketSocket implements PacketSocket {
  readonly device: string;
  readonly #handle: number;
  readonly #index: number;
  readonly #etherType: number;
  readonly #incoming = new Message();
  readonly #outgoing = new Message();
  readonly #buffer = new Uint8Array(LARGEST_PACKET);
  readonly #ended = Promise.withResolvers<PacketSocketEnd>();
  #mac = '';
  #mtu = 0;
  #stopWatching: StopWatching | undefined;
  #closed = false;
  onFrame: ((frame: ReceivedFrame) => void) | undefined;

  constructor(handle: number, index: number, { device, etherType }: PacketSocketOptions) {
    this.device = device;
    this.#handle = handle;
    this.#index = index;
    this.#etherType = etherType;
  }

  async watch(): Promise<void> {
    this.#stopWatching = await watchReadable(this.#handle, () => this.#read());
  }

  get ended(): Promise<PacketSocketEnd> {
    return this.#ended.promise;
  }

  get mac(): string {
    if (!this.#closed) this.#mac = deviceMac(this.#handle, this.device) ?? this.#mac;
    return this.#mac;
  }

  get mtu(): number {
    if (!this.#closed) this.#mtu = deviceMtu(this.#handle, this.device) ?? this.#mtu;
    return this.#mtu;
  }

  send(destinationMac: string, payload: Uint8Array): HalError | undefined {
    const octets = parseMac(destinationMac);
    if (octets === undefined) return packetSendRefused(this.device, 'EINVAL');
    if (this.#closed) return packetSendRefused(this.device, 'EBADF');
    const { view, nameAt } = this.#outgoing;
    this.#outgoing.name.fill(0);
    view.setUint16(nameAt + SOCKADDR_LL.family, AF_PACKET, true);
    view.setUint16(nameAt + SOCKADDR_LL.protocol, this.#etherType, false);
    view.setInt32(nameAt + SOCKADDR_LL.interfaceIndex, this.#index, true);
    view.setUint8(nameAt + SOCKADDR_LL.addressLength, octets.length);
    this.#outgoing.name.set(octets, SOCKADDR_LL.address);
    this.#outgoing.setNameLength(SOCKADDR_LL.size);
    this.#outgoing.setPayload(payload);
    let code = '';
    for (let attempt = 0; attempt <= PENDING_ERROR_RETRIES; attempt += 1) {
      const returned = sendmsg(this.#handle, this.#outgoing.octets, MSG_DONTWAIT);
      if (returned >= 0) return undefined;
      code = errnoName(-returned);
      if (OWN_SEND_ERRORS.has(code)) break;
    }
    return packetSendRefused(this.device, code);
  }

  close(): void {
    this.#end('closed');
  }

  #end(end: PacketSocketEnd): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopWatching?.();
    close(this.#handle);
    this.#ended.resolve(end);
  }

  #read(): void {
    for (let count = 0; count < FRAMES_PER_TURN && !this.#closed; count += 1) {
      this.#incoming.offerRoom();
      this.#incoming.setPayload(this.#buffer);
      const received = recvmsg(this.#handle, this.#incoming.octets, MSG_DONTWAIT | MSG_TRUNC);
      if (received === -EAGAIN) return;
      if (received === -EINTR) continue;
      // The device was set down, which may pass, or was removed.
      if (received < 0) {
        if (deviceIndex(this.#handle, this.device) !== this.#index) this.#end('gone');
        continue;
      }
      this.#hand(received);
    }
  }

  #hand(length: number): void {
    const { view, nameAt, name } = this.#incoming;
    const destination = DESTINATIONS[view.getUint8(nameAt + SOCKADDR_LL.packetType)];
    const whole = view.getUint8(nameAt + SOCKADDR_LL.addressLength) === 6 && length <= this.#buffer.length;
    if (destination === undefined || !whole) return;
    let checksumPending = false;
    this.#incoming.eachControl((level, type, at) => {
      if (level !== SOL_PACKET || type !== PACKET_AUXDATA) return;
      checksumPending = (view.getUint32(at + TPACKET_AUXDATA.status, true) & TP_STATUS_CSUMNOTREADY) !== 0;
    });
    const sourceMac = formatMac(name.subarray(SOCKADDR_LL.address, SOCKADDR_LL.address + 6));
    this.onFrame?.({ sourceMac, destination, payload: this.#buffer.slice(0, length), checksumPending });
  }
}
