/** Which packets on an interface belong to the outside of a tunnel: IKE, ESP, AH and L2TP with certain peers. */
import { FieldError, type Octets } from '../decode/field-reader.ts';
import { type IpPacket, IpProtocol } from '../decode/ip-packet.ts';
import { readIpv4 } from '../decode/ipv4.ts';
import { readIpv6 } from '../decode/ipv6.ts';
import { linkPayload } from '../decode/link-layer.ts';
import { readUdp } from '../decode/udp.ts';
import { LINK_TYPE } from './pcapng-writer.ts';

export interface OuterTraffic {
  /** Addresses, as the decoder writes them; absent: whoever calls. */
  readonly peers?: ReadonlySet<string>;
  /** Of either end. */
  readonly udpPorts: ReadonlySet<number>;
}

/** Protocols that are nothing but tunnels. */
const PROTOCOLS: readonly number[] = [IpProtocol.esp, IpProtocol.ah];

/**
 * Whether a packet that was captured belongs to it. Of a datagram in fragments only the first one has ports: the others are
 * judged by their addresses, and may be of something else where no peer is known.
 */
export function isOuterTraffic(
  traffic: OuterTraffic,
  link: keyof typeof LINK_TYPE,
  bytes: Uint8Array,
  originalLength: number,
): boolean {
  const packet = ipPacket(LINK_TYPE[link], { bytes, missing: originalLength - bytes.length });
  if (packet === undefined) return false;
  const { source, destination, protocol, payload, fragment } = packet;
  const { peers, udpPorts } = traffic;
  if (peers !== undefined && !peers.has(source) && !peers.has(destination)) return false;
  if (PROTOCOLS.includes(protocol)) return true;
  if (protocol !== IpProtocol.udp) return false;
  if (fragment !== undefined && fragment.offset > 0) return true;
  const datagram = readUdp(payload);
  return datagram !== undefined && (udpPorts.has(datagram.sourcePort) || udpPorts.has(datagram.destinationPort));
}

function ipPacket(linkType: number, octets: Octets): IpPacket | undefined {
  try {
    const found = linkPayload(linkType, octets);
    if (found?.kind !== 'ip') return undefined;
    return (found.octets.bytes[0] ?? 0) >>> 4 === 6 ? readIpv6(found.octets) : readIpv4(found.octets);
  } catch (error) {
    if (error instanceof FieldError) return undefined;
    throw error;
  }
}
