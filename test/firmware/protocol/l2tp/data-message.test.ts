import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hex } from '../../../../firmware/protocol/bytes.ts';
import {
  type DataMessageFault,
  dataHeaderLength,
  decodeDataMessage,
  encodeDataHeader,
  MAX_DATA_HEADER_LENGTH,
  newDataHeader,
  newDataMessage,
} from '../../../../firmware/protocol/l2tp/data-message.ts';

function bytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'));
}

function faultOf(text: string): DataMessageFault | undefined {
  const datagram = bytes(text);
  return decodeDataMessage(datagram, 0, datagram.length, newDataMessage());
}

const u16 = fc.integer({ min: 0, max: 0xffff });

describe('data messages', () => {
  it('have six octets of header when no field is wanted', () => {
    const buffer = new Uint8Array(8).fill(0xee);
    expect(encodeDataHeader(buffer, 1, newDataHeader(0x0102, 0x0304), 40)).toBe(6);
    expect(hex(buffer)).toBe('ee000201020304ee');
  });

  it('carry Length, Ns and an offset in the order of figure 3.1', () => {
    const header = { ...newDataHeader(1, 2), lengthField: true, sequenced: true, ns: 0xabcd, offsetSize: 2 };
    const buffer = new Uint8Array(16).fill(0xee);
    expect(encodeDataHeader(buffer, 0, { ...header, priority: true }, 4)).toBe(16);
    expect(hex(buffer)).toBe('4b020014' + '00010002' + 'abcd0000' + '00020000');
  });

  it('decode to what was encoded, whatever combination of L, S, O and P', () => {
    fc.assert(
      fc.property(
        fc.record({
          tunnelId: u16,
          sessionId: u16,
          lengthField: fc.boolean(),
          sequenced: fc.boolean(),
          ns: u16,
          priority: fc.boolean(),
          offsetSize: fc.integer({ min: -1, max: 20 }),
        }),
        fc.uint8Array({ maxLength: 50 }),
        fc.integer({ min: 0, max: 9 }),
        (header, payload, at) => {
          const buffer = new Uint8Array(100);
          const length = encodeDataHeader(buffer, at, header, payload.length);
          expect(length).toBe(dataHeaderLength(header));
          buffer.set(payload, at + length);
          const into = newDataMessage();
          expect(decodeDataMessage(buffer, at, length + payload.length, into)).toBeUndefined();
          expect(into).toEqual({
            tunnelId: header.tunnelId,
            sessionId: header.sessionId,
            sequenced: header.sequenced,
            ns: header.sequenced ? header.ns : 0,
            nr: 0,
            priority: header.priority,
            payloadOffset: at + length,
            payloadLength: payload.length,
          });
        },
      ),
    );
  });

  it('may have an Offset Size of 0', () => {
    const datagram = bytes('0202 0001 0002 0000 ff03');
    const into = newDataMessage();
    expect(decodeDataMessage(datagram, 0, datagram.length, into)).toBeUndefined();
    expect(into).toMatchObject({ payloadOffset: 8, payloadLength: 2 });
  });

  it('end where the Length field says, though the datagram goes on', () => {
    const datagram = bytes('4002 000a 0001 0002 ff03 dead');
    const into = newDataMessage();
    expect(decodeDataMessage(datagram, 0, datagram.length, into)).toBeUndefined();
    expect(into).toMatchObject({ payloadOffset: 8, payloadLength: 2 });
  });

  it.each<[string, DataMessageFault]>([
    ['', 'short'],
    ['0002 0001 00', 'short'],
    ['0802 0001 0002 0000', 'short'],
    ['0202 0001 0002 00', 'short'],
    ['4002 0006 0001 0002', 'short'],
    ['c802 000c 0001 0000 0000 0000', 'control'],
    ['0001 0001 0002', 'version'],
    ['0003 0001 0002', 'version'],
    ['4002 0009 0001 0002', 'length'],
    ['0202 0001 0002 0003 ff03', 'offset'],
  ])('%s is told to be wrong: %s', (text, fault) => {
    expect(faultOf(text)).toBe(fault);
  });

  it('never make the decoder throw or point outside of the datagram', () => {
    const into = newDataMessage();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (datagram) => {
        if (decodeDataMessage(datagram, 0, datagram.length, into) !== undefined) return;
        expect(into.payloadLength).toBeGreaterThanOrEqual(0);
        expect(into.payloadOffset + into.payloadLength).toBeLessThanOrEqual(datagram.length);
      }),
    );
  });

  it('are refused when asked to read past the buffer', () => {
    expect(decodeDataMessage(bytes('0002 0001 0002'), 0, 7, newDataMessage())).toBe('short');
  });

  it('know their longest header', () => {
    const header = { ...newDataHeader(1, 1), lengthField: true, sequenced: true, offsetSize: 0 };
    expect(dataHeaderLength(header)).toBe(MAX_DATA_HEADER_LENGTH);
  });
});
