import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ByteWriter,
  concatBytes,
  DecodeError,
  EncodeError,
  hex,
  utf8Bytes,
} from '../../../../firmware/protocol/bytes.ts';
import { type RawAvp, writeAvp } from '../../../../firmware/protocol/l2tp/avp.ts';
import { avpDefinition, type FieldKey } from '../../../../firmware/protocol/l2tp/avp-table.ts';
import type { AvpKind } from '../../../../firmware/protocol/l2tp/avp-value.ts';
import {
  type AvpFields,
  decodeControlMessage,
  encodeControlMessage,
} from '../../../../firmware/protocol/l2tp/control-message.ts';
import { hideValue } from '../../../../firmware/protocol/l2tp/hiding.ts';
import { findProblem } from '../../../../firmware/protocol/l2tp/message-check.ts';
import { MESSAGES, type MessageName } from '../../../../firmware/protocol/l2tp/message-table.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';

const HEADER = { tunnelId: 7, sessionId: 0, ns: 0, nr: 1 };
const SECRET = utf8Bytes('branch secret');

const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const text = fc.string({ unit: 'grapheme', maxLength: 40 });
const words = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 });

/** Any value of a kind, within what the AVP's row allows. */
function arbitraryValue(key: FieldKey): fc.Arbitrary<unknown> {
  const { kind, min = 0, max = 0xffff, minLength = 0 } = avpDefinition(key);
  const kinds: Record<AvpKind, fc.Arbitrary<unknown>> = {
    u16: fc.integer({ min, max }),
    u32,
    u64: fc.bigInt({ min: 0n, max: 0xffffffffffffffffn }),
    bitmask: u32,
    bytes: fc.uint8Array({ minLength, maxLength: 60 }),
    text: minLength > 0 ? words : text,
    flag: fc.constant(true),
    'protocol-version': fc.record({
      version: fc.integer({ min: 0, max: 255 }),
      revision: fc.integer({ min: 0, max: 255 }),
    }),
    'result-code': fc.oneof(
      fc.record({ resultCode: u16 }),
      fc.record({ resultCode: u16, errorCode: u16 }),
      fc.record({ resultCode: u16, errorCode: u16, message: words }),
    ),
    'q931-cause': fc.oneof(
      fc.record({ causeCode: u16, causeMessage: fc.integer({ min: 0, max: 255 }) }),
      fc.record({ causeCode: u16, causeMessage: fc.integer({ min: 0, max: 255 }), advisoryMessage: words }),
    ),
    'challenge-response': fc.uint8Array({ minLength: 16, maxLength: 16 }),
    'call-errors': fc.record({
      crcErrors: u32,
      framingErrors: u32,
      hardwareOverruns: u32,
      bufferOverruns: u32,
      timeoutErrors: u32,
      alignmentErrors: u32,
    }),
    accm: fc.record({ sendAccm: u32, receiveAccm: u32 }),
    'ppp-disconnect': fc.oneof(
      fc.record({ code: u16, protocol: u16, direction: fc.integer({ min: 0, max: 255 }) }),
      fc.record({ code: u16, protocol: u16, direction: fc.integer({ min: 0, max: 255 }), message: words }),
    ),
    'speed-update': fc.record({ remoteSessionId: u16, txConnectSpeed: u32, rxConnectSpeed: u32 }),
  };
  return kinds[kind];
}

function fieldsOf(name: MessageName): fc.Arbitrary<AvpFields> {
  const { required, optional } = MESSAGES[name];
  const model: Record<string, fc.Arbitrary<unknown>> = {};
  for (const key of [...required, ...optional]) model[key] = arbitraryValue(key);
  return fc.record(model, { requiredKeys: [...required] }) as fc.Arbitrary<AvpFields>;
}

const message = fc
  .constantFrom(...(Object.keys(MESSAGES) as MessageName[]))
  .chain((name) => fc.record({ name: fc.constant(name), fields: fieldsOf(name) }));

function bytes(hexText: string): Uint8Array {
  return new Uint8Array(Buffer.from(hexText.replaceAll(' ', ''), 'hex'));
}

/** A message of the given AVPs, Message Type and all. */
function raw(...avps: Partial<RawAvp>[]): Uint8Array {
  const writer = new ByteWriter();
  writer.u16(0xc802).u16(0).u16(7).u16(0).u16(0).u16(1);
  for (const avp of avps) {
    writeAvp(writer, { mandatory: true, hidden: false, vendor: 0, type: 0, value: new Uint8Array(), ...avp });
  }
  return writer.patchU16(2, writer.length).finish();
}

const SCCCN_TYPE = { value: bytes('0003') };

describe('control messages', () => {
  it('are encoded octet by octet as the RFC draws them', () => {
    const datagram = encodeControlMessage({ tunnelId: 0, sessionId: 0, ns: 0, nr: 0 }, 'SCCRQ', {
      protocolVersion: { version: 1, revision: 0 },
      hostName: 'lac',
      framingCapabilities: 3,
      assignedTunnelId: 0x1234,
      receiveWindowSize: 4,
      tieBreaker: 0x0102030405060708n,
    });
    const expected = [
      'c802004d 00000000 00000000',
      '8008 0000 0000 0001', // Message Type
      '8008 0000 0002 0100', // Protocol Version
      '8009 0000 0007 6c6163', // Host Name
      '800a 0000 0003 00000003', // Framing Capabilities
      '8008 0000 0009 1234', // Assigned Tunnel ID
      '8008 0000 000a 0004', // Receive Window Size
      '000e 0000 0005 0102030405060708', // Tie Breaker, M bit 0
    ];
    expect(hex(datagram)).toBe(expected.join('').replaceAll(' ', ''));
  });

  it('write Call Errors and ACCM behind two reserved octets', () => {
    const accm = { sendAccm: 0xffffffff, receiveAccm: 0xa0000 };
    const sli = encodeControlMessage(HEADER, 'SLI', { accm });
    expect(hex(sli.subarray(20))).toBe('801000000023' + '0000' + 'ffffffff' + '000a0000');
    const errors = { crcErrors: 1, framingErrors: 2, hardwareOverruns: 3, bufferOverruns: 4, timeoutErrors: 5 };
    const wen = encodeControlMessage(HEADER, 'WEN', { callErrors: { ...errors, alignmentErrors: 6 } });
    expect(hex(wen.subarray(20))).toBe(
      '802000000022' + '0000' + '00000001' + '00000002' + '00000003' + '00000004' + '00000005' + '00000006',
    );
  });

  it('decode to what was encoded', () => {
    fc.assert(
      fc.property(message, ({ name, fields }) => {
        const { header, body } = decodeControlMessage(encodeControlMessage(HEADER, name, fields));
        expect(header).toMatchObject(HEADER);
        expect(body?.name).toBe(name);
        expect(body?.fields).toEqual(fields);
        expect(body && findProblem(body, MESSAGES[name])).toBeUndefined();
      }),
    );
  });

  it('decode to what was encoded with everything hidden that may be hidden', () => {
    fc.assert(
      fc.property(message, fc.integer(), ({ name, fields }, seed) => {
        const hiding = { secret: SECRET, random: new SeededRandom(seed), hides: () => true };
        const { body } = decodeControlMessage(encodeControlMessage(HEADER, name, fields, hiding), SECRET);
        expect(body?.fields).toEqual(fields);
        for (const avp of body?.avps ?? []) expect(avp.hidden).toBe(avp.key ? avpDefinition(avp.key).hideable : false);
        expect(body && findProblem(body, MESSAGES[name])).toBeUndefined();
      }),
    );
  });

  it('hide numbers and names, behind a Random Vector of 16 octets, and nothing else by default', () => {
    const fields = { assignedSessionId: 1, callSerialNumber: 2, callingNumber: '0301234', calledNumber: '110' };
    const hiding = { secret: SECRET, random: new SeededRandom(1) };
    const { body } = decodeControlMessage(encodeControlMessage(HEADER, 'ICRQ', fields, hiding), SECRET);
    const seen = body?.avps.map((avp) => [avp.key, avp.hidden, avp.raw.length]);
    expect(seen?.map(([key, hidden]) => [key, hidden])).toEqual([
      ['messageType', false],
      ['assignedSessionId', false],
      ['callSerialNumber', false],
      ['randomVector', false],
      ['callingNumber', true],
      ['calledNumber', true],
    ]);
    expect(seen?.[3]?.[2]).toBe(16);
    expect(body?.fields).toEqual(fields);
  });

  it('pad hidden values by a random number of octets', () => {
    const lengths = new Set<number>();
    for (let seed = 0; seed < 40; seed++) {
      const hiding = { secret: SECRET, random: new SeededRandom(seed) };
      const datagram = encodeControlMessage(
        HEADER,
        'ICRQ',
        { assignedSessionId: 1, callSerialNumber: 2, calledNumber: '1' },
        hiding,
      );
      lengths.add(datagram.length);
    }
    expect(lengths.size).toBeGreaterThan(8);
  });

  it('refuse to encode fields that are missing, foreign or too long', () => {
    expect(() => encodeControlMessage(HEADER, 'ICRP', {})).toThrow(EncodeError);
    expect(() => encodeControlMessage(HEADER, 'HELLO', { hostName: 'x' })).toThrow(EncodeError);
    const long = { assignedSessionId: 1, callSerialNumber: 1, calledNumber: '1'.repeat(1018) };
    expect(() => encodeControlMessage(HEADER, 'ICRQ', long)).toThrow(EncodeError);
    expect(() => encodeControlMessage(HEADER, 'ICRP', { assignedSessionId: 70_000 })).toThrow();
  });

  it('throw nothing but DecodeError on any octets', () => {
    const behindHeader = fc.uint8Array({ maxLength: 80 }).map((body) => {
      const header = new ByteWriter()
        .u16(0xc802)
        .u16(12 + body.length)
        .bytes(new Uint8Array(8))
        .finish();
      return concatBytes(header, body);
    });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 80 }), behindHeader), (datagram) => {
        try {
          decodeControlMessage(datagram, SECRET);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('throw nothing but DecodeError on valid messages with single octets changed', () => {
    fc.assert(
      fc.property(message, fc.nat(), fc.integer({ min: 0, max: 255 }), ({ name, fields }, at, octet) => {
        const datagram = encodeControlMessage(HEADER, name, fields);
        datagram[at % datagram.length] = octet;
        try {
          decodeControlMessage(datagram, SECRET);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
    );
  });
});

describe('decoding', () => {
  it('takes a header alone for a ZLB', () => {
    expect(decodeControlMessage(bytes('c802000c 00070005 00010002')).body).toBeUndefined();
  });

  it.each([
    ['begins with another AVP', raw({ type: 7, value: bytes('61') }, SCCCN_TYPE)],
    ['hides its Message Type', raw({ ...SCCCN_TYPE, hidden: true })],
    ['has a Message Type of one octet', raw({ value: bytes('03') })],
    ['has an AVP of Length 5', bytes('c8020019 00070000 00000001 8008 0000 0000 0003 8005 0000 00')],
    ['has an AVP of Length 0', bytes('c802001a 00070000 00000001 8008 0000 0000 0003 8000 0000 0000')],
    ['has an AVP that goes on past its end', bytes('c802001a 00070000 00000001 8008 0000 0000 0003 8007 0000 0000')],
    ['ends within an AVP header', bytes('c8020017 00070000 00000001 8008 0000 0000 0003 800600')],
  ])('refuses a message that %s', (_, datagram) => {
    expect(() => decodeControlMessage(datagram)).toThrow(DecodeError);
  });

  it('skips unknown optional AVPs by their length', () => {
    const datagram = raw(
      SCCCN_TYPE,
      { mandatory: false, vendor: 3562, type: 2, value: bytes('00112233') },
      { mandatory: false, type: 4711, value: bytes('') },
      { type: 13, value: new Uint8Array(16) },
    );
    const { body } = decodeControlMessage(datagram);
    expect(body?.fields).toEqual({ challengeResponse: new Uint8Array(16) });
    expect(body && findProblem(body, MESSAGES.SCCCN)).toBeUndefined();
  });

  it('does not take a vendor AVP for the IETF AVP of the same number', () => {
    const { body } = decodeControlMessage(
      raw(SCCCN_TYPE, { mandatory: false, vendor: 9, type: 7, value: bytes('61') }),
    );
    expect(body?.fields).toEqual({});
  });

  it('calls an unknown mandatory AVP a problem with error code 8, naming it', () => {
    const { body } = decodeControlMessage(raw(SCCCN_TYPE, { vendor: 311, type: 99 }));
    const problem = body && findProblem(body, MESSAGES.SCCCN);
    expect(problem).toMatchObject({ resultCode: 2, errorCode: 8 });
    expect(problem?.message).toContain('311');
    expect(problem?.message).toContain('99');
  });

  it('treats a known AVP with a reserved bit as an unknown one', () => {
    const datagram = raw(SCCCN_TYPE, { type: 13, value: new Uint8Array(16) });
    datagram[20] = (datagram[20] ?? 0) | 0x20;
    const { body } = decodeControlMessage(datagram);
    expect(body?.fields).toEqual({});
    expect(body && findProblem(body, MESSAGES.SCCCN)?.errorCode).toBe(8);
  });

  it('ignores the M bit of a known AVP', () => {
    const datagram = raw(
      { value: bytes('000c') },
      { type: 24, value: bytes('00000001'), mandatory: false },
      { type: 19, value: bytes('00000001'), mandatory: false },
      { type: 38, value: bytes('0001'), mandatory: true },
    );
    const { body } = decodeControlMessage(datagram);
    expect(body?.fields).toEqual({ txConnectSpeed: 1, framingType: 1 });
    expect(body && findProblem(body, MESSAGES.ICCN)).toBeUndefined();
  });

  it('calls a mandatory AVP of wrong length a problem with error code 2, and one out of range with 3', () => {
    const wrongLength = decodeControlMessage(raw(SCCCN_TYPE, { type: 13, value: new Uint8Array(15) })).body;
    expect(wrongLength && findProblem(wrongLength, MESSAGES.SCCCN)).toMatchObject({ resultCode: 2, errorCode: 2 });
    const zeroId = decodeControlMessage(raw({ value: bytes('000b') }, { type: 14, value: bytes('0000') })).body;
    expect(zeroId && findProblem(zeroId, MESSAGES.ICRP)).toMatchObject({ resultCode: 2, errorCode: 3 });
  });

  it('calls a missing required AVP a problem', () => {
    const { body } = decodeControlMessage(raw({ value: bytes('000b') }));
    expect(body && findProblem(body, MESSAGES.ICRP)?.message).toContain('Assigned Session ID');
  });

  it('reads a Result Code with and without Error Code and message', () => {
    const result = (value: string): unknown =>
      decodeControlMessage(raw({ value: bytes('0004') }, { type: 1, value: bytes(value) })).body?.fields.resultCode;
    expect(result('0001')).toEqual({ resultCode: 1 });
    expect(result('0002 0004')).toEqual({ resultCode: 2, errorCode: 4 });
    expect(result('0002 0004 c3a4')).toEqual({ resultCode: 2, errorCode: 4, message: 'ä' });
    expect(result('0002 0004 e4')).toEqual({ resultCode: 2, errorCode: 4, message: 'ä' });
    expect(result('00')).toBeUndefined();
  });

  it('uses the last Random Vector before a hidden AVP, of whatever length', () => {
    const first = new Uint8Array(1017).fill(1);
    const second = bytes('02');
    const id = bytes('0042');
    const response = new Uint8Array(16).fill(9);
    const datagram = raw(
      { value: bytes('0002') },
      { type: 36, value: first },
      { type: 9, hidden: true, value: hideValue(9, SECRET, first, id, new Uint8Array(3)) },
      { type: 36, value: second },
      { type: 13, hidden: true, value: hideValue(13, SECRET, second, response, new Uint8Array()) },
    );
    const { body } = decodeControlMessage(datagram, SECRET);
    expect(body?.fields).toEqual({ assignedTunnelId: 0x42, challengeResponse: response });
  });

  it('cannot read a hidden AVP without a Random Vector or without a secret', () => {
    const hidden = hideValue(13, SECRET, bytes('01'), new Uint8Array(16), new Uint8Array());
    const withoutVector = raw(SCCCN_TYPE, { type: 13, hidden: true, value: hidden });
    const complete = raw(SCCCN_TYPE, { type: 36, value: bytes('01') }, { type: 13, hidden: true, value: hidden });
    for (const { body } of [decodeControlMessage(withoutVector, SECRET), decodeControlMessage(complete)]) {
      expect(body?.fields).toEqual({});
      expect(body && findProblem(body, MESSAGES.SCCCN)?.resultCode).toBe(2);
    }
    expect(decodeControlMessage(complete, SECRET).body?.fields.challengeResponse).toEqual(new Uint8Array(16));
  });
});
