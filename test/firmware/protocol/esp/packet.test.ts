import { describe, expect, it } from 'vitest';
import {
  type EspSizes,
  espNextHeader,
  espOctets,
  espPayloadOctets,
  espSequence,
  espSpi,
  largestEspPayload,
  putEspHeader,
  putEspTrailer,
} from '../../../../firmware/protocol/esp/packet.ts';

const GCM: EspSizes = { ivOctets: 8, icvOctets: 16, blockOctets: 1 };
const CBC: EspSizes = { ivOctets: 16, icvOctets: 12, blockOctets: 16 };
const TRIPLE_DES: EspSizes = { ivOctets: 8, icvOctets: 12, blockOctets: 8 };

describe('the ESP packet', () => {
  it('carries SPI and sequence number in network order, unsigned', () => {
    const bytes = new Uint8Array(12);
    putEspHeader(bytes, 2, 0xfedcba98, 0xffffffff);
    expect([...bytes]).toEqual([0, 0, 0xfe, 0xdc, 0xba, 0x98, 0xff, 0xff, 0xff, 0xff, 0, 0]);
    expect(espSpi(bytes, 2)).toBe(0xfedcba98);
    expect(espSequence(bytes, 2)).toBe(0xffffffff);
  });

  it('is padded with 1, 2, 3 ... to a multiple of 4 octets and of the block', () => {
    const padding = (sizes: EspSizes, payload: number): readonly number[] => {
      const bytes = new Uint8Array(64).fill(0xaa);
      const end = putEspTrailer(bytes, 0, payload, sizes, 17);
      expect(bytes[end]).toBe(0xaa);
      return [...bytes.subarray(payload, end)];
    };
    expect(padding(GCM, 2)).toEqual([0, 17]);
    expect(padding(GCM, 3)).toEqual([1, 2, 3, 3, 17]);
    expect(padding(TRIPLE_DES, 4)).toEqual([1, 2, 2, 17]);
    expect(padding(CBC, 14)).toEqual([0, 17]);
    expect(padding(CBC, 15)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 15, 17]);
  });

  it('has a known length for each payload, and the largest payload for each length', () => {
    expect(espOctets(GCM, 1424)).toBe(8 + 8 + 1428 + 16);
    expect(espOctets(CBC, 0)).toBe(8 + 16 + 16 + 12);
    for (const sizes of [GCM, CBC, TRIPLE_DES]) {
      for (let room = 100; room < 200; room++) {
        const payload = largestEspPayload(sizes, room);
        expect(espOctets(sizes, payload)).toBeLessThanOrEqual(room);
        expect(espOctets(sizes, payload + 1)).toBeGreaterThan(room);
      }
    }
    expect(largestEspPayload(CBC, 36)).toBeLessThan(0);
  });

  it('tells the payload from the padding, and a Pad Length that is a lie', () => {
    const bytes = Uint8Array.of(9, 9, 9, 1, 2, 2, 41);
    expect(espPayloadOctets(bytes, 0, 7)).toBe(3);
    expect(espNextHeader(bytes, 7)).toBe(41);
    bytes[5] = 5;
    expect(espPayloadOctets(bytes, 0, 7)).toBe(0);
    bytes[5] = 6;
    expect(espPayloadOctets(bytes, 0, 7)).toBe(-1);
    bytes[5] = 255;
    expect(espPayloadOctets(bytes, 0, 7)).toBe(-1);
  });
});
