/** Router Solicitation and Router Advertisement (RFC 4861 sections 4.1, 4.2 and 6.1). */
import { ByteReader, ByteWriter, DecodeError } from '../bytes.ts';
import { ipv6Text, isLinkLocal } from '../ipv6-address.ts';
import { decodeDiscovery, encodeDiscovery } from './icmpv6.ts';
import {
  decodeOptions,
  type PrefixInformation,
  type RecursiveDnsServers,
  SOURCE_LINK_LAYER_ADDRESS,
  writeDns,
  writeMtu,
  writePrefix,
} from './options.ts';

const ROUTER_SOLICITATION = 133;
const ROUTER_ADVERTISEMENT = 134;

export const ALL_NODES = 'ff02::1';
export const ALL_ROUTERS = 'ff02::2';
export const UNSPECIFIED = '::';

/** M and O flags. */
const MANAGED = 0x80;
const OTHER = 0x40;

export interface RouterSolicitation {
  readonly kind: 'solicitation';
  /** `::` where the host has no address yet. */
  readonly source: string;
}

export interface RouterAdvertisement {
  readonly kind: 'advertisement';
  /** Link-local. */
  readonly source: string;
  /** 0: says nothing of it. */
  readonly hopLimit: number;
  /** Addresses, and other things, are to be had by DHCPv6. */
  readonly managed: boolean;
  readonly other: boolean;
  /** 0..65535; 0: this is no default router. */
  readonly lifetimeSeconds: number;
  readonly prefixes: readonly PrefixInformation[];
  readonly dns: readonly RecursiveDnsServers[];
  /** Octets. */
  readonly mtu?: number;
}

/** As a whole IPv6 packet. A link without link-layer addresses has none to tell. */
export function encodeSolicitation(source: string): Uint8Array {
  return encodeDiscovery(source, ALL_ROUTERS, ROUTER_SOLICITATION, new Uint8Array(4));
}

/** As a whole IPv6 packet. */
export function encodeAdvertisement(
  advertisement: Omit<RouterAdvertisement, 'kind'>,
  destination: string = ALL_NODES,
): Uint8Array {
  const { hopLimit, managed, other, lifetimeSeconds, mtu, prefixes, dns } = advertisement;
  const writer = new ByteWriter(128)
    .u8(hopLimit)
    .u8((managed ? MANAGED : 0) | (other ? OTHER : 0))
    .u16(lifetimeSeconds)
    // Reachable Time and Retrans Timer: there is nothing to resolve on a point-to-point link.
    .u32(0)
    .u32(0);
  if (mtu !== undefined) writeMtu(writer, mtu);
  for (const prefix of prefixes) writePrefix(writer, prefix);
  for (const servers of dns) writeDns(writer, servers);
  return encodeDiscovery(advertisement.source, destination, ROUTER_ADVERTISEMENT, writer.finish());
}

/**
 * Reads a packet of router discovery.
 * @throws DecodeError for what is to be discarded (RFC 4861 sections 6.1.1 and 6.1.2), and for any other packet.
 */
export function decodeRouterDiscovery(packet: Uint8Array): RouterSolicitation | RouterAdvertisement {
  const { source, type, body } = decodeDiscovery(packet);
  const reader = new ByteReader(body);
  switch (type) {
    case ROUTER_SOLICITATION: {
      reader.skip(4, 'Reserved');
      const { types } = decodeOptions(reader.rest());
      const from = ipv6Text(source);
      if (from === UNSPECIFIED && types.includes(SOURCE_LINK_LAYER_ADDRESS)) {
        throw new DecodeError('a Router Solicitation from nobody that tells a link-layer address');
      }
      return { kind: 'solicitation', source: from };
    }
    case ROUTER_ADVERTISEMENT: {
      if (!isLinkLocal(source)) throw new DecodeError('a Router Advertisement from an address that is not link-local');
      const hopLimit = reader.u8('Cur Hop Limit');
      const flags = reader.u8('flags');
      const lifetimeSeconds = reader.u16('Router Lifetime');
      reader.skip(8, 'Reachable Time and Retrans Timer');
      const { prefixes, dns, mtu } = decodeOptions(reader.rest());
      return {
        kind: 'advertisement',
        source: ipv6Text(source),
        hopLimit,
        managed: (flags & MANAGED) !== 0,
        other: (flags & OTHER) !== 0,
        lifetimeSeconds,
        prefixes,
        dns,
        ...(mtu === undefined ? {} : { mtu }),
      };
    }
    default:
      throw new DecodeError(`ICMPv6 type ${type} is not of router discovery`);
  }
}
