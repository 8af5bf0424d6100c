import { describe, expect, it } from 'vitest';
import {
  enhancedPacket,
  enhancedPacketOctets,
  interfaceDescription,
  interfaceStatistics,
  sectionHeader,
} from '../../../../firmware/diagnosis/capture/pcapng-writer.ts';
import { CaptureReader } from '../../../../firmware/diagnosis/decode/capture-reader.ts';
import { blocksOf, optionsOf, statisticsOf } from './pcapng-blocks.ts';

/** 2026-01-01, and some nanoseconds that no millisecond has. */
const TIME = 1_767_225_600_123_456_789n;

const BEGINNING = [
  sectionHeader('Culvert 1'),
  interfaceDescription({ link: 'ethernet', snapLength: 1500, name: 'eth0', description: 'wan' }),
  interfaceDescription({ link: 'ip', snapLength: 100, name: 'l2tp-hq', description: 'the inside of hq' }),
];

function packet(length: number, interfaceId = 0, originalLength = length): Uint8Array {
  const bytes = Uint8Array.from({ length }, (_, index) => index);
  return enhancedPacket({ interfaceId, time: TIME, originalLength, direction: 'outbound' }, bytes);
}

describe('a file that is written', () => {
  it.each([0, 1, 2, 3, 4, 5, 1500])('is read back by the decoder, a packet of %i octets', (length) => {
    const reader = new CaptureReader();
    const file = Buffer.concat([...BEGINNING, packet(length, 1, length + 7)]);
    const [read] = [...reader.push(file)];
    reader.end();
    expect(read).toMatchObject({ frame: 1, linkType: 101, originalLength: length + 7 });
    expect(read?.bytes).toEqual(Uint8Array.from({ length }, (_, index) => index));
    expect(read?.time).toBeCloseTo(Number(TIME / 1000n) / 1000, 2);
  });

  it('says of what interface, in what unit of time, and by whom', () => {
    const [section, ethernet, tunnel] = blocksOf(Buffer.concat(BEGINNING));
    expect(section?.type).toBe(0x0a0d0d0a);
    expect(section?.body.subarray(0, 16).toString('hex')).toBe(`4d3c2b1a01000000${'ff'.repeat(8)}`);
    expect(
      optionsOf(section?.body ?? Buffer.of(), 16)
        .get(4)
        ?.toString(),
    ).toBe('Culvert 1');
    expect([ethernet, tunnel].map((block) => block?.body.readUInt16LE(0))).toEqual([1, 101]);
    expect([ethernet, tunnel].map((block) => block?.body.readUInt32LE(4))).toEqual([1500, 100]);
    const options = optionsOf(tunnel?.body ?? Buffer.of(), 8);
    expect([options.get(2)?.toString(), options.get(3)?.toString()]).toEqual(['l2tp-hq', 'the inside of hq']);
    expect([...(options.get(9) ?? [])]).toEqual([9]);
  });

  it('tells of each packet which way it went, to the nanosecond', () => {
    for (const [direction, flags] of [
      ['inbound', 1],
      ['outbound', 2],
    ] as const) {
      const block = enhancedPacket({ interfaceId: 0, time: TIME, originalLength: 5, direction }, new Uint8Array(5));
      const [{ body } = { body: Buffer.of() }] = blocksOf(block);
      expect((BigInt(body.readUInt32LE(4)) << 32n) + BigInt(body.readUInt32LE(8))).toBe(TIME);
      expect(optionsOf(body, 28).get(2)?.readUInt32LE(0)).toBe(flags);
    }
  });

  it('is as long as was foretold', () => {
    for (const length of [0, 1, 4, 63]) expect(packet(length).length).toBe(enhancedPacketOctets(length));
  });

  it('ends with what passed and what was lost', () => {
    const times = { start: TIME, end: TIME + 5n };
    const numbers = { received: 2 ** 40, dropped: 7, delivered: 3 };
    const block = interfaceStatistics({ interfaceId: 1, ...times, ...numbers, comment: 'over' });
    expect(statisticsOf(block)).toEqual([{ interfaceId: 1, ...numbers, comment: 'over' }]);
  });
});
