/** A user packet through the forwarders of two machines, from TUN to TUN, without the kernel: in clear or inside ESP. */
import type { SaSpec, SessionSpec } from '../firmware/dataplane/data-plane.ts';
import { Forwarder } from '../firmware/dataplane/userspace/forwarder.ts';
import { HEADROOM, MAX_PACKET, TAILROOM } from '../firmware/dataplane/userspace/packet-room.ts';
import type { RandomSource } from '../firmware/protocol/machine.ts';
import type { PacketCipherFactory, PacketCipherSpec } from '../hal/packet-cipher.ts';

const L2TP = 1;
const ESP = 2;
const TUN = 1;
const POLICY = 1;
const SA = 1;
const PORT = 1701;
const ENCAPSULATION_PORT = 4500;
const LEFT = { outer: '192.0.2.1', inner: '10.0.0.1', spi: 0x1001 } as const;
const RIGHT = { outer: '192.0.2.2', inner: '10.0.0.2', spi: 0x1002 } as const;

type End = typeof LEFT | typeof RIGHT;
type Keys = Omit<PacketCipherSpec, 'direction'>;

export interface ForwardingOptions {
  /** Octets of the IP packet. */
  readonly octets: number;
  readonly random: RandomSource;
  /** In clear without. */
  readonly protection?: { readonly factory: PacketCipherFactory; readonly keys: Keys };
}

/** @returns what carries `times` packets. It throws when one does not arrive. */
export function forwarding(options: ForwardingOptions): (times: number) => void {
  const { octets, protection } = options;
  const socket = protection === undefined ? L2TP : ESP;
  const wire = new Uint8Array(MAX_PACKET);
  let onWire = 0;
  let delivered = 0;
  const send = (_: number, datagram: Uint8Array): undefined => {
    wire.set(datagram);
    onWire = datagram.length;
  };
  const deliver = (): boolean => {
    delivered += 1;
    return true;
  };
  const left = machine(options, LEFT, RIGHT, send, deliver);
  const right = machine(options, RIGHT, LEFT, send, deliver);
  const packet = udpPacket(octets);
  const buffer = new Uint8Array(HEADROOM + octets + TAILROOM);
  const origin = {
    offset: 0,
    length: 0,
    remoteAddress: LEFT.outer,
    remotePort: protection === undefined ? PORT : ENCAPSULATION_PORT,
    localAddress: RIGHT.outer,
    interfaceIndex: 1,
    trafficClass: 0,
    truncated: false,
  };
  return (times) => {
    delivered = 0;
    for (let i = 0; i < times; i++) {
      buffer.set(packet, HEADROOM);
      left.receivePacket(TUN, buffer, HEADROOM, octets, 0);
      origin.length = onWire;
      right.receiveDatagram(socket, wire, origin, 0);
    }
    if (delivered !== times) throw new Error(`${delivered} of ${times} packets arrived`);
  };
}

function machine(
  { random, protection }: ForwardingOptions,
  here: End,
  there: End,
  send: (socket: number, datagram: Uint8Array) => undefined,
  deliver: () => boolean,
): Forwarder {
  const ports = { send, sendByLine: () => true, deliver, controlRoom: () => true, event: () => {} };
  const factory = protection?.factory ?? NO_CIPHERS;
  const forwarder = new Forwarder(ports, factory, random);
  const socket = { family: 4, address: '0.0.0.0', mark: 0 } as const;
  const purpose = protection === undefined ? 'l2tp' : 'protected-l2tp';
  forwarder.table.addSocket({ ...socket, id: L2TP, purpose, port: PORT });
  forwarder.table.addSocket({ ...socket, id: ESP, purpose: 'udp-encapsulation', port: ENCAPSULATION_PORT });
  forwarder.table.addInterface({ id: TUN });
  if (protection !== undefined) {
    const policy = { key: POLICY, inside: { kind: 'l2tp', socket: L2TP } } as const;
    forwarder.putPolicy(policy, 0);
    forwarder.putSa(pair(protection.keys, here, there), 0);
    forwarder.putPolicy({ ...policy, sa: SA }, 0);
  }
  forwarder.table.putSession(session(here, there, protection === undefined ? {} : { bearer: POLICY }));
  return forwarder;
}

function session(here: End, there: End, bearer: { readonly bearer?: number }): SessionSpec {
  return {
    key: 1,
    socket: L2TP,
    path: { remote: { address: there.outer, port: PORT }, local: { address: here.outer, port: PORT }, ...bearer },
    localTunnelId: 1,
    localSessionId: 1,
    peerTunnelId: 1,
    peerSessionId: 1,
    lengthField: false,
    sequencing: false,
    network: {
      interface: TUN,
      protocolCompression: true,
      addressControlCompression: true,
      mtu: 1500,
      destinations: [`${there.inner}/32`],
      sources: [`${there.inner}/32`],
    },
  };
}

function pair(keys: Keys, here: End, there: End): SaSpec {
  const port = { protocol: 17, firstPort: PORT, lastPort: PORT };
  return {
    key: SA,
    policy: POLICY,
    socket: ESP,
    path: {
      remote: { address: there.outer, port: ENCAPSULATION_PORT },
      local: { address: here.outer, port: ENCAPSULATION_PORT },
    },
    mode: 'transport',
    inbound: { ...keys, spi: here.spi },
    outbound: { ...keys, spi: there.spi },
    extendedSequenceNumbers: false,
    lifetimes: {},
    localSelectors: [{ ...port, firstAddress: here.outer, lastAddress: here.outer }],
    remoteSelectors: [{ ...port, firstAddress: there.outer, lastAddress: there.outer }],
    followPeer: true,
  };
}

/** From the left to the right, without checksums, at which nobody looks here. */
function udpPacket(octets: number): Uint8Array {
  const packet = Buffer.alloc(octets, 0x5a);
  packet.writeUInt16BE(0x4500, 0);
  packet.writeUInt16BE(octets, 2);
  packet.writeUInt32BE(0, 4);
  packet.writeUInt32BE(0x4011_0000, 8);
  packet.set([...LEFT.inner.split('.'), ...RIGHT.inner.split('.')].map(Number), 12);
  return new Uint8Array(packet);
}

const noCipher = (): never => {
  throw new Error('nothing is encrypted in clear');
};
const NO_CIPHERS: PacketCipherFactory = { engine: 'none', open: noCipher, openAuthenticator: noCipher };
