import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { countTraffic } from '../../scripts/lab/l2tp-in-clear.ts';

const NONE = { ike: 0, esp: 0, espInUdp: 0, keepalives: 0, clearL2tp: 0, other: 0 };

function ipv4(protocol: number, payload: Buffer, fragmentOffset = 0): Buffer {
  const header = Buffer.from([
    0x45,
    0,
    0,
    20 + payload.length,
    0,
    0,
    0,
    0,
    64,
    protocol,
    0,
    0,
    10,
    0,
    0,
    1,
    10,
    0,
    0,
    2,
  ]);
  header.writeUInt16BE(fragmentOffset, 6);
  return Buffer.concat([header, payload]);
}

function ipv6(protocol: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(40);
  header[0] = 0x60;
  header[6] = protocol;
  return Buffer.concat([header, payload]);
}

function udp(from: number, to: number, data: readonly number[]): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt16BE(from, 0);
  header.writeUInt16BE(to, 2);
  return Buffer.concat([header, Buffer.from(data)]);
}

function ethernet(packet: Buffer, etherType = (packet[0] ?? 0) >> 4 === 6 ? 0x86dd : 0x0800): Buffer {
  const header = Buffer.alloc(14);
  header.writeUInt16BE(etherType, 12);
  return Buffer.concat([header, packet]);
}

describe('the count of what a capture holds', () => {
  const folder = mkdtempSync(join(tmpdir(), 'culvert-test-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function capture(frames: readonly Buffer[], linkType = 1): string {
    const file = join(folder, 'count.pcap');
    const header = Buffer.alloc(24);
    header.writeUInt32LE(0xa1b2c3d4, 0);
    header.writeUInt32LE(linkType, 20);
    const records = frames.flatMap((frame) => {
      const record = Buffer.alloc(16);
      record.writeUInt32LE(frame.length, 8);
      record.writeUInt32LE(frame.length, 12);
      return [record, frame];
    });
    writeFileSync(file, Buffer.concat([header, ...records]));
    return file;
  }

  const DATA = [1, 2, 3, 4, 5];
  it.each<[string, Buffer, object]>([
    ['IKE', ipv4(17, udp(500, 500, DATA)), { ike: 1 }],
    ['IKE from behind a NAT', ipv4(17, udp(23_456, 500, DATA)), { ike: 1 }],
    ['IKE on port 4500', ipv4(17, udp(4500, 33_333, [0, 0, 0, 0, 9])), { ike: 1 }],
    ['ESP in UDP', ipv4(17, udp(4500, 4500, DATA)), { espInUdp: 1 }],
    ['a keepalive', ipv4(17, udp(4500, 4500, [0xff])), { keepalives: 1 }],
    ['ESP', ipv4(50, Buffer.from(DATA)), { esp: 1 }],
    ['ESP over IPv6', ipv6(50, Buffer.from(DATA)), { esp: 1 }],
    ['L2TP in clear to a server', ipv4(17, udp(40_000, 1701, DATA)), { clearL2tp: 1 }],
    ['L2TP in clear from a server', ipv4(17, udp(1701, 40_000, DATA)), { clearL2tp: 1 }],
    ['L2TP in clear over IPv6', ipv6(17, udp(1701, 1701, DATA)), { clearL2tp: 1 }],
    ['a later fragment, whose octets are no ports', ipv4(17, udp(1701, 1701, DATA), 8), { other: 1 }],
    ['DNS', ipv4(17, udp(53, 40_000, DATA)), { other: 1 }],
    ['a packet cut short', ipv4(17, Buffer.from([6, 165])), { other: 1 }],
  ])('knows %s', (_what, packet, expected) => {
    expect(countTraffic(capture([ethernet(packet)]))).toEqual({ ...NONE, ...expected });
    expect(countTraffic(capture([packet], 101))).toEqual({ ...NONE, ...expected });
  });

  it('takes ARP for what it is', () => {
    expect(countTraffic(capture([ethernet(Buffer.alloc(28), 0x0806)]))).toEqual({ ...NONE, other: 1 });
  });

  it('counts what is whole of a file that is still written to', () => {
    const file = capture([ethernet(ipv4(50, Buffer.from(DATA)))]);
    appendFileSync(file, Buffer.alloc(20, 1));
    expect(countTraffic(file)).toEqual({ ...NONE, esp: 1 });
  });

  it('says which file is no capture', () => {
    const file = join(folder, 'text');
    writeFileSync(file, 'no capture');
    expect(() => countTraffic(file)).toThrow(/text is not a pcap file/);
  });
});
