/** A user packet from TUN to TUN over a line, without the kernel: in frames of PPPoE, or coded for a serial line. */
import type { PppCarrier } from '../firmware/dataplane/ppp-carrier.ts';
import { Forwarder } from '../firmware/dataplane/userspace/forwarder.ts';
import type { Line, LineHost } from '../firmware/dataplane/userspace/line.ts';
import { HEADROOM, TAILROOM } from '../firmware/dataplane/userspace/packet-room.ts';
import { PppoeCarrier } from '../firmware/dataplane/userspace/pppoe-carrier.ts';
import { SerialCarrier } from '../firmware/dataplane/userspace/serial-carrier.ts';
import type { RandomSource } from '../firmware/protocol/machine.ts';
import type { PacketCipherFactory } from '../hal/packet-cipher.ts';

const LINE = 1;
const TUN = 1;
const PEER = Uint8Array.of(2, 0, 0, 0, 0, 1);

const noCipher = (): never => {
  throw new Error('nothing is encrypted here');
};
const NO_CIPHERS: PacketCipherFactory = { engine: 'none', open: noCipher, openAuthenticator: noCipher };

/** What one end has sent and the other has not taken. */
class Wire {
  readonly octets = new Uint8Array(64 * 1024);
  length = 0;

  send(octets: Uint8Array): void {
    this.octets.set(octets);
    this.length = octets.length;
  }

  /** @returns octets, 0 when there are none. */
  take(into: Uint8Array): number {
    const { length } = this;
    into.set(this.octets.subarray(0, length));
    this.length = 0;
    return length;
  }
}

function carrierOn(kind: PppCarrier['kind'], wire: Wire, host: LineHost): Line {
  if (kind === 'serial') {
    const write = (octets: Uint8Array): number => {
      wire.send(octets);
      return octets.length;
    };
    return new SerialCarrier({ handle: 0, read: (into) => wire.take(into) || -1, write }, host);
  }
  const socket = {
    handle: 0,
    receive: (into: Uint8Array, info: { length: number; readonly source: Uint8Array }) => {
      info.length = wire.take(into);
      info.source.set(PEER);
      return info.length > 0;
    },
    send: (_destination: Uint8Array, payload: Uint8Array): undefined => {
      wire.send(payload);
    },
    close: () => {},
  };
  return new PppoeCarrier(socket, PEER, 1, host);
}

/** @returns what carries `times` packets. It throws when one does not arrive. */
export function lineForwarding(
  kind: PppCarrier['kind'],
  { octets, random }: { readonly octets: number; readonly random: RandomSource },
): (times: number) => void {
  const wire = new Wire();
  let delivered = 0;
  const end = (): { readonly forwarder: Forwarder; readonly line: Line } => {
    const ports = {
      send: () => undefined,
      sendByLine: (_: number, bytes: Uint8Array, start: number, stop: number, control: boolean) =>
        line.send(bytes, start, stop, control),
      deliver: () => {
        delivered += 1;
        return true;
      },
      controlRoom: () => true,
      event: () => {},
    };
    const forwarder = new Forwarder(ports, NO_CIPHERS, random);
    const line = carrierOn(kind, wire, {
      frame: (bytes, at, stop, now) => forwarder.receiveFrame(LINE, bytes, at, stop, now),
      drop: () => {},
      otherSession: () => {},
      awaitRoom: () => {},
      ended: () => {},
    });
    line.setPeerAccm(0);
    forwarder.table.addInterface({ id: TUN });
    const network = { interface: TUN, protocolCompression: true, addressControlCompression: true, mtu: 1500 };
    const everywhere = { destinations: ['0.0.0.0/0'], sources: ['0.0.0.0/0'] };
    forwarder.putSession({ key: 1, line: LINE, network: { ...network, ...everywhere } }, 0);
    return { forwarder, line };
  };
  const [left, right] = [end(), end()];
  const packet = udpPacket(octets, random);
  const buffer = new Uint8Array(HEADROOM + octets + TAILROOM);
  return (times) => {
    delivered = 0;
    for (let i = 0; i < times; i++) {
      buffer.set(packet, HEADROOM);
      left.forwarder.receivePacket(TUN, buffer, HEADROOM, octets, 0);
      right.line.serve(0);
    }
    if (delivered !== times) throw new Error(`${delivered} of ${times} packets arrived`);
  };
}

/** With every octet in its payload as often: some 1 in 128 has to be escaped. */
function udpPacket(octets: number, random: RandomSource): Uint8Array {
  const packet = Buffer.from(random.bytes(octets));
  packet.writeUInt16BE(0x4500, 0);
  packet.writeUInt16BE(octets, 2);
  packet.writeUInt32BE(0, 4);
  packet.writeUInt32BE(0x4011_0000, 8);
  packet.set([10, 0, 0, 1, 10, 0, 0, 2], 12);
  return new Uint8Array(packet);
}
