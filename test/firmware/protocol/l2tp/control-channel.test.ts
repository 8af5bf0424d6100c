import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteWriter, hex } from '../../../../firmware/protocol/bytes.ts';
import {
  type Arrival,
  ControlChannel,
  type ControlChannelOptions,
  type OutgoingMessage,
} from '../../../../firmware/protocol/l2tp/control-channel.ts';
import {
  decodeControlHeader,
  patchControlLength,
  writeControlHeader,
} from '../../../../firmware/protocol/l2tp/header.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';

const POLICY = { firstMs: 1000, capMs: 8000, attempts: 5 };

function message(name: string): OutgoingMessage {
  const writer = new ByteWriter();
  writeControlHeader(writer, { tunnelId: 0, sessionId: 0, ns: 0, nr: 0 });
  writer.bytes(new TextEncoder().encode(name));
  patchControlLength(writer);
  return { datagram: writer.finish(), name, sessionId: 0 };
}

/** What a datagram is, for short: `A 0/1` is message A with Ns 0 and Nr 1. */
function brief(datagram: Uint8Array): string {
  const { ns, nr, length } = decodeControlHeader(datagram);
  const name = length === 12 ? 'ZLB' : new TextDecoder().decode(datagram.subarray(12));
  return `${name} ${ns}/${nr}`;
}

class Peer {
  readonly channel: ControlChannel<string>;
  now = 0;

  constructor(options: Partial<ControlChannelOptions> = {}) {
    this.channel = new ControlChannel({ retransmit: POLICY, receiveWindow: 4, ...options });
  }

  send(...names: string[]): string[] {
    for (const name of names) this.channel.send(message(name));
    return this.flush();
  }

  /** A message of the peer, or a ZLB where there is no name. */
  receive(ns: number, nr: number, name?: string): Arrival {
    return this.channel.receive(this.now, { ns, nr }, name === undefined ? undefined : { value: name, octets: 20 });
  }

  taken(): string[] {
    const out: string[] = [];
    for (let next = this.channel.take(); next !== undefined; next = this.channel.take()) out.push(next);
    return out;
  }

  flush(): string[] {
    this.channel.flush(this.now);
    const out: string[] = [];
    for (let next = this.channel.poll(); next !== undefined; next = this.channel.poll()) out.push(brief(next.datagram));
    return out;
  }

  /** Lets time pass up to the next deadline. */
  wait(): string[] {
    this.now = this.channel.deadline ?? Number.NaN;
    this.channel.tick(this.now);
    return this.flush();
  }
}

describe('sending', () => {
  it('counts Ns from 0 and keeps to a window of one at first', () => {
    const peer = new Peer();
    expect(peer.send('A', 'B', 'C')).toEqual(['A 0/0']);
    peer.receive(0, 1);
    expect(peer.flush()).toEqual(['B 1/0', 'C 2/0']);
  });

  it('never has more outstanding than the peer has room for', () => {
    const peer = new Peer();
    peer.channel.setPeerWindow(2);
    peer.send('A', 'B', 'C', 'D', 'E', 'F');
    for (const nr of [1, 2, 3]) {
      peer.receive(0, nr);
      peer.flush();
      expect(peer.channel.ns - nr).toBeLessThanOrEqual(2);
    }
    expect(peer.channel.window).toBe(2);
  });

  it('assumes a window of four of a peer that tells none', () => {
    const peer = new Peer();
    peer.send('A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L');
    for (const nr of [1, 2, 3, 4, 5]) {
      peer.receive(0, nr);
      peer.flush();
    }
    expect(peer.channel.ns).toBe(9);
  });

  it('retransmits after 1, 2, 4, 8, 8 s and gives up 8 s later', () => {
    const peer = new Peer();
    peer.send('A');
    const times: number[] = [];
    while (!peer.channel.failed) {
      peer.wait();
      times.push(peer.now);
    }
    expect(times).toEqual([1000, 3000, 7000, 15_000, 23_000, 31_000]);
    expect(peer.channel.deadline).toBeUndefined();
  });

  it('retransmits byte for byte but for Nr', () => {
    const peer = new Peer();
    peer.channel.peerTunnelId = 0x77;
    peer.channel.send(message('A'));
    peer.channel.flush(0);
    const first = peer.channel.poll()?.datagram ?? new Uint8Array();
    peer.channel.peerTunnelId = 0x88;
    peer.receive(0, 0, 'x');
    peer.flush();
    peer.now = 1000;
    peer.channel.tick(1000);
    const again = peer.channel.poll()?.datagram ?? new Uint8Array();
    expect(decodeControlHeader(again)).toMatchObject({ tunnelId: 0x77, ns: 0, nr: 1 });
    expect(hex(again.subarray(0, 10)) + hex(again.subarray(12))).toBe(
      hex(first.subarray(0, 10)) + hex(first.subarray(12)),
    );
  });

  it('does not let a later retransmission change a datagram that was handed out', () => {
    const peer = new Peer();
    peer.channel.send(message('A'));
    peer.channel.flush(0);
    const first = peer.channel.poll()?.datagram ?? new Uint8Array();
    const before = hex(first);
    peer.receive(0, 0, 'x');
    peer.wait();
    expect(hex(first)).toBe(before);
  });

  it('begins again with the first interval after every acknowledgement', () => {
    const peer = new Peer();
    peer.send('A', 'B');
    peer.wait();
    peer.wait();
    peer.receive(0, 1);
    expect(peer.flush()).toEqual(['B 1/0']);
    expect(peer.channel.deadline).toBe(peer.now + 1000);
  });

  it('goes back to one message after a time-out and resends the others as the window opens', () => {
    const peer = new Peer();
    peer.send('A', 'B', 'C', 'D');
    peer.receive(0, 1);
    expect(peer.flush()).toEqual(['B 1/0', 'C 2/0']);
    peer.receive(0, 2);
    expect(peer.flush()).toEqual(['D 3/0']);
    expect(peer.channel.window).toBe(3);
    expect(peer.wait()).toEqual(['C 2/0']);
    peer.receive(0, 3);
    expect(peer.flush()).toEqual(['D 3/0']);
    expect(peer.channel.window).toBe(2);
  });

  it('does not resend what an acknowledgement covers after all', () => {
    const peer = new Peer();
    peer.send('A', 'B', 'C');
    peer.receive(0, 1);
    peer.flush();
    expect(peer.wait()).toEqual(['B 1/0']);
    peer.receive(0, 3);
    expect(peer.flush()).toEqual([]);
    expect(peer.channel.settled).toBe(true);
    expect(peer.channel.deadline).toBeUndefined();
  });

  it('can resend the oldest message without touching its timers', () => {
    const peer = new Peer();
    peer.send('A');
    const { deadline } = peer.channel;
    expect(peer.channel.repeatOldest()).toBe(true);
    expect(peer.flush()).toEqual(['A 0/0']);
    expect(peer.channel.deadline).toBe(deadline);
    expect(peer.channel.window).toBe(1);
  });

  it('drops a datagram that acknowledges what was never sent', () => {
    const peer = new Peer();
    peer.send('A');
    expect(peer.receive(0, 2, 'x')).toBe('out-of-window');
    expect(peer.taken()).toEqual([]);
    expect(peer.channel.settled).toBe(false);
  });

  it('takes an old Nr for what it is: nothing new', () => {
    const peer = new Peer();
    peer.send('A', 'B');
    peer.receive(0, 1);
    peer.flush();
    expect(peer.receive(0, 0, 'x')).toBe('in-order');
    expect(peer.channel.oldest?.name).toBe('B');
  });
});

describe('receiving', () => {
  it('acknowledges at once by a ZLB that takes up no Ns', () => {
    const peer = new Peer();
    expect(peer.receive(0, 0, 'a')).toBe('in-order');
    expect(peer.flush()).toEqual(['ZLB 0/1']);
    peer.receive(1, 0, 'b');
    expect(peer.flush()).toEqual(['ZLB 0/2']);
    expect(peer.send('A')).toEqual(['A 0/2']);
  });

  it('lets a message carry the acknowledgement where one is to be sent', () => {
    const peer = new Peer();
    peer.receive(0, 0, 'a');
    expect(peer.send('A')).toEqual(['A 0/1']);
  });

  it('never acknowledges a ZLB', () => {
    const peer = new Peer();
    expect(peer.receive(7, 0)).toBe('acknowledgement');
    expect(peer.flush()).toEqual([]);
    expect(peer.channel.nr).toBe(0);
  });

  it('acknowledges duplicates again and does not hand them up', () => {
    const peer = new Peer();
    peer.receive(0, 0, 'a');
    peer.taken();
    peer.flush();
    expect(peer.receive(0, 0, 'a')).toBe('duplicate');
    expect(peer.taken()).toEqual([]);
    expect(peer.flush()).toEqual(['ZLB 0/1']);
  });

  it('keeps early messages inside the window and hands all up in order', () => {
    const peer = new Peer();
    expect(peer.receive(2, 0, 'c')).toBe('early');
    expect(peer.flush()).toEqual(['ZLB 0/0']);
    expect(peer.receive(2, 0, 'c')).toBe('duplicate');
    expect(peer.receive(1, 0, 'b')).toBe('early');
    expect(peer.taken()).toEqual([]);
    peer.receive(0, 0, 'a');
    expect(peer.taken()).toEqual(['a', 'b', 'c']);
    expect(peer.flush()).toEqual(['ZLB 0/3']);
  });

  it('drops what is ahead of the window, without an answer', () => {
    const peer = new Peer();
    expect(peer.receive(3, 0, 'd')).toBe('early');
    peer.flush();
    expect(peer.receive(4, 0, 'e')).toBe('out-of-window');
    expect(peer.flush()).toEqual([]);
  });

  it('bounds the octets of early messages', () => {
    const channel = new ControlChannel<string>({ retransmit: POLICY, receiveWindow: 100 });
    const arrivals = Array.from({ length: 20 }, (_, i) =>
      channel.receive(0, { ns: i + 1, nr: 0 }, { value: 'x', octets: 60_000 }),
    );
    expect(arrivals.filter((arrival) => arrival === 'early')).toHaveLength(1);
  });
});

describe('the wrap of sequence numbers', () => {
  it('passes 65535 in both directions with messages outstanding and early', () => {
    const peer = new Peer({ initialNs: 65_534, initialNr: 65_534, receiveWindow: 8 });
    expect(peer.send('A', 'B', 'C', 'D')).toEqual(['A 65534/65534']);
    expect(peer.receive(1, 65_535, 'd')).toBe('early');
    expect(peer.flush()).toEqual(['B 65535/65534', 'C 0/65534']);
    expect(peer.receive(65_534, 1, 'a')).toBe('in-order');
    expect(peer.flush()).toEqual(['D 1/65535']);
    peer.receive(0, 2, 'c');
    peer.receive(65_535, 2, 'b');
    expect(peer.taken()).toEqual(['a', 'b', 'c', 'd']);
    expect(peer.flush()).toEqual(['ZLB 2/2']);
    expect(peer.channel.settled).toBe(true);
    expect(peer.receive(65_535, 2, 'b')).toBe('duplicate');
  });
});

describe('two channels over a bad network', () => {
  it('deliver everything once and in order, whatever is lost, doubled or overtaken', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 8 }), (seed, window) => {
        const random = new SeededRandom(seed);
        const start = 65_536 - random.int(30);
        const options = { initialNs: start & 0xffff, initialNr: start & 0xffff, receiveWindow: window };
        const retransmit = { firstMs: 1000, capMs: 8000, attempts: 1000 };
        const ends = [0, 1].map(() => new ControlChannel<string>({ ...options, retransmit }));
        const received: string[][] = [[], []];
        const wire: { at: number; to: number; datagram: Uint8Array }[] = [];
        for (const end of ends) end.setPeerWindow(window);
        const expected = Array.from({ length: 40 }, (_, i) => `m${i}`);
        for (const end of ends) for (const name of expected) end.send(message(name));
        for (let now = 0; now < 2_000_000; now += 50) {
          for (const one of wire.filter((candidate) => candidate.at <= now)) {
            wire.splice(wire.indexOf(one), 1);
            const header = decodeControlHeader(one.datagram);
            const value = new TextDecoder().decode(one.datagram.subarray(12));
            const body = header.length === 12 ? undefined : { value, octets: header.length };
            const end = ends[one.to];
            end?.receive(now, header, body);
            for (let next = end?.take(); next !== undefined; next = end?.take()) received[one.to]?.push(next);
          }
          ends.forEach((end, from) => {
            end.tick(now);
            end.flush(now);
            for (let next = end.poll(); next !== undefined; next = end.poll()) {
              if (random.next() < 0.3) continue;
              for (let copies = random.next() < 0.2 ? 2 : 1; copies > 0; copies--) {
                wire.push({ at: now + random.int(400), to: 1 - from, datagram: next.datagram });
              }
            }
          });
          if (ends.every((end) => end.settled) && wire.length === 0) break;
        }
        expect(received).toEqual([expected, expected]);
      }),
      { numRuns: 40 },
    );
  });
});
