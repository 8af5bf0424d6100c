import { describe, expect, it } from 'vitest';
import { CaptureReader } from '../../../../firmware/diagnosis/decode/capture-reader.ts';
import { type CapturedPacket, CaptureError } from '../../../../firmware/diagnosis/decode/capture-types.ts';
import { concatBytes, utf8Bytes } from '../../../../firmware/protocol/bytes.ts';
import { LINKTYPE_ETHERNET, pcapFile } from '../../../support/capture-builder.ts';
import { PcapngSection } from '../../../support/pcapng-builder.ts';

/** Reads in chunks of so many octets, and copies what is a view. */
function read(file: Uint8Array, chunk = file.length): readonly CapturedPacket[] {
  const reader = new CaptureReader();
  const packets: CapturedPacket[] = [];
  for (let at = 0; at < file.length; at += chunk) {
    for (const packet of reader.push(file.subarray(at, at + chunk))) {
      packets.push({ ...packet, bytes: packet.bytes.slice() });
    }
  }
  reader.end();
  return packets;
}

const A = Uint8Array.of(1, 2, 3, 4, 5);
const B = Uint8Array.of(6, 7);
const TIME = 1_700_000_000_123.456;

describe('a pcap file', () => {
  for (const littleEndian of [true, false]) {
    for (const nanoseconds of [true, false]) {
      it(`is read with ${littleEndian ? 'little' : 'big'} endian ${nanoseconds ? 'nano' : 'micro'}seconds`, () => {
        const options = { littleEndian, nanoseconds, linkType: LINKTYPE_ETHERNET };
        const file = pcapFile(
          [
            { bytes: A, time: TIME },
            { bytes: B, originalLength: 60, time: 5 },
          ],
          options,
        );
        const expected = [
          { frame: 1, time: TIME, linkType: LINKTYPE_ETHERNET, bytes: A, originalLength: 5 },
          { frame: 2, time: 5, linkType: LINKTYPE_ETHERNET, bytes: B, originalLength: 60 },
        ];
        for (const chunk of [1, 7, 1000]) expect(read(file, chunk)).toEqual(expected);
      });
    }
  }

  it('that ends in the middle of a packet gives what came before, and says so', () => {
    const file = pcapFile([{ bytes: A }, { bytes: B }]);
    const reader = new CaptureReader();
    expect([...reader.push(file.subarray(0, -1))]).toHaveLength(1);
    expect(() => reader.end()).toThrow(/ends in the middle of a record, behind frame 1/);
  });

  it('with a packet of a length that nobody captures is damaged, and not buffered', () => {
    const file = pcapFile([{ bytes: A }]);
    new DataView(file.buffer).setUint32(24 + 8, 0x7fff_ffff, true);
    expect(() => read(file)).toThrow(/frame 1 claims to have 2147483647 octets/);
  });
});

describe('a pcapng file', () => {
  for (const littleEndian of [true, false]) {
    it(`is read ${littleEndian ? 'little' : 'big'} endian, with every kind of packet block`, () => {
      const section = new PcapngSection(littleEndian)
        .interface(1)
        .enhanced(0, 1_700_000_000_123_456n, A, 60)
        .old(0, 2_000_000n, B)
        .simple(B);
      const file = section.finish();
      const expected = [
        { frame: 1, time: TIME, linkType: 1, bytes: A, originalLength: 60 },
        { frame: 2, time: 2000, linkType: 1, bytes: B, originalLength: 2 },
        { frame: 3, time: 2000, linkType: 1, bytes: B, originalLength: 2 },
      ];
      for (const chunk of [1, 7, 1000]) expect(read(file, chunk)).toEqual(expected);
    });
  }

  it('tells time by the resolution and the offset of each interface', () => {
    const seconds = new Uint8Array(8);
    new DataView(seconds.buffer).setBigInt64(0, -10n, true);
    const file = new PcapngSection()
      .interface(1)
      .interface(101, [
        [2, utf8Bytes('eth0')],
        [9, Uint8Array.of(9)],
      ])
      .interface(113, [[9, Uint8Array.of(0x80 | 10)]])
      .interface(113, [[14, seconds]])
      .enhanced(0, 1_000_000n, A)
      .enhanced(1, 1_000_000_000n, A)
      .enhanced(2, 1024n, A)
      .enhanced(3, 11_000_000n, A)
      .finish();
    expect(read(file).map(({ time, linkType }) => [linkType, time])).toEqual([
      [1, 1000],
      [101, 1000],
      [113, 1000],
      [113, 1000],
    ]);
  });

  it('has sections with a byte order and interfaces of their own, and numbers packets through', () => {
    const file = concatBytes(
      new PcapngSection(true).interface(1).enhanced(0, 1n, A).finish(),
      new PcapngSection(false).interface(101).enhanced(0, 2n, B).finish(),
    );
    expect(read(file, 5).map(({ frame, linkType }) => [frame, linkType])).toEqual([
      [1, 1],
      [2, 101],
    ]);
  });

  it('has blocks of no interest, however long, which are stepped over', () => {
    const section = new PcapngSection().block(10, new Uint8Array(2_000_000)).interface(1);
    const file = section.block(5, new Uint8Array(16)).enhanced(0, 1n, A).finish();
    expect(read(file, 4096)).toHaveLength(1);
  });

  it('cuts a simple packet at the snap length of its interface', () => {
    const file = new PcapngSection().interface(1, [], 2).simple(B, 1500).finish();
    expect(read(file)).toMatchObject([{ bytes: B, originalLength: 1500 }]);
  });

  it.each([
    ['a packet of an interface that is not described', new PcapngSection().enhanced(0, 1n, A)],
    ['a block that is too short', new PcapngSection().interface(1).block(6, new Uint8Array(4))],
    ['a block with a length of', new PcapngSection().block(1, new Uint8Array(7))],
  ])('that has %s is damaged, which is said', (_what, section) => {
    expect(() => read(section.finish())).toThrow(CaptureError);
  });
});

describe('what is no capture', () => {
  it.each([
    ['text', utf8Bytes('this is no capture'), /neither a pcap nor a pcapng file/],
    ['nothing', new Uint8Array(0), /neither a pcap nor a pcapng file/],
    ['a compressed file', Uint8Array.of(0x1f, 0x8b, 8, 0, 0), /gzip: decompress it first/],
  ])('is refused: %s', (_what, file, words) => {
    try {
      read(file, 3);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(CaptureError);
      expect(error).toMatchObject({ partly: false, message: expect.stringMatching(words) });
    }
  });
});
