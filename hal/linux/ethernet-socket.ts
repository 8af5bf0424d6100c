/** Packet sockets (packet(7)) of SOCK_DGRAM without the control thread's loop, and without an allocation per frame. */
import type { EthernetFrameInfo, EthernetSocket, EthernetSocketFactory } from '../ethernet-socket.ts';
import { HalError } from '../hal-error.ts';
import { assertInterfaceName } from '../names.ts';
import {
  AF_PACKET,
  ARPHRD_ETHER,
  MSG_DONTWAIT,
  MSG_TRUNC,
  PACKET_HOST,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOL_SOCKET,
} from './ffi/constants.ts';
import { EAGAIN, EINTR, errnoName, OWN_SEND_ERRORS, PENDING_ERROR_RETRIES } from './ffi/errno.ts';
import { SOCKADDR_LL } from './ffi/layout.ts';
import { close, recvmsg, sendmsg, setIntegerOption, socket } from './ffi/libc.ts';
import { Message } from './ffi/message.ts';
import { bindPacketSocket, deviceIndex, hardwareType, noSuchDevice, packetSocketRefused } from './packet-device.ts';

/** Octets that wait in the kernel: 30 ms of a gigabit, in which the thread may have something else to do. */
const RECEIVE_BUFFER = 4 * 1024 * 1024;
/** Frames of no interest that are passed over in one call. */
const MOST_PASSED_OVER = 64;
const MAC_OCTETS = 6;

export class LinuxEthernetSocketFactory implements EthernetSocketFactory {
  open(device: string, etherType: number): EthernetSocket {
    assertInterfaceName(device);
    const check = (returned: number): number => {
      if (returned >= 0) return returned;
      const code = errnoName(-returned);
      throw packetSocketRefused(`A packet socket on ${device} cannot be opened (${code}).`, code);
    };
    // Of protocol 0: it hears nothing before it is bound, which comes last.
    const handle = check(socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    try {
      const index = deviceIndex(handle, device);
      if (index === undefined) throw noSuchDevice(device, 'carry PPPoE');
      if (hardwareType(handle, device) !== ARPHRD_ETHER)
        throw new HalError(`${device} is no Ethernet device, which this needs: name another one.`, 'EINVAL');
      if (setIntegerOption(handle, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER) < 0)
        setIntegerOption(handle, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER);
      check(bindPacketSocket(handle, index, etherType));
      return new LinuxEthernetSocket(device, handle, index, etherType);
    } catch (error) {
      close(handle);
      throw error;
    }
  }
}

class LinuxEthernetSocket implements EthernetSocket {
  readonly handle: number;
  readonly #device: string;
  readonly #index: number;
  readonly #incoming = new Message();
  readonly #outgoing = new Message();
  #closed = false;

  constructor(device: string, handle: number, index: number, etherType: number) {
    this.#device = device;
    this.handle = handle;
    this.#index = index;
    const { view, nameAt } = this.#outgoing;
    view.setUint16(nameAt + SOCKADDR_LL.family, AF_PACKET, true);
    view.setUint16(nameAt + SOCKADDR_LL.protocol, etherType, false);
    view.setInt32(nameAt + SOCKADDR_LL.interfaceIndex, index, true);
    view.setUint8(nameAt + SOCKADDR_LL.addressLength, MAC_OCTETS);
    this.#outgoing.setNameLength(SOCKADDR_LL.size);
  }

  receive(into: Uint8Array, info: EthernetFrameInfo): boolean {
    this.#assertOpen();
    const { view, nameAt, name } = this.#incoming;
    for (let count = 0; count < MOST_PASSED_OVER; count += 1) {
      this.#incoming.offerRoom();
      this.#incoming.setPayload(into);
      const received = recvmsg(this.handle, this.#incoming.octets, MSG_DONTWAIT | MSG_TRUNC);
      if (received === -EAGAIN) return false;
      if (received === -EINTR) continue;
      // The device was set down, which may pass, or was removed.
      if (received < 0) this.#assertThere();
      else if (view.getUint8(nameAt + SOCKADDR_LL.packetType) === PACKET_HOST) {
        info.length = received;
        for (let at = 0; at < MAC_OCTETS; at += 1) info.source[at] = name[SOCKADDR_LL.address + at] ?? 0;
        return true;
      }
    }
    return false;
  }

  send(destination: Uint8Array, payload: Uint8Array): string | undefined {
    this.#assertOpen();
    for (let at = 0; at < MAC_OCTETS; at += 1) this.#outgoing.name[SOCKADDR_LL.address + at] = destination[at] ?? 0;
    this.#outgoing.setPayload(payload);
    let code = '';
    for (let attempt = 0; attempt <= PENDING_ERROR_RETRIES; attempt += 1) {
      const returned = sendmsg(this.handle, this.#outgoing.octets, MSG_DONTWAIT);
      if (returned >= 0) return undefined;
      code = errnoName(-returned);
      if (OWN_SEND_ERRORS.has(code)) break;
    }
    return code;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    close(this.handle);
  }

  #assertThere(): void {
    if (deviceIndex(this.handle, this.#device) === this.#index) return;
    throw new HalError(`The network device ${this.#device} was removed.`, 'ENODEV');
  }

  /** The number of a closed handle may belong to another file by now. */
  #assertOpen(): void {
    if (this.#closed) throw new HalError(`The socket on ${this.#device} is closed.`, 'EBADF');
  }
}
