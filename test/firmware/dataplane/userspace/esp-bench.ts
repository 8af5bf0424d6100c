/** Two forwarders with IPsec between them: what one sends, a test carries to the other. */
import type {
  DataPlaneEvent,
  PolicySpec,
  SaCounters,
  SaSpec,
  SessionSpec,
  SocketSpec,
} from '../../../../firmware/dataplane/data-plane.ts';
import { Forwarder } from '../../../../firmware/dataplane/userspace/forwarder.ts';
import type { DatagramOrigin } from '../../../../firmware/dataplane/userspace/forwarder-ports.ts';
import { HEADROOM, TAILROOM } from '../../../../firmware/dataplane/userspace/packet-room.ts';
import type { TrafficSelector } from '../../../../firmware/protocol/ike/ike-types.ts';
import type { UdpEndpoint, UdpPath } from '../../../../firmware/protocol/udp-path.ts';
import type { PacketCipherFactory } from '../../../../hal/packet-cipher.ts';
import { PortablePacketCipherFactory } from '../../../../hal/portable/packet-cipher.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';

/** Ids of sockets and of the one interface, the same at both ends. */
export const L2TP = 1;
export const PORT_4500 = 2;
export const RAW_ESP = 3;
export const IKE = 4;
export const TUN = 1;

export const LEFT = '192.0.2.1';
export const RIGHT = '198.51.100.2';

export interface Sent {
  readonly socket: number;
  readonly bytes: Uint8Array;
  readonly remote: UdpEndpoint;
  readonly fromAddress: string;
  readonly mayFragment: boolean;
  readonly trafficClass: number;
}

export function range(firstAddress: string, lastAddress = firstAddress, rest: Partial<TrafficSelector> = {}) {
  return { protocol: 0, firstPort: 0, lastPort: 0xffff, firstAddress, lastAddress, ...rest };
}

/** Keys that a number determines. */
export function keys(seed: number, encryption = 'aes128gcm16') {
  const random = new SeededRandom(seed);
  if (encryption === 'aes128gcm16') return { encryption, encryptionKey: random.bytes(20) };
  return { encryption, encryptionKey: random.bytes(32), integrity: 'sha256', integrityKey: random.bytes(32) };
}

export class EspEnd {
  readonly address: string;
  readonly peer: string;
  readonly sent: Sent[] = [];
  readonly delivered: { readonly to: number; readonly packet: Uint8Array }[] = [];
  readonly events: DataPlaneEvent[] = [];
  sendResult: string | undefined;
  tunTakes = true;
  room = Number.POSITIVE_INFINITY;
  strangerRoom = Number.POSITIVE_INFINITY;
  unprovenRoom = Number.POSITIVE_INFINITY;
  now = 0;
  readonly forwarder: Forwarder;
  readonly #left: boolean;

  constructor(address: string, peer: string, ciphers: PacketCipherFactory = new PortablePacketCipherFactory()) {
    this.address = address;
    this.peer = peer;
    this.#left = address === LEFT;
    this.forwarder = new Forwarder(
      {
        send: (socket, datagram, remote, fromAddress, mayFragment = false, trafficClass = 0) => {
          const bytes = datagram.slice();
          if (this.sendResult === undefined)
            this.sent.push({ socket, bytes, remote, fromAddress, mayFragment, trafficClass });
          return this.sendResult;
        },
        sendByLine: () => true,
        deliver: (to, packet) => {
          if (this.tunTakes) this.delivered.push({ to, packet: packet.slice() });
          return this.tunTakes;
        },
        controlRoom: (standing) =>
          this.events.length <
          { stranger: this.strangerRoom, known: Math.min(this.room, this.unprovenRoom), proven: this.room }[standing],
        event: (event) => this.events.push(event),
      },
      ciphers,
      new SeededRandom(7),
    );
    const family = address.includes(':') ? 6 : 4;
    const open = (id: number, purpose: SocketSpec['purpose'], port: number): void =>
      this.forwarder.table.addSocket({ id, purpose, family, address: '0.0.0.0', port, mark: 0 });
    open(L2TP, 'protected-l2tp', 1701);
    open(PORT_4500, 'udp-encapsulation', 4500);
    open(RAW_ESP, 'esp', 0);
    open(IKE, 'ike', 500);
    this.forwarder.table.addInterface({ id: TUN, address: '10.99.0.1' });
  }

  /** A policy for L2TP, and the pair that it sends by, if any. */
  protect(key: number, sa?: number): void {
    const spec: PolicySpec = { key, inside: { kind: 'l2tp', socket: L2TP }, ...(sa === undefined ? {} : { sa }) };
    this.forwarder.putPolicy(spec, this.now);
  }

  ipPolicy(key: number, sa?: number, inside: Partial<Extract<PolicySpec['inside'], { kind: 'ip' }>> = {}): void {
    const mine = [range('10.1.0.0', '10.1.255.255'), range('2001:db8::1')];
    const theirs = [range('10.2.0.0', '10.2.255.255'), range('2001:db8::2')];
    const [localSelectors, remoteSelectors] = this.#left ? [mine, theirs] : [theirs, mine];
    const whole = { kind: 'ip', interface: TUN, localSelectors, remoteSelectors, mtu: 1400, ...inside } as const;
    this.forwarder.putPolicy({ key, inside: whole, ...(sa === undefined ? {} : { sa }) }, this.now);
  }

  /** The pair `number` between the two ends, in transport mode and in UDP unless said otherwise. */
  sa(number: number, policy: number, rest: Partial<SaSpec> = {}, encryption?: string): SaSpec {
    const there = { ...keys(2 * number, encryption), spi: 0x1000 + number };
    const back = { ...keys(2 * number + 1, encryption), spi: 0x2000 + number };
    return {
      key: number,
      policy,
      socket: PORT_4500,
      path: { remote: { address: this.peer, port: 4500 }, local: { address: this.address, port: 4500 } },
      mode: 'transport',
      inbound: this.#left ? back : there,
      outbound: this.#left ? there : back,
      extendedSequenceNumbers: false,
      lifetimes: {},
      localSelectors: [range(this.address, this.address, { protocol: 17, firstPort: 1701, lastPort: 1701 })],
      remoteSelectors: [range(this.peer, this.peer, { protocol: 17 })],
      followPeer: false,
      ...rest,
    };
  }

  putSa(spec: SaSpec): void {
    this.forwarder.putSa(spec, this.now);
  }

  /** The path of L2TP under a policy. */
  l2tpPath(bearer: number, port = 1701): UdpPath {
    return { remote: { address: this.peer, port }, local: { address: this.address, port: 1701 }, bearer };
  }

  /** A session whose tunnel id is its key. */
  session(key: number, path: UdpPath, inner: string, rest: Partial<SessionSpec> = {}): void {
    this.forwarder.table.putSession({
      key,
      socket: L2TP,
      path,
      localTunnelId: key,
      localSessionId: 1,
      peerTunnelId: key,
      peerSessionId: 1,
      lengthField: false,
      sequencing: false,
      network: {
        interface: TUN,
        protocolCompression: true,
        addressControlCompression: true,
        mtu: 1400,
        destinations: [inner],
        sources: [inner],
      },
      ...rest,
    });
  }

  /** A datagram comes in, in a buffer that is larger than it. */
  receive(bytes: Uint8Array, origin: Partial<DatagramOrigin> = {}, socket = PORT_4500): void {
    const { offset = 0 } = origin;
    const buffer = new Uint8Array(offset + bytes.length + 50).fill(0xee);
    buffer.set(bytes, offset);
    const port = socket === PORT_4500 ? 4500 : 0;
    const from = { remoteAddress: this.peer, remotePort: port, localAddress: this.address, interfaceIndex: 3 };
    const whole = { offset, length: bytes.length, trafficClass: 0, truncated: false };
    this.forwarder.receiveDatagram(socket, buffer, { ...from, ...whole, ...origin }, this.now);
  }

  /** A packet comes out of the TUN. */
  packet(bytes: Uint8Array): void {
    const buffer = new Uint8Array(HEADROOM + bytes.length + TAILROOM).fill(0xee);
    buffer.set(bytes, HEADROOM);
    this.forwarder.receivePacket(TUN, buffer, HEADROOM, bytes.length, this.now);
  }

  /** A control message of the control plane. */
  control(path: UdpPath, message: Uint8Array): void {
    this.forwarder.sendDatagram(L2TP, path, message, this.now);
  }

  /** Virtual time passes, ms. */
  wait(milliseconds: number): void {
    this.now += milliseconds;
    this.forwarder.tick(this.now);
  }

  /** What was sent since the last call. */
  taken(): readonly Sent[] {
    return this.sent.splice(0);
  }

  saCounters(key: number): SaCounters | undefined {
    return this.forwarder.counters().sas.find((sa) => sa.key === key);
  }

  drops(): Record<string, number> {
    return nonZero(this.forwarder.counters().drops);
  }

  saDrops(key: number): Record<string, number> {
    return nonZero(this.saCounters(key)?.drops ?? {});
  }

  policyDrops(key: number): Record<string, number> {
    return nonZero(this.forwarder.counters().policies.find((policy) => policy.key === key)?.drops ?? {});
  }

  kinds(): readonly string[] {
    return this.events.map(({ kind }) => kind);
  }
}

/** Both ends with one policy for L2TP and its pair. */
export function protectedPair(rest: Partial<SaSpec> = {}, encryption?: string): readonly [EspEnd, EspEnd] {
  const ends = [new EspEnd(LEFT, RIGHT), new EspEnd(RIGHT, LEFT)] as const;
  for (const end of ends) {
    end.protect(1);
    end.putSa(end.sa(1, 1, rest, encryption));
    end.protect(1, 1);
  }
  return ends;
}

/** Both ends with one policy for IP packets and its pair. */
export function tunnelPair(rest: Partial<SaSpec> = {}): readonly [EspEnd, EspEnd] {
  const ends = [new EspEnd(LEFT, RIGHT), new EspEnd(RIGHT, LEFT)] as const;
  const [left, right] = [range('10.1.0.0', '10.1.255.255'), range('10.2.0.0', '10.2.255.255')];
  const [left6, right6] = [range('2001:db8::1'), range('2001:db8::2')];
  for (const end of ends) {
    const [mine, theirs] =
      end.address === LEFT
        ? [
            [left, left6],
            [right, right6],
          ]
        : [
            [right, right6],
            [left, left6],
          ];
    end.ipPolicy(1);
    end.putSa(end.sa(1, 1, { mode: 'tunnel', localSelectors: mine ?? [], remoteSelectors: theirs ?? [], ...rest }));
    end.ipPolicy(1, 1);
  }
  return ends;
}

/** Carries everything that was sent to the other end, as it is or changed. */
export function carry(from: EspEnd, to: EspEnd, origin: Partial<DatagramOrigin> = {}): number {
  const datagrams = from.taken();
  for (const { socket, bytes, fromAddress } of datagrams)
    to.receive(bytes, { remoteAddress: fromAddress, ...origin }, socket);
  return datagrams.length;
}

function nonZero(counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}
