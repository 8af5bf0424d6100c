/** A forwarder with recording ports, programmed with one socket, one interface and one session, for tests to vary. */
import type { DataPlaneEvent, SessionSpec } from '../../../../firmware/dataplane/data-plane.ts';
import { Forwarder } from '../../../../firmware/dataplane/userspace/forwarder.ts';
import type { DatagramOrigin } from '../../../../firmware/dataplane/userspace/forwarder-ports.ts';
import { HEADROOM } from '../../../../firmware/dataplane/userspace/packet-room.ts';
import type { UdpEndpoint } from '../../../../firmware/protocol/udp-path.ts';
import { PortablePacketCipherFactory } from '../../../../hal/portable/packet-cipher.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';

export const SOCKET = 1;
export const DNS_SOCKET = 2;
export const INTERFACE = 1;
export const PEER = '198.51.100.7';
export const LOCAL = '203.0.113.1';

export const NETWORK: NonNullable<SessionSpec['network']> = {
  interface: INTERFACE,
  protocolCompression: false,
  addressControlCompression: false,
  mtu: 1400,
  destinations: ['10.99.0.0/16'],
  sources: ['10.99.0.0/16'],
};

export const SESSION: SessionSpec = {
  key: 1,
  socket: SOCKET,
  path: { remote: { address: PEER, port: 1701 }, local: { address: LOCAL, port: 1701 } },
  localTunnelId: 10,
  localSessionId: 20,
  peerTunnelId: 30,
  peerSessionId: 40,
  lengthField: false,
  sequencing: false,
  network: NETWORK,
};

export interface SentDatagram {
  readonly socket: number;
  readonly bytes: Uint8Array;
  readonly remote: UdpEndpoint;
  readonly fromAddress: string;
  readonly trafficClass: number;
}

export class ForwarderBench {
  readonly sent: SentDatagram[] = [];
  readonly delivered: { readonly to: number; readonly packet: Uint8Array }[] = [];
  readonly events: DataPlaneEvent[] = [];
  /** What the kernel answers to a send. */
  sendResult: string | undefined;
  /** Whether the TUN takes packets. */
  tunTakes = true;
  /** Events for which the control thread has room. */
  room = Number.POSITIVE_INFINITY;
  strangerRoom = Number.POSITIVE_INFINITY;
  now = 0;

  readonly forwarder = new Forwarder(
    {
      send: (socket, datagram, remote, fromAddress, _mayFragment, trafficClass = 0) => {
        const bytes = datagram.slice();
        if (this.sendResult === undefined) this.sent.push({ socket, bytes, remote, fromAddress, trafficClass });
        return this.sendResult;
      },
      sendByLine: () => true,
      deliver: (to, packet) => {
        if (this.tunTakes) this.delivered.push({ to, packet: packet.slice() });
        return this.tunTakes;
      },
      controlRoom: (standing) => this.events.length < (standing === 'stranger' ? this.strangerRoom : this.room),
      event: (event) => this.events.push(event),
    },
    new PortablePacketCipherFactory(),
    new SeededRandom(1),
  );

  constructor(session: Partial<SessionSpec> = {}, network: Partial<typeof NETWORK> | undefined = {}) {
    const socket = { family: 4, address: '0.0.0.0', port: 1701, mark: 0 } as const;
    this.forwarder.table.addSocket({ ...socket, id: SOCKET, purpose: 'l2tp' });
    this.forwarder.table.addSocket({ ...socket, id: DNS_SOCKET, purpose: 'datagram', port: 5353 });
    this.forwarder.table.addInterface({ id: INTERFACE, address: '10.99.0.1' });
    this.forwarder.table.putSession({ ...SESSION, network: { ...NETWORK, ...network }, ...session });
  }

  /** The session as it is, without its network layer. */
  closeNetwork(): void {
    const { network: _, ...spec } = SESSION;
    this.forwarder.table.putSession(spec);
  }

  /** A datagram comes in, in a buffer that is larger than it. */
  datagram(bytes: Uint8Array, origin: Partial<DatagramOrigin> = {}, socket = SOCKET): void {
    const buffer = new Uint8Array(bytes.length + 50).fill(0xee);
    buffer.set(bytes);
    this.forwarder.receiveDatagram(
      socket,
      buffer,
      {
        offset: 0,
        length: bytes.length,
        remoteAddress: PEER,
        remotePort: 1701,
        localAddress: LOCAL,
        interfaceIndex: 3,
        trafficClass: 0,
        truncated: false,
        ...origin,
      },
      this.now,
    );
  }

  /** A packet comes out of the TUN. */
  packet(bytes: Uint8Array, from = INTERFACE): void {
    const buffer = new Uint8Array(HEADROOM + bytes.length + 50).fill(0xee);
    buffer.set(bytes, HEADROOM);
    this.forwarder.receivePacket(from, buffer, HEADROOM, bytes.length, this.now);
  }

  /** Drops of the session whose count is not zero. */
  sessionDrops(): Record<string, number> {
    return nonZero(this.forwarder.counters().sessions[0]?.drops ?? {});
  }

  /** Drops of no session whose count is not zero. */
  drops(): Record<string, number> {
    return nonZero(this.forwarder.counters().drops);
  }
}

function nonZero(counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

export interface MessageOptions {
  readonly tunnelId?: number;
  readonly sessionId?: number;
  /** L bit; a number: the value of the Length field. */
  readonly length?: true | number;
  /** S bit. */
  readonly ns?: number;
  /** O bit with so much padding. */
  readonly offset?: number;
  readonly priority?: boolean;
  readonly version?: number;
}

/** An L2TP data message put together by hand (RFC 2661 section 3.1). */
export function dataMessage(payload: Uint8Array, options: MessageOptions = {}): Uint8Array {
  const { tunnelId = 10, sessionId = 20, length, ns, offset, priority = false, version = 2 } = options;
  const fields: number[] = [];
  const u16 = (value: number): void => void fields.push(value >>> 8, value & 0xff);
  if (length !== undefined) u16(0);
  u16(tunnelId);
  u16(sessionId);
  if (ns !== undefined) {
    u16(ns);
    u16(0xabcd);
  }
  if (offset !== undefined) {
    u16(offset);
    fields.push(...new Array<number>(offset).fill(0x5a));
  }
  const bits =
    (length === undefined ? 0 : 0x4000) |
    (ns === undefined ? 0 : 0x0800) |
    (offset === undefined ? 0 : 0x0200) |
    (priority ? 0x0100 : 0) |
    version;
  const message = Buffer.from([bits >>> 8, bits & 0xff, ...fields, ...payload]);
  if (length !== undefined) message.writeUInt16BE(length === true ? message.length : length, 2);
  return new Uint8Array(message);
}

/** Payload behind a PPP header. */
export function pppFrame(header: readonly number[], information: Uint8Array): Uint8Array {
  return Uint8Array.of(...header, ...information);
}
