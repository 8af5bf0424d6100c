import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../../../../firmware/protocol/bytes.ts';
import { decodeHeader, encodeHeader } from '../../../../../firmware/protocol/ike/v2/header.ts';
import {
  decodeChain,
  encodeChain,
  MAX_PAYLOADS,
  PAYLOADS,
  type Payload,
} from '../../../../../firmware/protocol/ike/v2/payload.ts';
import { canonicalIp, formatIpv4 } from '../../../../../firmware/protocol/ip-address.ts';

const octets = (min: number, max: number) => fc.uint8Array({ minLength: min, maxLength: max });
const u8 = fc.integer({ min: 0, max: 255 });
const u16 = fc.integer({ min: 0, max: 65535 });
const u32 = fc.integer({ min: 0, max: 0xffffffff });

const selector = fc.tuple(u8, u16, u16, fc.boolean(), u32, u32).map(([protocol, firstPort, lastPort, v4, a, b]) => ({
  protocol,
  firstPort,
  lastPort,
  firstAddress: v4 ? formatIpv4(a) : (canonicalIp(`2001:db8::${(a & 0xffff).toString(16)}`) ?? ''),
  lastAddress: v4 ? formatIpv4(b) : (canonicalIp(`2001:db8:1::${(b & 0xffff).toString(16)}`) ?? ''),
}));
const transforms = fc.array(
  fc.oneof(fc.record({ type: u8, id: u16 }), fc.record({ type: u8, id: u16, keyBits: u16 })),
  { maxLength: 6 },
);
const proposal = fc.record({ number: u8, protocol: u8, spi: octets(0, 8), transforms });
const selectors = fc.record({ selectors: fc.array(selector, { maxLength: 4 }) });
const id = fc.record({ idType: u8, data: octets(0, 40) });
const data = fc.record({ data: octets(0, 60) });
const payload: fc.Arbitrary<Payload> = fc.oneof(
  fc.record({ kind: fc.constant('SA' as const), proposals: fc.array(proposal, { minLength: 1, maxLength: 3 }) }),
  fc.record({ kind: fc.constant('KE' as const), group: u16, data: octets(0, 60) }),
  id.map((body) => ({ kind: 'IDi' as const, ...body })),
  id.map((body) => ({ kind: 'IDr' as const, ...body })),
  fc.record({ kind: fc.constant('AUTH' as const), method: u8, data: octets(0, 40) }),
  fc.record({ kind: fc.constant('Nonce' as const), data: octets(16, 256) }),
  fc.record({ kind: fc.constant('N' as const), protocol: u8, spi: octets(0, 8), type: u16, data: octets(0, 40) }),
  fc.record({ kind: fc.constant('D' as const), protocol: u8, spis: fc.array(octets(4, 4), { maxLength: 5 }) }),
  selectors.map((body) => ({ kind: 'TSi' as const, ...body })),
  selectors.map((body) => ({ kind: 'TSr' as const, ...body })),
  data.map((body) => ({ kind: 'V' as const, ...body })),
  data.map((body) => ({ kind: 'EAP' as const, ...body })),
  fc.record({ kind: fc.constantFrom('CERT' as const, 'CERTREQ' as const), encoding: u8, data: octets(0, 60) }),
  fc.record({
    kind: fc.constant('CP' as const),
    type: u8,
    attributes: fc.array(fc.record({ type: fc.integer({ min: 0, max: 0x7fff }), value: octets(0, 20) }), {
      maxLength: 6,
    }),
  }),
);

describe('payloads', () => {
  it('come out of a chain as they went in', () => {
    fc.assert(
      fc.property(fc.array(payload, { maxLength: 10 }), (payloads) => {
        const { firstType, octets: encoded } = encodeChain(payloads);
        expect(decodeChain(firstType, encoded)).toEqual({ payloads });
      }),
    );
  });

  it('have the numbers of RFC 7296 section 3.2', () => {
    const numbers = Object.entries(PAYLOADS).map(([kind, { type }]) => `${kind} ${type}`);
    expect(numbers).toEqual([
      'SA 33',
      'KE 34',
      'IDi 35',
      'IDr 36',
      'CERT 37',
      'CERTREQ 38',
      'AUTH 39',
      'Nonce 40',
      'N 41',
      'D 42',
      'V 43',
      'TSi 44',
      'TSr 45',
      'CP 47',
      'EAP 48',
    ]);
  });

  it('are skipped when unknown, unless marked critical', () => {
    const unknown = (flags: number) => Uint8Array.of(43, flags, 0, 6, 1, 2, 0, 0, 0, 5, 9);
    expect(decodeChain(200, unknown(0))).toEqual({ payloads: [{ kind: 'V', data: Uint8Array.of(9) }] });
    expect(decodeChain(200, unknown(0x80))).toMatchObject({ unsupportedCritical: 200 });
  });

  it('may be marked critical when they are known: the mark says nothing then', () => {
    expect(decodeChain(43, Uint8Array.of(0, 0x80, 0, 5, 9))).toEqual({
      payloads: [{ kind: 'V', data: Uint8Array.of(9) }],
    });
  });

  it('are refused when they are longer than what is left, shorter than their header, or too many', () => {
    expect(() => decodeChain(43, Uint8Array.of(0, 0, 0, 6, 9))).toThrow(DecodeError);
    expect(() => decodeChain(43, Uint8Array.of(0, 0, 0, 3))).toThrow(DecodeError);
    const vendor: Payload = { kind: 'V', data: Uint8Array.of(1) };
    const fits = encodeChain(new Array<Payload>(MAX_PAYLOADS).fill(vendor));
    expect(decodeChain(fits.firstType, fits.octets).payloads).toHaveLength(MAX_PAYLOADS);
    const many = encodeChain(new Array<Payload>(MAX_PAYLOADS + 1).fill(vendor));
    expect(() => decodeChain(many.firstType, many.octets)).toThrow(DecodeError);
  });

  it('never make the decoder throw anything but a DecodeError', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 255 }), octets(0, 200), (type, bytes) => {
        try {
          decodeChain(type, bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
      { numRuns: 5000 },
    );
  });
});

describe('the header', () => {
  it('comes out as it went in', () => {
    const header = {
      spiI: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
      spiR: new Uint8Array(8),
      exchange: 34,
      fromInitiator: true,
      response: false,
      messageId: 0xfffffffe,
    };
    expect(decodeHeader(encodeHeader(header, 33, 28))).toEqual({
      ...header,
      nextPayload: 33,
      majorVersion: 2,
      length: 28,
    });
  });

  it('is refused when the datagram is shorter than it says, or it says less than itself', () => {
    const header = { spiI: new Uint8Array(8), spiR: new Uint8Array(8), exchange: 34, messageId: 0 };
    const flags = { fromInitiator: true, response: false };
    expect(() => decodeHeader(encodeHeader({ ...header, ...flags }, 0, 29))).toThrow(DecodeError);
    expect(() => decodeHeader(encodeHeader({ ...header, ...flags }, 0, 27))).toThrow(DecodeError);
    expect(() => decodeHeader(new Uint8Array(27))).toThrow(DecodeError);
  });
});
