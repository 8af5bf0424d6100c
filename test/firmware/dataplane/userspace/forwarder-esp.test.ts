/** L2TP inside ESP in transport mode, both ways. */
import { describe, expect, it } from 'vitest';
import { natKeepalive, withNonEspMarker } from '../../../../firmware/protocol/esp/udp-encapsulation.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';
import { carry, EspEnd, IKE, L2TP, LEFT, PORT_4500, protectedPair, RAW_ESP, RIGHT, range } from './esp-bench.ts';
import { ipv4Packet } from './packets.ts';

const CONTROL = Uint8Array.from([0xc8, 0x02, 0, 12, 0, 10, 0, 0, 0, 0, 0, 0]);
const THERE = ipv4Packet({ source: '10.99.0.1', destination: '10.99.0.2' });
const BACK = ipv4Packet({ source: '10.99.0.2', destination: '10.99.0.1' });

/** Both ends of a pair with a session from 10.99.0.1 on the left to 10.99.0.2 on the right. */
function connected(...args: Parameters<typeof protectedPair>): readonly [EspEnd, EspEnd] {
  const [left, right] = protectedPair(...args);
  left.session(1, left.l2tpPath(1), '10.99.0.2');
  right.session(1, right.l2tpPath(1), '10.99.0.1');
  return [left, right];
}

describe('L2TP under a policy', () => {
  it.each(['aes128gcm16', 'aes256'])('goes from TUN to TUN both ways, encrypted (%s)', (encryption) => {
    const [left, right] = connected({}, encryption);
    left.packet(THERE);
    right.packet(BACK);
    for (const { sent } of [left, right]) {
      expect(sent).toHaveLength(1);
      expect(Buffer.from(sent[0]?.bytes ?? []).includes(Buffer.from(THERE.subarray(8)))).toBe(false);
    }
    expect(left.sent[0]).toMatchObject({
      socket: PORT_4500,
      remote: { address: RIGHT, port: 4500 },
      fromAddress: LEFT,
    });
    carry(left, right);
    carry(right, left);
    expect(right.delivered).toEqual([{ to: 1, packet: THERE }]);
    expect(left.delivered).toEqual([{ to: 1, packet: BACK }]);
    // UDP, L2TP and PPP headers are payload of the SA.
    const octets = 8 + 6 + 1 + THERE.length;
    const counters = { packetsSent: 1, octetsSent: octets, packetsReceived: 1, octetsReceived: octets };
    expect(left.saCounters(1)).toMatchObject(counters);
    expect(right.saCounters(1)).toMatchObject(counters);
    expect(left.forwarder.counters().sessions[0]).toMatchObject({ packetsSent: 1, packetsReceived: 1 });
    expect([left.saDrops(1), left.policyDrops(1), left.drops()]).toEqual([{}, {}, {}]);
  });

  it('puts the DSCP of the session on the ESP packets', () => {
    const [left] = protectedPair();
    left.session(1, left.l2tpPath(1), '10.99.0.2', { dscp: 46 });
    left.packet(THERE);
    expect(left.sent.map(({ trafficClass }) => trafficClass)).toEqual([46 << 2]);
  });

  it('hands control messages up with the policy as bearer and the inner port', () => {
    const [left, right] = protectedPair();
    left.control(left.l2tpPath(1, 1701), CONTROL);
    carry(left, right);
    expect(right.events).toEqual([
      { kind: 'sa-received', sa: 1 },
      {
        kind: 'datagram',
        socket: L2TP,
        path: { remote: { address: LEFT, port: 1701 }, local: { address: RIGHT, port: 1701 }, bearer: 1 },
        bytes: CONTROL,
        interfaceIndex: 0,
      },
    ]);
  });

  it('sends to the inner port of the path, not to that of ESP', () => {
    const [left, right] = protectedPair();
    const wide = { localSelectors: [range(RIGHT)], remoteSelectors: [range(LEFT)] };
    right.putSa(right.sa(1, 1, wide));
    left.putSa(left.sa(1, 1, { remoteSelectors: [range(RIGHT)] }));
    left.control(left.l2tpPath(1, 40_000), CONTROL);
    carry(left, right);
    expect(right.kinds()).toEqual(['sa-received']);
    expect(right.saDrops(1)).toEqual({ wrongInside: 1 });
  });

  it('carries PPP frames of the control plane', () => {
    const [left, right] = connected();
    left.forwarder.sendPppFrame(1, Uint8Array.of(0xc0, 0x21, 9, 1, 0, 4), 0);
    carry(left, right);
    expect(right.events.at(-1)).toEqual({
      kind: 'ppp-frame',
      session: 1,
      frame: Uint8Array.of(0xc0, 0x21, 9, 1, 0, 4),
    });
  });

  it('goes by raw ESP sockets, whose payload stands behind an IP header', () => {
    const raw = (end: EspEnd) => ({
      socket: RAW_ESP,
      path: { remote: { address: end.peer, port: 0 }, local: { address: end.address, port: 0 } },
    });
    const [left, right] = connected();
    for (const end of [left, right]) end.putSa(end.sa(1, 1, raw(end)));
    left.packet(THERE);
    expect(left.sent[0]).toMatchObject({ socket: RAW_ESP, remote: { address: RIGHT, port: 0 } });
    carry(left, right, { offset: 20 });
    expect(right.delivered).toEqual([{ to: 1, packet: THERE }]);
  });

  it('has a checksum in its UDP header where the selectors are of IPv6, and none where they are of IPv4', () => {
    const sums: number[] = [];
    for (const [left, right] of [
      ['2001:db8::1', '2001:db8::2'],
      [LEFT, RIGHT],
    ] as const) {
      const ends = protectedPair();
      const port = { protocol: 17, firstPort: 1701, lastPort: 1701 };
      const [sender, receiver] = ends;
      sender.putSa(sender.sa(1, 1, { localSelectors: [range(left, left, port)], remoteSelectors: [range(right)] }));
      const spec = { localSelectors: [range(right)], remoteSelectors: [range(left)] };
      receiver.putSa(receiver.sa(1, 1, spec));
      sender.control(sender.l2tpPath(1), CONTROL);
      const opened = { offset: 0, length: 0, nextHeader: 0 };
      const pair = receiver.forwarder.sas.pair(1);
      const bytes = sender.sent[0]?.bytes ?? new Uint8Array();
      expect(pair?.inbound.open(bytes, 0, bytes.length, pair.outer, 0, opened)).toBe('deliver');
      const datagram = Buffer.from(bytes.subarray(opened.offset, opened.offset + opened.length));
      expect(datagram.readUInt16BE(4)).toBe(20);
      sums.push(datagram.readUInt16BE(6));
    }
    // By hand: 2 * 2001 + 2 * 0db8 + 1 + 2, 11 + 14, 06a5 + 06a5 + 14, c802 + c + a, complemented.
    const words = [0x2001, 0x2001, 0x0db8, 0x0db8, 1, 2, 17, 20, 1701, 1701, 20, 0xc802, 12, 10];
    let sum = words.reduce((total, word) => total + word, 0);
    sum = (sum & 0xffff) + (sum >>> 16);
    expect(sums).toEqual([~sum & 0xffff, 0]);
  });
});

describe('a peer that has proved who it is', () => {
  it('is heard although strangers, or forgers of its address, have filled their part of the queue', () => {
    const [left, right] = connected();
    left.control(left.l2tpPath(1), CONTROL);
    right.strangerRoom = 0;
    right.unprovenRoom = 0;
    right.receive(new Uint8Array(28), {}, IKE);
    carry(left, right);
    expect(right.events.map((event) => event.kind === 'datagram' && event.socket)).toContain(L2TP);
    expect(right.drops()).toEqual({ controlOverload: 1 });
  });

  it('may hand up so many control messages a second, and its neighbours theirs', () => {
    const [left, right] = connected();
    const messages = (): number => right.events.splice(0).filter(({ kind }) => kind === 'datagram').length;
    const flood = (): number => {
      for (let count = 0; count < 1000; count++) left.control(left.l2tpPath(1), CONTROL);
      carry(left, right);
      return messages();
    };
    expect(flood()).toBe(250);
    expect(right.policyDrops(1)).toEqual({ controlRate: 750 });
    for (const end of [left, right]) {
      end.protect(2);
      end.putSa(end.sa(2, 2));
      end.protect(2, 2);
    }
    left.control(left.l2tpPath(2), CONTROL);
    carry(left, right);
    expect(messages()).toBe(1);
    right.now += 100;
    expect(flood()).toBe(50);
  });
});

describe('several peers on one protected socket', () => {
  it('with the same address and port are told apart by their bearers', () => {
    const server = new EspEnd(RIGHT, LEFT);
    // Two clients behind one NAT: both are LEFT, both send from 1701 inside, only the outer ports differ.
    const clients = [1, 2].map((number) => {
      const client = new EspEnd(LEFT, RIGHT);
      client.protect(number);
      client.putSa(client.sa(number, number));
      client.protect(number, number);
      client.session(number, client.l2tpPath(number), '10.99.0.2');
      const natPort = 40_000 + number;
      server.protect(number);
      const path = { remote: { address: LEFT, port: natPort }, local: { address: RIGHT, port: 4500 } };
      server.putSa(server.sa(number, number, { path }));
      server.protect(number, number);
      server.session(number, server.l2tpPath(number), `10.99.1.${number}`);
      return { client, number, natPort };
    });
    for (const { client, number, natPort } of clients) {
      client.packet(ipv4Packet({ source: `10.99.1.${number}`, destination: '10.99.0.2' }));
      client.control(client.l2tpPath(number), CONTROL);
      carry(client, server, { remotePort: natPort });
    }
    expect(server.delivered.map(({ packet }) => packet[15])).toEqual([1, 2]);
    const paths = server.events.flatMap((event) => (event.kind === 'datagram' ? [event.path] : []));
    expect(paths.map(({ bearer }) => bearer)).toEqual([1, 2]);
    expect(paths[0]?.remote).toEqual(paths[1]?.remote);
    for (const { number } of clients) {
      server.packet(ipv4Packet({ source: '10.99.0.2', destination: `10.99.1.${number}` }));
    }
    expect(server.taken().map(({ remote }) => remote.port)).toEqual([40_001, 40_002]);
    expect(server.drops()).toEqual({});
  });

  it("cannot use each other's sessions", () => {
    const [left, right] = protectedPair();
    for (const end of [left, right]) {
      end.protect(2);
      end.putSa(end.sa(2, 2));
      end.protect(2, 2);
    }
    left.session(1, left.l2tpPath(2), '10.99.0.2');
    right.session(1, right.l2tpPath(1), '10.99.0.1');
    left.packet(THERE);
    carry(left, right);
    expect(right.delivered).toEqual([]);
    expect(right.drops()).toEqual({ wrongPeer: 1 });
  });
});

describe('sessions in clear and protected ones', () => {
  it("do not accept each other's messages", () => {
    const [left, right] = connected();
    const clear = { id: 9, purpose: 'l2tp', family: 4, address: '0.0.0.0', port: 1701, mark: 0 } as const;
    for (const end of [left, right]) end.forwarder.table.addSocket(clear);
    const { bearer: _, ...path } = right.l2tpPath(1);
    right.session(2, path, '10.99.0.1', { socket: 9 });
    left.session(2, left.l2tpPath(1), '10.99.0.2');
    left.packet(THERE);
    carry(left, right);
    // Session 2 of the right lives on another socket.
    expect(right.drops()).toEqual({ unknownSession: 1 });
    right.session(2, path, '10.99.0.1');
    left.packet(THERE);
    carry(left, right);
    expect(right.drops()).toEqual({ unknownSession: 1, wrongPeer: 1 });
    expect(right.delivered).toEqual([]);
  });
});

describe('what comes out of an SA', () => {
  /** Sends a payload through the pair as a peer might that keeps to no rule. */
  function sendRaw(from: EspEnd, to: EspEnd, payload: Uint8Array, nextHeader = 17): void {
    const bytes = new Uint8Array(200 + payload.length);
    bytes.set(payload, 100);
    const into = { offset: 0, length: 0 };
    from.forwarder.sas.pair(1)?.outbound.seal(bytes, 100, payload.length, nextHeader, 0, into);
    to.receive(bytes.slice(into.offset, into.offset + into.length));
  }
  const ANY = { localSelectors: [range(RIGHT)], remoteSelectors: [range(LEFT)] };
  const datagram = (length: number, port = 1701) =>
    Uint8Array.from([0x06, 0xa5, port >> 8, port & 255, length >> 8, length & 255, 0xde, 0xad, ...CONTROL]);

  it('must be UDP of a sane length to the port of the socket, whatever its checksum says', () => {
    const [left, right] = protectedPair();
    right.putSa(right.sa(1, 1, ANY));
    sendRaw(left, right, datagram(20));
    expect(right.kinds()).toEqual(['sa-received', 'datagram']);
    for (const [payload, next] of [
      [datagram(20), 6],
      [datagram(7), 17],
      [datagram(21), 17],
      [datagram(0), 17],
      [datagram(20, 1702), 17],
      [datagram(20).subarray(0, 7), 17],
      [new Uint8Array(), 17],
    ] as const) {
      sendRaw(left, right, payload, next);
    }
    expect(right.events).toHaveLength(2);
    expect(right.saDrops(1)).toEqual({ wrongInside: 7 });
  });

  it('ends where the UDP header says', () => {
    const [left, right] = protectedPair();
    sendRaw(left, right, Uint8Array.from([...datagram(20), 1, 2, 3]));
    expect(right.events.at(-1)).toMatchObject({ bytes: CONTROL });
  });

  it('must be allowed by the selectors', () => {
    const [left, right] = protectedPair();
    left.putSa(left.sa(1, 1, { localSelectors: [range(LEFT)] }));
    sendRaw(left, right, datagram(20, 1702));
    expect(right.saDrops(1)).toEqual({ selectors: 1 });
  });

  it('is taken once, and not when it was damaged', () => {
    const [left, right] = connected();
    left.packet(THERE);
    const [first] = left.taken();
    const damaged = first?.bytes.slice() ?? new Uint8Array();
    damaged[30] = (damaged[30] ?? 0) ^ 1;
    right.receive(damaged);
    right.receive(first?.bytes ?? new Uint8Array());
    right.receive(first?.bytes ?? new Uint8Array());
    expect(right.delivered).toHaveLength(1);
    expect(right.saDrops(1)).toEqual({ notAuthentic: 1, replayed: 1 });
    expect(right.saCounters(1)).toMatchObject({ packetsReceived: 1 });
  });
});

describe('the port of UDP encapsulation', () => {
  it('gives IKE to the control plane without its marker, and puts one before what that sends', () => {
    const end = new EspEnd(LEFT, RIGHT);
    const message = Uint8Array.from({ length: 28 }, (_, i) => i + 1);
    end.receive(withNonEspMarker(message));
    expect(end.events).toEqual([
      {
        kind: 'datagram',
        socket: PORT_4500,
        path: { remote: { address: RIGHT, port: 4500 }, local: { address: LEFT, port: 4500 } },
        bytes: message,
        interfaceIndex: 3,
      },
    ]);
    const path = { remote: { address: RIGHT, port: 4500 }, local: { address: LEFT, port: 4500 } };
    end.forwarder.sendDatagram(PORT_4500, path, message, 0);
    expect(end.taken()[0]?.bytes).toEqual(withNonEspMarker(message));
    end.forwarder.sendDatagram(IKE, path, message, 0);
    expect(end.taken()[0]?.bytes).toEqual(message);
  });

  it('lets keepalives vanish, sends them, and counts junk', () => {
    const end = new EspEnd(LEFT, RIGHT);
    end.receive(natKeepalive());
    expect([end.events, end.drops()]).toEqual([[], {}]);
    end.receive(Uint8Array.of(1, 2, 3));
    end.receive(Uint8Array.of(0, 0, 0, 1, 0, 0, 0), {}, RAW_ESP);
    end.receive(new Uint8Array(20), { truncated: true });
    expect(end.drops()).toEqual({ malformed: 3 });
    const path = { remote: { address: RIGHT, port: 4500 }, local: { address: LEFT, port: 4500 } };
    for (const socket of [PORT_4500, IKE, RAW_ESP, L2TP]) end.forwarder.sendNatKeepalive(socket, path);
    expect(end.taken().map(({ socket, bytes }) => [socket, ...bytes])).toEqual([[PORT_4500, 0xff]]);
  });

  it('keeps from the control plane what is too short for IKE', () => {
    const end = new EspEnd(LEFT, RIGHT);
    end.receive(withNonEspMarker(new Uint8Array(27)));
    end.receive(withNonEspMarker(new Uint8Array()));
    end.receive(Uint8Array.of(0xff), {}, IKE);
    expect([end.events, end.drops()]).toEqual([[], { malformed: 3 }]);
  });

  it('tells of what peers send to unknown SPIs although strangers send more', () => {
    const [left] = protectedPair();
    const unknown = Uint8Array.from([0, 0, 0x77, 1, 0, 0, 0, 1, 9, 9]);
    for (let count = 0; count < 1000; count++) left.receive(unknown, { remoteAddress: '203.0.113.66' });
    left.events.length = 0;
    left.receive(unknown);
    expect(left.events).toMatchObject([{ kind: 'unknown-spi', path: { remote: { address: RIGHT } } }]);
  });

  it('tells of unknown SPIs, so many a second', () => {
    const end = new EspEnd(LEFT, RIGHT);
    for (let count = 0; count < 100; count++) end.receive(Uint8Array.from([0, 0, 0x77, 1, 0, 0, 0, 1, 9, 9]));
    expect(end.events).toHaveLength(20);
    expect(end.events[0]).toEqual({
      kind: 'unknown-spi',
      socket: PORT_4500,
      spi: 0x7701,
      path: { remote: { address: RIGHT, port: 4500 }, local: { address: LEFT, port: 4500 } },
    });
    end.wait(1000);
    for (let count = 0; count < 100; count++) end.receive(Uint8Array.from([0, 0, 0x77, 1, 0, 0, 0, 1]));
    expect(end.events).toHaveLength(30);
    end.wait(500);
    expect(end.drops()).toEqual({ unknownSpi: 200 });
  });

  it('gives peers with an SA the whole queue, and strangers their part', () => {
    const [, right] = protectedPair();
    right.strangerRoom = 0;
    right.receive(withNonEspMarker(new Uint8Array(28)), { remoteAddress: '203.0.113.9' });
    expect(right.drops()).toEqual({ controlOverload: 1 });
    right.receive(withNonEspMarker(new Uint8Array(28)));
    expect(right.events).toHaveLength(1);
  });
});

describe('anything at all', () => {
  it('never makes the forwarder throw, authentic or not, and nothing foreign gets through', () => {
    const seed = Number(process.env['FORWARDER_SEED'] ?? 20_260_102);
    const random = new SeededRandom(seed);
    const below = (limit: number): number => Buffer.from(random.bytes(4)).readUInt32BE(0) % limit;
    const [left, right] = connected();
    const wide = { localSelectors: [range(RIGHT)], remoteSelectors: [range(LEFT)] };
    right.putSa(right.sa(1, 1, wide));
    const pair = left.forwarder.sas.pair(1);
    const into = { offset: 0, length: 0 };
    left.packet(THERE);
    const template = left.taken()[0]?.bytes ?? new Uint8Array();
    const inner = Uint8Array.from([
      0x06,
      0xa5,
      0x06,
      0xa5,
      0,
      15 + THERE.length,
      0,
      0,
      0,
      2,
      0,
      1,
      0,
      1,
      0x21,
      ...THERE,
    ]);
    const mutate = (bytes: Uint8Array): Uint8Array => {
      const copy = bytes.slice(0, below(4) === 0 ? below(bytes.length + 1) : bytes.length);
      for (let count = below(4); count > 0 && copy.length > 0; count--) copy[below(copy.length)] = below(256);
      return copy;
    };
    for (let round = 0; round < 5000; round++) {
      const sealed = new Uint8Array(400);
      const payload = mutate(inner);
      sealed.set(payload, 100);
      pair?.outbound.seal(sealed, 100, payload.length, below(8) === 0 ? below(256) : 17, 0, into);
      const inputs = [mutate(template), sealed.slice(into.offset, into.offset + into.length)];
      for (const bytes of inputs) {
        try {
          right.receive(bytes, {}, below(8) === 0 ? RAW_ESP : PORT_4500);
          right.packet(mutate(THERE));
        } catch (error) {
          throw new Error(`round ${round} with FORWARDER_SEED=${seed}: ${Buffer.from(bytes).toString('hex')}`, {
            cause: error,
          });
        }
      }
    }
    for (const { packet } of right.delivered) expect([...packet.subarray(12, 16)]).toEqual([10, 99, 0, 1]);
    expect(right.delivered.length).toBeGreaterThan(1000);
    expect(right.saDrops(1)['wrongInside']).toBeGreaterThan(100);
    expect(right.drops()['unknownSession']).toBeGreaterThan(10);
  });
});
