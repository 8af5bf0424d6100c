/** Packet sockets (packet(7)): a copy of every packet that passes a device. */
import { HalError } from '../hal-error.ts';
import { assertInterfaceName } from '../names.ts';
import {
  CAPTURE_HEADROOM,
  type CapturedFrame,
  type CaptureStatistics,
  type PacketCapture,
  type PacketCaptureFactory,
} from '../packet-capture.ts';
import {
  AF_PACKET,
  ARPHRD_ETHER,
  ARPHRD_LOOPBACK,
  ETH_P_8021Q,
  ETH_P_ALL,
  ETH_P_IP,
  ETH_P_IPV6,
  MSG_TRUNC,
  PACKET_AUXDATA,
  PACKET_OUTGOING,
  PACKET_STATISTICS,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SO_TIMESTAMPNS,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SOL_PACKET,
  SOL_SOCKET,
  TP_STATUS_VLAN_TPID_VALID,
  TP_STATUS_VLAN_VALID,
} from './ffi/constants.ts';
import { EAGAIN, EINTR, errnoName } from './ffi/errno.ts';
import { SOCKADDR_LL, TIMESPEC, TPACKET_AUXDATA, TPACKET_STATS } from './ffi/layout.ts';
import { close, getsockopt, recvmsg, setIntegerOption, socket } from './ffi/libc.ts';
import { Message } from './ffi/message.ts';
import { bindPacketSocket, deviceIndex, hardwareType, noSuchDevice, packetSocketRefused } from './packet-device.ts';

/** Octets that wait in the kernel: some 900 whole packets, which an uplink of 100 Mbit/s brings in 100 ms. */
const RECEIVE_BUFFER = 4 * 1024 * 1024;

/** Destination and source of an Ethernet header, octets: a VLAN tag stands behind them. */
const ETHERNET_ADDRESSES = 12;

/** Packets of no interest that are passed over in one call. */
const MOST_PASSED_OVER = 64;

const NANOSECONDS = 1_000_000_000n;

export class LinuxPacketCaptureFactory implements PacketCaptureFactory {
  open(device: string): PacketCapture {
    assertInterfaceName(device);
    const first = openSocket(device, SOCK_RAW);
    const type = hardwareType(first, device);
    const index = deviceIndex(first, device);
    if (type === undefined || index === undefined) {
      close(first);
      throw noSuchDevice(device, 'capture on');
    }
    if (type === ARPHRD_ETHER || type === ARPHRD_LOOPBACK) {
      return begin(new LinuxPacketCapture(device, first, index, 'ethernet', type === ARPHRD_LOOPBACK));
    }
    // Whatever its header is, if it has any: the kernel takes it off.
    close(first);
    return begin(new LinuxPacketCapture(device, openSocket(device, SOCK_DGRAM), index, 'ip', false));
  }
}

/** Bound last, so that nothing of another device is ever in the socket. */
function begin(capture: LinuxPacketCapture): PacketCapture {
  const returned = capture.bind();
  if (returned >= 0) return capture;
  capture.close();
  throw refused(capture.device, errnoName(-returned));
}

/** A packet socket that hears nothing yet. @throws HalError */
function openSocket(device: string, type: number): number {
  const handle = socket(AF_PACKET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (handle < 0) throw refused(device, errnoName(-handle));
  if (setIntegerOption(handle, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER) < 0) {
    setIntegerOption(handle, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER);
  }
  setIntegerOption(handle, SOL_SOCKET, SO_TIMESTAMPNS, 1);
  setIntegerOption(handle, SOL_PACKET, PACKET_AUXDATA, 1);
  return handle;
}

class LinuxPacketCapture implements PacketCapture {
  readonly device: string;
  readonly link: 'ethernet' | 'ip';
  readonly #handle: number;
  readonly #index: number;
  /** On loopback each packet is seen twice: as it leaves, and as it comes. */
  readonly #loopback: boolean;
  readonly #message = new Message();
  readonly #counts = new Uint8Array(TPACKET_STATS.size);
  #passed = 0;
  #lost = 0;
  #removed = false;
  #gone = false;
  #closed = false;

  constructor(device: string, handle: number, index: number, link: 'ethernet' | 'ip', loopback: boolean) {
    this.device = device;
    this.link = link;
    this.#handle = handle;
    this.#index = index;
    this.#loopback = loopback;
  }

  get gone(): boolean {
    return this.#gone;
  }

  /** @returns what bind(2) does. */
  bind(): number {
    return bindPacketSocket(this.#handle, this.#index, ETH_P_ALL);
  }

  take(into: Uint8Array, frame: CapturedFrame): boolean {
    this.#assertOpen();
    const room = into.subarray(CAPTURE_HEADROOM);
    for (let count = 0; count < MOST_PASSED_OVER; count += 1) {
      this.#message.setPayload(room);
      this.#message.offerRoom();
      const received = recvmsg(this.#handle, this.#message.octets, MSG_TRUNC);
      if (received === -EINTR) continue;
      if (received === -EAGAIN) {
        this.#gone = this.#removed;
        return false;
      }
      // The device was set down, which may pass, or was removed: told before what came until then.
      if (received < 0) this.#removed = deviceIndex(this.#handle, this.device) !== this.#index;
      else if (!this.#isWanted()) this.#passed -= 1;
      else {
        frame.offset = CAPTURE_HEADROOM;
        frame.length = Math.min(received, room.length);
        frame.originalLength = received;
        frame.direction = this.#packetType() === PACKET_OUTGOING ? 'outbound' : 'inbound';
        frame.time = 0n;
        this.#message.eachControl((level, type, at) => this.#control(level, type, at, into, frame));
        return true;
      }
    }
    return false;
  }

  statistics(): CaptureStatistics {
    this.#assertOpen();
    if (getsockopt(this.#handle, SOL_PACKET, PACKET_STATISTICS, this.#counts) === TPACKET_STATS.size) {
      const view = new DataView(this.#counts.buffer);
      this.#passed += view.getUint32(TPACKET_STATS.packets, true);
      this.#lost += view.getUint32(TPACKET_STATS.drops, true);
    }
    return { passed: this.#passed, lost: this.#lost };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    close(this.#handle);
  }

  #packetType(): number {
    return this.#message.view.getUint8(this.#message.nameAt + SOCKADDR_LL.packetType);
  }

  #isWanted(): boolean {
    if (this.#loopback) return this.#packetType() !== PACKET_OUTGOING;
    if (this.link === 'ethernet') return true;
    const protocol = this.#message.view.getUint16(this.#message.nameAt + SOCKADDR_LL.protocol, false);
    return protocol === ETH_P_IP || protocol === ETH_P_IPV6;
  }

  #control(level: number, type: number, at: number, into: Uint8Array, frame: CapturedFrame): void {
    const { view } = this.#message;
    if (level === SOL_SOCKET && type === SO_TIMESTAMPNS) {
      const seconds = view.getBigInt64(at + TIMESPEC.seconds, true);
      frame.time = seconds * NANOSECONDS + view.getBigInt64(at + TIMESPEC.nanoseconds, true);
    } else if (level === SOL_PACKET && type === PACKET_AUXDATA && this.link === 'ethernet') {
      const status = view.getUint32(at + TPACKET_AUXDATA.status, true);
      if ((status & TP_STATUS_VLAN_VALID) === 0) return;
      const known = (status & TP_STATUS_VLAN_TPID_VALID) !== 0;
      const tagType = known ? view.getUint16(at + TPACKET_AUXDATA.vlanType, true) : ETH_P_8021Q;
      putTagBack(into, frame, tagType, view.getUint16(at + TPACKET_AUXDATA.vlanTag, true));
    }
  }

  /** The number of a closed handle may belong to another file by now. */
  #assertOpen(): void {
    if (this.#closed) throw new HalError(`The capture on ${this.device} is closed.`, 'EBADF');
  }
}

/** The kernel takes the outermost VLAN tag out of what it received: here it is put back where it stood. */
function putTagBack(into: Uint8Array, frame: CapturedFrame, tagType: number, tag: number): void {
  if (frame.length < ETHERNET_ADDRESSES) return;
  into.copyWithin(0, frame.offset, frame.offset + ETHERNET_ADDRESSES);
  const view = new DataView(into.buffer, into.byteOffset, into.byteLength);
  view.setUint16(ETHERNET_ADDRESSES, tagType);
  view.setUint16(ETHERNET_ADDRESSES + 2, tag);
  frame.offset = 0;
  frame.length += CAPTURE_HEADROOM;
  frame.originalLength += CAPTURE_HEADROOM;
}

function refused(device: string, code: string): HalError {
  return packetSocketRefused(`Packets on ${device} cannot be captured (${code}).`, code);
}
