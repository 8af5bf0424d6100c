/** A user's packet in one line: addresses, protocol, ports. */
import type { DecodedBody, Fields } from './decoded.ts';
import type { IpPacket } from './ip-packet.ts';
import { IpProtocol } from './ip-packet.ts';

const NAMES: ReadonlyMap<number, string> = new Map([
  [1, 'ICMP'],
  [2, 'IGMP'],
  [4, 'IP in IP'],
  [6, 'TCP'],
  [17, 'UDP'],
  [41, 'IPv6'],
  [47, 'GRE'],
  [50, 'ESP'],
  [51, 'AH'],
  [58, 'ICMPv6'],
  [89, 'OSPF'],
  [115, 'L2TPv3'],
  [132, 'SCTP'],
]);

const ICMP: ReadonlyMap<number, string> = new Map([
  [0, 'echo reply'],
  [3, 'destination unreachable'],
  [5, 'redirect'],
  [8, 'echo request'],
  [11, 'time exceeded'],
  [12, 'parameter problem'],
]);

const ICMPV6: ReadonlyMap<number, string> = new Map([
  [1, 'destination unreachable'],
  [2, 'packet too big'],
  [3, 'time exceeded'],
  [4, 'parameter problem'],
  [128, 'echo request'],
  [129, 'echo reply'],
  [133, 'router solicitation'],
  [134, 'router advertisement'],
  [135, 'neighbor solicitation'],
  [136, 'neighbor advertisement'],
]);

export function userPacketBody(packet: IpPacket): DecodedBody {
  const { version, source, destination, protocol, fragment } = packet;
  const name = NAMES.get(protocol) ?? `protocol ${protocol}`;
  const length = packet.payload.bytes.length + packet.payload.missing;
  const detail = fragment !== undefined && fragment.offset > 0 ? {} : detailOf(packet);
  const fields: Fields = { version, source, destination, protocol: name, length, ...detail };
  const part = fragment === undefined ? {} : { fragment: { ...fragment } };
  const from = 'sourcePort' in detail ? `${bracketed(source)}:${detail.sourcePort}` : source;
  const to = 'destinationPort' in detail ? `${bracketed(destination)}:${detail.destinationPort}` : destination;
  const what = 'icmpType' in detail ? `${name} ${detail.icmpType}` : name;
  const piece = fragment === undefined ? '' : `, fragment at ${fragment.offset}`;
  const summary = `${what} from ${from} to ${to}, ${length} octets${piece}`;
  return { protocol: 'ip', summary, fields: { ...fields, ...part } };
}

type Detail =
  | { readonly sourcePort: number; readonly destinationPort: number }
  | { readonly icmpType: string; readonly icmpCode: number }
  | Record<string, never>;

function detailOf({ protocol, payload: { bytes } }: IpPacket): Detail {
  if (bytes.length < 4) return {};
  if (protocol === IpProtocol.tcp || protocol === IpProtocol.udp) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    return { sourcePort: view.getUint16(0), destinationPort: view.getUint16(2) };
  }
  if (protocol !== IpProtocol.icmp && protocol !== IpProtocol.icmpv6) return {};
  const type = bytes[0] ?? 0;
  const known = (protocol === IpProtocol.icmp ? ICMP : ICMPV6).get(type);
  return { icmpType: known ?? `type ${type}`, icmpCode: bytes[1] ?? 0 };
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
