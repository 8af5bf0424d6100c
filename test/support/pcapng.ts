import { closeSync, openSync, writeSync } from 'node:fs';
import type { UdpEndpoint } from '../../firmware/protocol/udp-path.ts';

/** LINKTYPE_RAW: packets begin with the IP header. */
const LINKTYPE_RAW = 101;

/** One UDP datagram of a simulated network, IPv4. */
export interface CapturedDatagram {
  /** Virtual milliseconds. */
  readonly at: number;
  readonly from: UdpEndpoint;
  readonly to: UdpEndpoint;
  readonly bytes: Uint8Array;
  /** Shown as the packet's comment: `dropped`, `duplicate` ... */
  readonly comment?: string;
}

/** Writes datagrams of a simulation as a pcapng file that any analyser opens; dropped ones are in it, with a comment. */
export function writePcapng(file: string, datagrams: readonly CapturedDatagram[]): void {
  const fd = openSync(file, 'w');
  try {
    writeSync(fd, block(0x0a0d0d0a, Buffer.from([0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0, ...new Array(8).fill(0xff)])));
    writeSync(fd, block(1, Buffer.from([LINKTYPE_RAW, 0, 0, 0, 0, 0, 0, 0])));
    for (const datagram of datagrams) writeSync(fd, block(6, enhancedPacket(datagram)));
  } finally {
    closeSync(fd);
  }
}

function block(type: number, body: Buffer): Buffer {
  const length = 12 + body.length;
  const out = Buffer.alloc(length);
  out.writeUInt32LE(type, 0);
  out.writeUInt32LE(length, 4);
  body.copy(out, 8);
  out.writeUInt32LE(length, length - 4);
  return out;
}

function enhancedPacket(datagram: CapturedDatagram): Buffer {
  const packet = udpPacket(datagram);
  const microseconds = BigInt(Math.round(datagram.at * 1000));
  const head = Buffer.alloc(20);
  head.writeUInt32LE(Number(microseconds >> 32n), 4);
  head.writeUInt32LE(Number(microseconds & 0xffffffffn), 8);
  head.writeUInt32LE(packet.length, 12);
  head.writeUInt32LE(packet.length, 16);
  const comment = Buffer.from(datagram.comment ?? '');
  const option = Buffer.alloc(4);
  option.writeUInt16LE(1, 0);
  option.writeUInt16LE(comment.length, 2);
  const options = comment.length === 0 ? [] : [option, padded(comment), Buffer.alloc(4)];
  return Buffer.concat([head, padded(packet), ...options]);
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}

function udpPacket({ from, to, bytes }: CapturedDatagram): Buffer {
  const packet = Buffer.alloc(28 + bytes.length);
  packet[0] = 0x45;
  packet.writeUInt16BE(packet.length, 2);
  packet[8] = 64;
  packet[9] = 17;
  packet.set(from.address.split('.').map(Number), 12);
  packet.set(to.address.split('.').map(Number), 16);
  let sum = 0;
  for (let at = 0; at < 20; at += 2) sum += packet.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  packet.writeUInt16BE(~sum & 0xffff, 10);
  packet.writeUInt16BE(from.port, 20);
  packet.writeUInt16BE(to.port, 22);
  packet.writeUInt16BE(8 + bytes.length, 24);
  packet.set(bytes, 28);
  return packet;
}
