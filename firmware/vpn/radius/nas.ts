/** What this router says of itself and of a call in every packet of RADIUS (RFC 2865 section 5, RFC 2868 section 3). */
import { utf8Bytes } from '../../protocol/bytes.ts';
import { isIpv6 } from '../../protocol/ip-address.ts';
import {
  FRAMED_PROTOCOL_PPP,
  NAS_PORT_TYPE_VIRTUAL,
  SERVICE_TYPE_FRAMED,
  TUNNEL_TYPE_L2TP,
} from '../../protocol/radius/attribute-table.ts';
import type { RadiusAttribute } from '../../protocol/radius/attribute-value.ts';

/** Who this router is towards the RADIUS servers. */
export interface NasIdentity {
  /** 1 to 64 characters. */
  readonly identifier: string;
  /** Where clients dial in; told when it is the address of something. */
  readonly address: string;
}

/** What is known of a call before anybody has proved anything. */
export interface CallFacts {
  readonly tunnelId: number;
  readonly sessionId: number;
  /** The peer's address, outside the tunnel. */
  readonly peerAddress: string;
  /** Of the L2TP call, where they were told. */
  readonly callingNumber?: string;
  readonly calledNumber?: string;
}

/** Octets of a number that a peer may have sent. */
const MAX_NUMBER = 64;
/** Tunnel-Medium-Type (RFC 2868 section 3.2). */
const MEDIUM_IPV4 = 1;
const MEDIUM_IPV6 = 2;

export function nasAttributes({ identifier, address }: NasIdentity): readonly RadiusAttribute[] {
  const own: RadiusAttribute[] = isIpv6(address)
    ? [{ name: 'nasIpv6Address', value: address }]
    : [{ name: 'nasIpAddress', value: address }];
  return [
    { name: 'nasIdentifier', value: utf8Bytes(identifier) },
    ...(address === '0.0.0.0' || address === '::' ? [] : own),
  ];
}

/** A call, which is the same in its questions and in its accounting. */
export function callAttributes(nas: NasIdentity, call: CallFacts): readonly RadiusAttribute[] {
  const { tunnelId, sessionId, peerAddress, callingNumber, calledNumber } = call;
  const medium = isIpv6(peerAddress) ? MEDIUM_IPV6 : MEDIUM_IPV4;
  const named = calledNumber ?? nas.address;
  return [
    ...nasAttributes(nas),
    { name: 'nasPort', value: tunnelId * 0x10000 + sessionId },
    { name: 'nasPortId', value: `l2tp ${tunnelId}/${sessionId}` },
    { name: 'nasPortType', value: NAS_PORT_TYPE_VIRTUAL },
    { name: 'serviceType', value: SERVICE_TYPE_FRAMED },
    { name: 'framedProtocol', value: FRAMED_PROTOCOL_PPP },
    // Without a number, by its address: it is what a log is searched for.
    { name: 'callingStationId', value: number(callingNumber ?? peerAddress) },
    ...(named === '' ? [] : [{ name: 'calledStationId' as const, value: number(named) }]),
    { name: 'tunnelType', value: TUNNEL_TYPE_L2TP },
    { name: 'tunnelMediumType', value: medium },
    { name: 'tunnelClientEndpoint', value: peerAddress },
    ...(nas.address === '' ? [] : [{ name: 'tunnelServerEndpoint' as const, value: nas.address }]),
  ];
}

function number(text: string): Uint8Array {
  const bytes = utf8Bytes(text === '' ? '-' : text);
  return bytes.subarray(0, MAX_NUMBER);
}
