/** Tells from a capture how L2TP over IPsec crossed the network: what was IKE, what was ESP, and what was in clear. */
import { readFileSync } from 'node:fs';
import { LabError } from './shell.ts';

/** Packets of a capture by what they are. A packet is one of these. */
export interface TrafficCount {
  /** IKE, from or to port 500, or behind the four zero octets of port 4500 (RFC 3948, 2.2). */
  ike: number;
  /** ESP as a protocol of IP, number 50. */
  esp: number;
  /** ESP in UDP from or to port 4500. */
  espInUdp: number;
  /** The single octet 0xff of port 4500 (RFC 3948, 2.3). */
  keepalives: number;
  /** L2TP that anybody on the way can read: UDP from or to port 1701. It must be none. */
  clearL2tp: number;
  /** ARP, ICMP, later fragments and the rest. */
  other: number;
}

const UDP = 17;
const ESP = 50;
const IKE_PORT = 500;
const NAT_T_PORT = 4500;
const L2TP_PORT = 1701;
const NON_ESP_MARKER = 0;
const KEEPALIVE = 0xff;

/** Classic pcap in this machine's order, microseconds, as tcpdump writes it. */
const PCAP_MAGIC = 0xa1b2c3d4;
const FILE_HEADER_OCTETS = 24;
const RECORD_HEADER_OCTETS = 16;
/** Octets before the network protocol, and where its EtherType stands, by link type. */
const LINKS: Readonly<Record<number, { readonly header: number; readonly etherType: number }>> = {
  1: { header: 14, etherType: 12 }, // Ethernet
  113: { header: 16, etherType: 14 }, // Linux cooked, of the device `any`
  276: { header: 20, etherType: 0 }, // Linux cooked, version 2
};
const LINK_TYPE_RAW = 101;
const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_IPV6 = 0x86dd;

/**
 * Counts the packets of a file of tcpdump's. The file may still be written to: a packet that is not whole is left out.
 * @throws LabError when it is no such file
 */
export function countTraffic(file: string): TrafficCount {
  const capture = readFileSync(file);
  if (capture.length < FILE_HEADER_OCTETS || capture.readUInt32LE(0) !== PCAP_MAGIC) {
    throw new LabError(`${file} is not a pcap file of tcpdump`);
  }
  const linkType = capture.readUInt32LE(20);
  const count: TrafficCount = { ike: 0, esp: 0, espInUdp: 0, keepalives: 0, clearL2tp: 0, other: 0 };
  for (let at = FILE_HEADER_OCTETS; at + RECORD_HEADER_OCTETS <= capture.length; ) {
    const end = at + RECORD_HEADER_OCTETS + capture.readUInt32LE(at + 8);
    if (end > capture.length) break;
    count[classify(networkPacket(capture.subarray(at + RECORD_HEADER_OCTETS, end), linkType))] += 1;
    at = end;
  }
  return count;
}

/** @returns the IP packet, or nothing where the frame holds another protocol */
function networkPacket(frame: Buffer, linkType: number): Buffer {
  if (linkType === LINK_TYPE_RAW) return frame;
  const link = LINKS[linkType];
  if (link === undefined) throw new LabError(`link type ${linkType} of a capture is unknown here`);
  if (frame.length < link.header) return Buffer.alloc(0);
  const etherType = frame.readUInt16BE(link.etherType);
  const isIp = etherType === ETHERTYPE_IPV4 || etherType === ETHERTYPE_IPV6;
  return isIp ? frame.subarray(link.header) : Buffer.alloc(0);
}

/** What an IP packet is; only what its first fragment tells. */
function classify(packet: Buffer): keyof TrafficCount {
  const transport = transportOf(packet);
  if (transport?.protocol === ESP) return 'esp';
  if (transport?.protocol !== UDP || transport.payload.length < 8) return 'other';
  const ports = [transport.payload.readUInt16BE(0), transport.payload.readUInt16BE(2)];
  const data = transport.payload.subarray(8);
  if (ports.includes(L2TP_PORT)) return 'clearL2tp';
  if (ports.includes(NAT_T_PORT)) return natTraversal(data);
  return ports.includes(IKE_PORT) ? 'ike' : 'other';
}

function natTraversal(data: Buffer): keyof TrafficCount {
  if (data.length === 1 && data[0] === KEEPALIVE) return 'keepalives';
  if (data.length < 4) return 'other';
  return data.readUInt32BE(0) === NON_ESP_MARKER ? 'ike' : 'espInUdp';
}

function transportOf(packet: Buffer): { readonly protocol: number; readonly payload: Buffer } | undefined {
  const version = (packet[0] ?? 0) >> 4;
  if (version === 6 && packet.length >= 40) return { protocol: packet[6] ?? 0, payload: packet.subarray(40) };
  if (version !== 4 || packet.length < 20) return undefined;
  const isLaterFragment = (packet.readUInt16BE(6) & 0x1fff) !== 0;
  if (isLaterFragment) return undefined;
  return { protocol: packet[9] ?? 0, payload: packet.subarray(((packet[0] ?? 0) & 0x0f) * 4) };
}
