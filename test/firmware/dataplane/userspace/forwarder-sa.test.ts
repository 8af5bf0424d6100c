/** SA pairs: replacing, taking over, following the peer, and the end of their lives. */
import { describe, expect, it } from 'vitest';
import { PortablePacketCipherFactory } from '../../../../hal/portable/packet-cipher.ts';
import { carry, EspEnd, LEFT, PORT_4500, protectedPair, RAW_ESP, RIGHT, range } from './esp-bench.ts';

const CONTROL = Uint8Array.from([0xc8, 0x02, 0, 12, 0, 10, 0, 0, 0, 0, 0, 0]);

function send(from: EspEnd, to: EspEnd, origin: Parameters<typeof carry>[2] = {}): void {
  from.control(from.l2tpPath(1), CONTROL);
  carry(from, to, origin);
}

const sequence = (bytes: Uint8Array | undefined): number => Buffer.from(bytes ?? []).readUInt32BE(4);

describe('replacing a pair', () => {
  it('keeps keys, sequence numbers, window and counters, whatever keys come with it', () => {
    const [left, right] = protectedPair();
    left.control(left.l2tpPath(1), CONTROL);
    const [first] = left.taken();
    right.receive(first?.bytes ?? new Uint8Array());
    for (const end of [left, right]) {
      const spec = end.sa(1, 1);
      const wiped = { encryption: 'aes128gcm16', encryptionKey: new Uint8Array(20) };
      end.putSa({ ...spec, inbound: { ...spec.inbound, ...wiped }, outbound: { ...spec.outbound, ...wiped } });
    }
    left.control(left.l2tpPath(1), CONTROL);
    expect(sequence(left.sent[0]?.bytes)).toBe(2);
    carry(left, right);
    right.receive(first?.bytes ?? new Uint8Array());
    expect(right.saCounters(1)).toMatchObject({ packetsReceived: 2, drops: { replayed: 1 } });
    // Told once in the pair's life.
    expect(right.kinds()).toEqual(['sa-received', 'datagram', 'datagram']);
  });

  it('changes path, socket, selectors and lifetimes', () => {
    const [left] = protectedPair();
    const path = { remote: { address: '198.51.100.77', port: 0 }, local: { address: '192.0.2.9', port: 0 } };
    left.putSa(left.sa(1, 1, { socket: RAW_ESP, path, lifetimes: { packets: { soft: 1, hard: 9 } } }));
    left.control(left.l2tpPath(1), CONTROL);
    expect(left.taken()).toMatchObject([{ socket: RAW_ESP, remote: path.remote, fromAddress: '192.0.2.9' }]);
    expect(left.events).toEqual([{ kind: 'sa-lifetime', sa: 1, limit: 'soft', unit: 'packets' }]);
    left.putSa(left.sa(1, 1, { localSelectors: [range(LEFT, LEFT, { protocol: 6 })] }));
    left.control(left.l2tpPath(1), CONTROL);
    expect(left.sent).toEqual([]);
    expect(left.policyDrops(1)).toEqual({ selectors: 1 });
  });
});

describe('a successor', () => {
  it('is received on beside its predecessor, and sent on when the policy says so', () => {
    const [left, right] = protectedPair();
    for (const end of [left, right]) end.putSa(end.sa(2, 1));
    send(left, right);
    expect(right.saCounters(1)).toMatchObject({ packetsReceived: 1 });
    left.protect(1, 2);
    send(left, right);
    expect(right.saCounters(2)).toMatchObject({ packetsReceived: 1 });
    send(right, left);
    expect(left.saCounters(1)).toMatchObject({ packetsReceived: 1 });
    left.forwarder.sas.remove(1);
    send(right, left);
    left.wait(500);
    expect(left.drops()).toEqual({ unknownSpi: 1 });
    send(left, right);
    expect(right.saCounters(2)).toMatchObject({ packetsReceived: 2 });
    expect(right.kinds().filter((kind) => kind === 'sa-received')).toHaveLength(2);
  });

  it('of another policy is not sent by', () => {
    const [left] = protectedPair();
    left.protect(2);
    left.putSa(left.sa(2, 2));
    left.protect(1, 2);
    left.control(left.l2tpPath(1), CONTROL);
    expect(left.sent).toEqual([]);
  });
});

describe('a pair that follows its peer', () => {
  const MOVED = { remoteAddress: '203.0.113.50', remotePort: 61_000 };
  const following = () => {
    const ends = protectedPair();
    for (const end of ends) end.putSa(end.sa(1, 1, { followPeer: true }));
    return ends;
  };
  const target = (end: EspEnd) => {
    end.control(end.l2tpPath(1), CONTROL);
    return end.taken()[0]?.remote;
  };

  it('sends at once to where the newest authentic packet came from, and tells; the local end stays', () => {
    const [left, right] = following();
    send(left, right, { ...MOVED, localAddress: '198.51.100.99' });
    expect(target(right)).toEqual({ address: '203.0.113.50', port: 61_000 });
    expect(right.events[1]).toEqual({
      kind: 'sa-moved',
      sa: 1,
      path: { remote: { address: '203.0.113.50', port: 61_000 }, local: { address: RIGHT, port: 4500 } },
    });
    send(left, right, MOVED);
    expect(right.kinds()).toEqual(['sa-received', 'sa-moved', 'datagram', 'datagram']);
  });

  it('is not moved by a packet that is forged, repeated, or older than another', () => {
    const [left, right] = following();
    for (let count = 0; count < 3; count++) left.control(left.l2tpPath(1), CONTROL);
    const [first, second, third] = left.taken().map(({ bytes }) => bytes);
    const forged = third?.slice() ?? new Uint8Array();
    forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
    right.receive(second ?? new Uint8Array());
    for (const bytes of [forged, second, first]) right.receive(bytes ?? new Uint8Array(), MOVED);
    expect(target(right)).toEqual({ address: LEFT, port: 4500 });
    // The older one was authentic and delivered all the same.
    expect(right.kinds()).toEqual(['sa-received', 'datagram', 'datagram']);
  });

  it('is not moved by what came in by another socket, nor without being told to follow', () => {
    const [left, right] = following();
    left.control(left.l2tpPath(1), CONTROL);
    right.receive(left.taken()[0]?.bytes ?? new Uint8Array(), { ...MOVED, remotePort: 0 }, RAW_ESP);
    expect(target(right)).toEqual({ address: LEFT, port: 4500 });
    right.putSa(right.sa(1, 1));
    send(left, right, MOVED);
    expect(target(right)).toEqual({ address: LEFT, port: 4500 });
    expect(right.kinds()).not.toContain('sa-moved');
  });

  it('tells of a peer that flaps now and then, and at last where it is', () => {
    const [left, right] = following();
    for (let count = 0; count < 50; count++) send(left, right, { ...MOVED, remotePort: 61_000 + count });
    const moves = () => right.events.filter(({ kind }) => kind === 'sa-moved');
    expect(moves()).toHaveLength(3);
    expect(target(right)?.port).toBe(61_049);
    right.now += 1000;
    send(left, right, { ...MOVED, remotePort: 61_049 });
    expect(moves()).toHaveLength(4);
    expect(moves().at(-1)).toMatchObject({ path: { remote: { port: 61_049 } } });
  });
});

describe('the life of a pair', () => {
  it('is told of once at each limit and in each direction, and the hard one ends it', () => {
    const lifetimes = { packets: { soft: 2, hard: 3 } };
    const [left, right] = protectedPair({ lifetimes });
    for (let count = 0; count < 6; count++) send(left, right);
    const told = (end: EspEnd) => end.events.flatMap((event) => (event.kind === 'sa-lifetime' ? [event.limit] : []));
    expect(told(left)).toEqual(['soft', 'hard']);
    expect(told(right)).toEqual(['soft', 'hard']);
    expect(left.saCounters(1)).toMatchObject({ packetsSent: 3, drops: { expired: 3 } });
    send(right, left);
    expect(right.saCounters(1)).toMatchObject({ packetsSent: 1 });
    expect(left.saCounters(1)).toMatchObject({ packetsReceived: 1 });
  });

  it('ends by the clock', () => {
    const [left, right] = protectedPair({ lifetimes: { seconds: { soft: 10, hard: 20 } } });
    left.now = 10_000;
    send(left, right);
    expect(left.events).toEqual([{ kind: 'sa-lifetime', sa: 1, limit: 'soft', unit: 'seconds' }]);
    left.now = 20_000;
    left.control(left.l2tpPath(1), CONTROL);
    expect(left.sent).toEqual([]);
    expect(left.events.at(-1)).toEqual({ kind: 'sa-lifetime', sa: 1, limit: 'hard', unit: 'seconds' });
  });

  it('ends with wiped keys', () => {
    const closed: string[] = [];
    const real = new PortablePacketCipherFactory();
    const ciphers = {
      engine: 'test',
      openAuthenticator: real.openAuthenticator.bind(real),
      open: (spec: Parameters<typeof real.open>[0]) => {
        const cipher = real.open(spec);
        const close = cipher.close.bind(cipher);
        cipher.close = () => {
          closed.push(spec.direction);
          close();
        };
        return cipher;
      },
    };
    const end = new EspEnd(LEFT, RIGHT, ciphers);
    end.protect(1);
    end.putSa(end.sa(1, 1));
    end.putSa(end.sa(1, 1));
    expect(closed).toEqual([]);
    end.forwarder.sas.remove(1);
    expect(closed.toSorted()).toEqual(['open', 'seal']);
    end.putSa(end.sa(2, 1));
    end.forwarder.removePolicy(1);
    expect(closed).toHaveLength(4);
    // One that cannot be made leaves no cipher open, and is told of.
    end.protect(1);
    end.putSa(end.sa(3, 1, { replayWindow: 33 }));
    expect(closed).toHaveLength(6);
    expect(end.forwarder.counters().sas).toEqual([]);
    expect(end.events).toEqual([{ kind: 'sa-lifetime', sa: 3, limit: 'hard', unit: 'packets' }]);
  });

  it.each(['seal', 'open'] as const)('goes when its cipher breaks (%s), and nothing else does', (broken) => {
    const real = new PortablePacketCipherFactory();
    const ciphers = {
      engine: 'test',
      openAuthenticator: real.openAuthenticator.bind(real),
      open: (spec: Parameters<typeof real.open>[0]) => {
        const cipher = real.open(spec);
        cipher[broken] = () => {
          throw new Error('OpenSSL failed');
        };
        return cipher;
      },
    };
    const [left, right] = [new EspEnd(LEFT, RIGHT, ciphers), protectedPair()[1]];
    left.protect(1);
    left.putSa(left.sa(1, 1));
    left.protect(1, 1);
    if (broken === 'seal') left.control(left.l2tpPath(1), CONTROL);
    else {
      right.control(right.l2tpPath(1), CONTROL);
      left.receive(right.sent[0]?.bytes ?? new Uint8Array());
    }
    expect(left.events).toEqual([{ kind: 'sa-lifetime', sa: 1, limit: 'hard', unit: 'packets' }]);
    expect(left.forwarder.counters().sas).toEqual([]);
    // It does not come back by what the control thread sent before it heard: its numbers would begin anew.
    left.putSa(left.sa(1, 1));
    left.protect(1, 1);
    expect(left.forwarder.counters().sas).toEqual([]);
    left.control(left.l2tpPath(1), CONTROL);
    expect([left.sent, left.policyDrops(1)]).toEqual([[], { noSa: 1 }]);
    // Keys of the data plane are given once, but another pair may be added.
    left.forwarder.sas.remove(1);
    left.putSa(left.sa(2, 1));
    expect(left.forwarder.counters().sas).toMatchObject([{ key: 2 }]);
  });

  it('is counted when the kernel does not send', () => {
    const [left] = protectedPair();
    left.sendResult = 'EHOSTUNREACH';
    left.control(left.l2tpPath(1), CONTROL);
    expect(left.saCounters(1)).toMatchObject({ packetsSent: 0, octetsSent: 0 });
    expect(left.saDrops(1)).toEqual({ sendFailed: 1 });
    // Its number is used up all the same.
    left.sendResult = undefined;
    left.control(left.l2tpPath(1), CONTROL);
    expect(left.sent[0]?.socket).toBe(PORT_4500);
    expect(sequence(left.sent[0]?.bytes)).toBe(2);
  });
});
