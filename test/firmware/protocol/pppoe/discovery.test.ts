import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DecodeError, utf8Bytes } from '../../../../firmware/protocol/bytes.ts';
import type { Failure } from '../../../../firmware/protocol/machine.ts';
import {
  BROADCAST_MAC,
  PppoeDiscovery,
  type PppoeDiscoveryOptions,
  type PppoeSession,
} from '../../../../firmware/protocol/pppoe/discovery.ts';
import {
  type DiscoveryPacket,
  decodeDiscovery,
  encodeDiscovery,
  PADI,
  PADO,
  PADR,
  PADS,
  PADT,
  sessionFrameLength,
} from '../../../../firmware/protocol/pppoe/packet.ts';
import {
  type PppoeTag,
  TAG_AC_COOKIE,
  TAG_AC_NAME,
  TAG_AC_SYSTEM_ERROR,
  TAG_GENERIC_ERROR,
  TAG_HOST_UNIQ,
  TAG_PPP_MAX_PAYLOAD,
  TAG_RELAY_SESSION_ID,
  TAG_SERVICE_NAME,
  TAG_SERVICE_NAME_ERROR,
  tagValue,
} from '../../../../firmware/protocol/pppoe/tags.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';

const AC1 = Uint8Array.of(2, 0, 0, 0, 0, 0xa1);
const AC2 = Uint8Array.of(2, 0, 0, 0, 0, 0xa2);

const text = (type: number, value: string): PppoeTag => ({ type, value: utf8Bytes(value) });
const octets = (type: number, ...value: readonly number[]): PppoeTag => ({ type, value: Uint8Array.from(value) });

/** The machine, and what it has said since the last look. */
class Bench {
  readonly machine: PppoeDiscovery;
  now = 0;
  readonly sent: { readonly to: Uint8Array; readonly packet: DiscoveryPacket }[] = [];
  session: PppoeSession | undefined;
  failure: Failure | undefined;

  constructor(options: PppoeDiscoveryOptions = {}) {
    this.machine = new PppoeDiscovery(options, new SeededRandom(1));
    this.machine.start(0);
    this.drain();
  }

  /** The packet that was sent last. */
  get last(): DiscoveryPacket {
    const packet = this.sent.at(-1)?.packet;
    if (packet === undefined) throw new Error('nothing was sent');
    return packet;
  }

  get codes(): number[] {
    return this.sent.map(({ packet }) => packet.code);
  }

  /** An answer to what was sent last, with its Host-Uniq. */
  hear(code: number, tags: readonly PppoeTag[], { mac = AC1, sessionId = 0 } = {}): this {
    const uniq = tagValue(this.last.tags, TAG_HOST_UNIQ) ?? new Uint8Array();
    const packet = { code, sessionId, tags: [...tags, { type: TAG_HOST_UNIQ, value: uniq }] };
    this.machine.receive(this.now, mac, encodeDiscovery(packet));
    this.drain();
    return this;
  }

  offer(name: string, ...tags: readonly PppoeTag[]): this {
    return this.hear(PADO, [text(TAG_AC_NAME, name), text(TAG_SERVICE_NAME, ''), ...tags]);
  }

  wait(until: number): this {
    for (let due = this.machine.nextDeadline(); due !== undefined && due <= until; due = this.machine.nextDeadline()) {
      this.now = due;
      this.machine.tick(due);
      this.drain();
    }
    this.now = until;
    return this;
  }

  drain(): void {
    for (let output = this.machine.poll(); output !== undefined; output = this.machine.poll()) {
      if (output.kind === 'send') this.sent.push({ to: output.destination, packet: decodeDiscovery(output.packet) });
      else if (output.kind === 'up') this.session = output.session;
      else if (output.kind === 'over') this.failure = output.failure;
    }
  }
}

describe('PPPoE discovery', () => {
  it('asks everybody for any service, and takes the session of whoever offers', () => {
    const bench = new Bench();
    expect(bench.sent[0]?.to).toEqual(BROADCAST_MAC);
    expect(bench.last).toMatchObject({ code: PADI, sessionId: 0 });
    expect(bench.last.tags.filter(({ type }) => type === TAG_SERVICE_NAME)).toEqual([text(TAG_SERVICE_NAME, '')]);
    bench.offer('ac1');
    expect(bench.sent[1]?.to).toEqual(AC1);
    expect(bench.last).toMatchObject({ code: PADR, sessionId: 0 });
    bench.hear(PADS, [text(TAG_SERVICE_NAME, '')], { sessionId: 77 });
    expect(bench.session).toEqual({ peerMac: AC1, sessionId: 77, concentrator: '"ac1"', maxPayload: 1492 });
    expect(bench.machine.nextDeadline()).toBeUndefined();
  });

  it('gives cookie and relay id back as they came', () => {
    const cookie = octets(TAG_AC_COOKIE, 9, 8, 7);
    const relay = octets(TAG_RELAY_SESSION_ID, 1, 2);
    const bench = new Bench().offer('ac1', cookie, relay);
    expect(bench.last.tags).toContainEqual(cookie);
    expect(bench.last.tags).toContainEqual(relay);
  });

  it('asks again, twice as long each time, and gives up in words', () => {
    const bench = new Bench();
    const due = [bench.machine.nextDeadline() ?? 0];
    bench.wait(60_000);
    expect(bench.codes).toEqual([PADI, PADI, PADI]);
    expect(due[0]).toBeGreaterThanOrEqual(1000);
    expect(due[0]).toBeLessThanOrEqual(1250);
    expect(bench.failure?.reason).toMatch(/^no access concentrator answered within [789] s$/);
    expect(bench.failure?.cause).toBe('silence');
  });

  it('asks the chosen one again, too, and says who did not confirm', () => {
    const bench = new Bench().offer('ac1').wait(60_000);
    expect(bench.codes).toEqual([PADI, PADR, PADR, PADR]);
    expect(bench.failure?.reason).toMatch(/access concentrator "ac1" offered a session and then did not confirm/);
  });

  it('hears no answer to somebody else, of another version, or one that is cut', () => {
    const bench = new Bench();
    const foreign = { code: PADO, sessionId: 0, tags: [text(TAG_AC_NAME, 'x'), octets(TAG_HOST_UNIQ, 1, 2, 3, 4)] };
    bench.machine.receive(0, AC1, encodeDiscovery(foreign));
    const right = encodeDiscovery({ ...foreign, tags: bench.last.tags });
    bench.machine.receive(0, AC1, Uint8Array.of(0x21, ...right.subarray(1)));
    bench.machine.receive(0, AC1, right.subarray(0, right.length - 1));
    bench.drain();
    expect(bench.codes).toEqual([PADI]);
  });

  it('takes the concentrator that was named, and says which ones were there when it is not', () => {
    const bench = new Bench({ accessConcentrator: 'ac2' }).offer('ac1');
    expect(bench.codes).toEqual([PADI]);
    bench.hear(PADO, [text(TAG_AC_NAME, 'ac2'), text(TAG_SERVICE_NAME, '')], { mac: AC2 });
    expect(bench.sent.at(-1)?.to).toEqual(AC2);
    const lonely = new Bench({ accessConcentrator: 'ac2' }).offer('ac\u001b1').wait(60_000);
    expect(lonely.failure?.reason).toBe('no offer suited: "ac\\x1b1" is not the access concentrator "ac2"');
  });

  it('takes no offer without the service that is wanted', () => {
    const services = (...names: string[]) => [text(TAG_AC_NAME, 'ac1'), ...names.map((n) => text(TAG_SERVICE_NAME, n))];
    const bench = new Bench({ serviceName: 'gold' }).hear(PADO, services('silver', 'tin'));
    expect(bench.codes).toEqual([PADI]);
    bench.hear(PADO, services('silver', 'gold'));
    expect(bench.last.code).toBe(PADR);
    expect(bench.last.tags).toContainEqual(text(TAG_SERVICE_NAME, 'gold'));
    const poor = new Bench({ serviceName: 'gold' }).hear(PADO, services('tin')).wait(60_000);
    expect(poor.failure?.reason).toBe('no offer suited: "ac1" does not offer the service "gold"');
  });

  it.each([
    [TAG_SERVICE_NAME_ERROR, 'no such thing', /does not have the service that was asked for: "no such thing"$/],
    [TAG_AC_SYSTEM_ERROR, '', /"ac1" could not set up a session$/],
    [TAG_GENERIC_ERROR, 'full\n', /"ac1" refused: "full\\x0a"$/],
  ])('tells an error of the PADS in words (tag %i)', (type, words, reason) => {
    const bench = new Bench().offer('ac1').hear(PADS, [text(type, words)]);
    expect(bench.failure).toMatchObject({ step: 'PADS', cause: 'refused' });
    expect(bench.failure?.reason).toMatch(reason);
  });

  it('tells an error of the PADO when there is no better offer, and forgets it when there is', () => {
    const bench = new Bench().hear(PADO, [text(TAG_AC_NAME, 'ac1'), text(TAG_AC_SYSTEM_ERROR, 'busy')]);
    bench.wait(60_000);
    expect(bench.failure).toMatchObject({ step: 'PADO', reason: expect.stringContaining(': "busy"') });
    const lucky = new Bench().hear(PADO, [text(TAG_AC_NAME, 'ac1'), text(TAG_AC_SYSTEM_ERROR, 'busy')]).offer('ac1');
    expect(lucky.last.code).toBe(PADR);
  });

  it.each([0, 0xffff])('takes no session of the number %i', (sessionId) => {
    const bench = new Bench().offer('ac1').hear(PADS, [], { sessionId });
    expect(bench.session).toBeUndefined();
    expect(bench.failure?.reason).toMatch(/confirmed a session without giving it a number/);
  });

  it('ends the session that stands by a PADT, and hears the one of the other side, with its words', () => {
    const bench = new Bench().offer('ac1').hear(PADS, [], { sessionId: 5 });
    bench.hear(PADT, [], { sessionId: 6 }).hear(PADT, [], { sessionId: 5, mac: AC2 });
    expect(bench.failure).toBeUndefined();
    bench.hear(PADT, [text(TAG_GENERIC_ERROR, 'maintenance')], { sessionId: 5 });
    expect(bench.failure?.reason).toBe('access concentrator "ac1" ended the session: "maintenance"');
    const hanging = new Bench().offer('ac1').hear(PADS, [], { sessionId: 5 });
    hanging.machine.stop();
    hanging.drain();
    expect(hanging.last).toMatchObject({ code: PADT, sessionId: 5 });
    expect(hanging.sent.at(-1)?.to).toEqual(AC1);
    expect(hanging.failure).toBeUndefined();
  });

  it('ends a second session that a repeated PADR has brought, and one that comes too late', () => {
    const bench = new Bench().offer('ac1').hear(PADS, [], { sessionId: 5 });
    bench.hear(PADS, [], { sessionId: 5 });
    expect(bench.last.code).toBe(PADR);
    bench.hear(PADS, [], { sessionId: 6 });
    expect(bench.last).toMatchObject({ code: PADT, sessionId: 6 });
    const late = new Bench().offer('ac1').wait(60_000);
    late.hear(PADS, [], { sessionId: 9 });
    expect(late.last).toMatchObject({ code: PADT, sessionId: 9 });
  });

  describe('with larger frames (RFC 4638)', () => {
    const asked = octets(TAG_PPP_MAX_PAYLOAD, 0x05, 0xdc);
    const up = (maxPayload: number, ...echo: readonly PppoeTag[]): number | undefined =>
      new Bench({ maxPayload }).offer('ac1', ...echo).hear(PADS, echo, { sessionId: 5 }).session?.maxPayload;

    it('asks in PADI and PADR, and not for 1492', () => {
      const bench = new Bench({ maxPayload: 1500 });
      expect(bench.last.tags).toContainEqual(asked);
      expect(bench.offer('ac1').last.tags).toContainEqual(asked);
      expect(new Bench({ maxPayload: 1492 }).last.tags.map(({ type }) => type)).not.toContain(TAG_PPP_MAX_PAYLOAD);
    });

    it('takes what is echoed, and 1492 without an echo or for nonsense', () => {
      expect(up(1500, asked)).toBe(1500);
      expect(up(1500, octets(TAG_PPP_MAX_PAYLOAD, 0xff, 0xff))).toBe(1500);
      expect(up(1500)).toBe(1492);
      expect(up(1500, octets(TAG_PPP_MAX_PAYLOAD, 0, 9))).toBe(1492);
      expect(up(1500, octets(TAG_PPP_MAX_PAYLOAD, 5))).toBe(1492);
      expect(up(1400, asked)).toBe(1400);
    });
  });

  it('throws for no octets that anybody may send, and is not confused by them', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 20 }), (packets) => {
        const bench = new Bench();
        for (const packet of packets) bench.machine.receive(0, AC1, Uint8Array.of(0x11, ...packet));
        bench.drain();
        bench.offer('ac1').hear(PADS, [], { sessionId: 5 });
        expect(bench.session?.sessionId).toBe(5);
      }),
    );
  });
});

describe('the codec', () => {
  const tag = fc.record({ type: fc.integer({ min: 1, max: 0xffff }), value: fc.uint8Array({ maxLength: 40 }) });
  const packet = fc.record({ code: fc.nat(255), sessionId: fc.nat(0xffff), tags: fc.array(tag, { maxLength: 8 }) });

  it('reads what it writes, with any padding behind', () => {
    fc.assert(
      fc.property(packet, fc.uint8Array({ maxLength: 60 }), (sent, padding) => {
        expect(decodeDiscovery(Uint8Array.of(...encodeDiscovery(sent), ...padding))).toEqual(sent);
      }),
    );
  });

  it('throws nothing but a DecodeError for what was cut or changed', () => {
    fc.assert(
      fc.property(packet, fc.nat(), fc.nat(255), (sent, at, octet) => {
        const bytes = encodeDiscovery(sent);
        bytes[at % bytes.length] = octet;
        try {
          decodeDiscovery(bytes.subarray(0, at % (bytes.length + 1)));
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
    );
  });

  it('stops at End-Of-List', () => {
    const bytes = encodeDiscovery({ code: PADO, sessionId: 0, tags: [octets(0), text(TAG_AC_NAME, 'x')] });
    expect(decodeDiscovery(bytes).tags).toEqual([]);
  });

  it('cuts a session frame by its length, and takes none that is longer than what came', () => {
    const frame = Uint8Array.of(0x11, 0, 0, 5, 0, 3, 0xc0, 0x21, 9, 0, 0, 0);
    expect(sessionFrameLength(frame, 0, frame.length)).toBe(3);
    expect(sessionFrameLength(frame, 0, 8)).toBe(-1);
    expect(sessionFrameLength(Uint8Array.of(0x11, 0x09, ...frame.subarray(2)), 0, frame.length)).toBe(-1);
    expect(sessionFrameLength(frame, 0, 5)).toBe(-1);
  });
});
