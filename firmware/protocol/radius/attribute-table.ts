/**
 * The attributes of RADIUS that this router sends or reads: RFC 2865 (section 5), RFC 2866 (5), RFC 2868 (3),
 * RFC 2869 (5), RFC 3162 (2), RFC 3579 (3), RFC 4818 (3), and Microsoft's of RFC 2548 (2). This table drives encoding,
 * decoding and the words in which a message is told.
 */
import type { AttributeKind } from './attribute-value.ts';

export interface AttributeDefinition {
  /** SMI Network Management Private Enterprise Code of a Vendor-Specific attribute; 0: none of those. */
  readonly vendor: number;
  /** Type, unique under its vendor. */
  readonly type: number;
  /** Name in the RFC. */
  readonly name: string;
  readonly kind: AttributeKind;
  /** Octets of a `bytes` or `text` value, both included. Default 1 and what an attribute holds. */
  readonly minLength?: number;
  readonly maxLength?: number;
  /** Names of the values of an `integer`. */
  readonly names?: Readonly<Record<number, string>>;
  /** A password, or what one could be guessed from: its value is told nowhere. */
  readonly sensitive?: true;
  /** RFC and section. */
  readonly section: string;
}

/** Microsoft's SMI code (RFC 2548 section 2). */
const MICROSOFT = 311;

/** The only values of these that this router uses. */
export const SERVICE_TYPE_FRAMED = 2;
export const FRAMED_PROTOCOL_PPP = 1;
export const NAS_PORT_TYPE_VIRTUAL = 5;
export const TUNNEL_TYPE_L2TP = 3;

const SERVICE_TYPES = { 1: 'Login', 2: 'Framed', 8: 'Authenticate Only', 10: 'Call Check' } as const;
const PORT_TYPES = { 0: 'Async', 1: 'Sync', 5: 'Virtual', 15: 'Ethernet' } as const;
const TUNNEL_MEDIA = { 1: 'IPv4', 2: 'IPv6' } as const;

/** Acct-Status-Type (RFC 2866 section 5.1). */
export const ACCT_STATUS = { start: 1, stop: 2, interimUpdate: 3, accountingOn: 7, accountingOff: 8 } as const;
const STATUS_TYPES = { 1: 'Start', 2: 'Stop', 3: 'Interim-Update', 7: 'Accounting-On', 8: 'Accounting-Off' } as const;

/** Acct-Authentic (RFC 2866 section 5.6). */
export const ACCT_AUTHENTIC = { radius: 1, local: 2 } as const;

/** Acct-Terminate-Cause (RFC 2866 section 5.10). */
export const TERMINATE_CAUSE = {
  userRequest: 1,
  lostCarrier: 2,
  lostService: 3,
  idleTimeout: 4,
  sessionTimeout: 5,
  adminReset: 6,
  adminReboot: 7,
  nasError: 9,
  nasRequest: 10,
  portPreempted: 13,
} as const;
const TERMINATE_CAUSES = {
  1: 'User Request',
  2: 'Lost Carrier',
  3: 'Lost Service',
  4: 'Idle Timeout',
  5: 'Session Timeout',
  6: 'Admin Reset',
  7: 'Admin Reboot',
  8: 'Port Error',
  9: 'NAS Error',
  10: 'NAS Request',
  11: 'NAS Reboot',
  12: 'Port Unneeded',
  13: 'Port Preempted',
  14: 'Port Suspended',
  15: 'Service Unavailable',
  16: 'Callback',
  17: 'User Error',
  18: 'Host Request',
} as const;

type Extra = Pick<AttributeDefinition, 'minLength' | 'maxLength' | 'names' | 'sensitive'>;

function attribute<Kind extends AttributeKind>(
  section: string,
  type: number,
  name: string,
  kind: Kind,
  extra: Extra = {},
): AttributeDefinition & { readonly kind: Kind } {
  return { vendor: 0, type, name, kind, section, ...extra };
}

function microsoft<Kind extends AttributeKind>(
  section: string,
  type: number,
  name: string,
  kind: Kind,
  extra: Extra = {},
): AttributeDefinition & { readonly kind: Kind } {
  return { ...attribute(`RFC 2548 ${section}`, type, name, kind, extra), vendor: MICROSOFT };
}

/** So many octets, no more and no fewer. */
function exactly(length: number): Extra {
  return { minLength: length, maxLength: length };
}

const SENSITIVE = { sensitive: true } as const;

export const ATTRIBUTES = {
  userName: attribute('RFC 2865 5.1', 1, 'User-Name', 'bytes'),
  userPassword: attribute('RFC 2865 5.2', 2, 'User-Password', 'password', SENSITIVE),
  chapPassword: attribute('RFC 2865 5.3', 3, 'CHAP-Password', 'bytes', { ...exactly(17), ...SENSITIVE }),
  nasIpAddress: attribute('RFC 2865 5.4', 4, 'NAS-IP-Address', 'ipv4'),
  nasPort: attribute('RFC 2865 5.5', 5, 'NAS-Port', 'integer'),
  serviceType: attribute('RFC 2865 5.6', 6, 'Service-Type', 'integer', { names: SERVICE_TYPES }),
  framedProtocol: attribute('RFC 2865 5.7', 7, 'Framed-Protocol', 'integer', { names: { 1: 'PPP' } }),
  framedIpAddress: attribute('RFC 2865 5.8', 8, 'Framed-IP-Address', 'ipv4'),
  framedIpNetmask: attribute('RFC 2865 5.9', 9, 'Framed-IP-Netmask', 'ipv4'),
  framedMtu: attribute('RFC 2865 5.12', 12, 'Framed-MTU', 'integer'),
  replyMessage: attribute('RFC 2865 5.18', 18, 'Reply-Message', 'text'),
  framedRoute: attribute('RFC 2865 5.22', 22, 'Framed-Route', 'text'),
  state: attribute('RFC 2865 5.24', 24, 'State', 'bytes', SENSITIVE),
  class: attribute('RFC 2865 5.25', 25, 'Class', 'bytes'),
  sessionTimeout: attribute('RFC 2865 5.27', 27, 'Session-Timeout', 'integer'),
  idleTimeout: attribute('RFC 2865 5.28', 28, 'Idle-Timeout', 'integer'),
  terminationAction: attribute('RFC 2865 5.29', 29, 'Termination-Action', 'integer'),
  calledStationId: attribute('RFC 2865 5.30', 30, 'Called-Station-Id', 'bytes'),
  callingStationId: attribute('RFC 2865 5.31', 31, 'Calling-Station-Id', 'bytes'),
  nasIdentifier: attribute('RFC 2865 5.32', 32, 'NAS-Identifier', 'bytes'),
  chapChallenge: attribute('RFC 2865 5.40', 60, 'CHAP-Challenge', 'bytes', SENSITIVE),
  nasPortType: attribute('RFC 2865 5.41', 61, 'NAS-Port-Type', 'integer', { names: PORT_TYPES }),

  acctStatusType: attribute('RFC 2866 5.1', 40, 'Acct-Status-Type', 'integer', { names: STATUS_TYPES }),
  acctDelayTime: attribute('RFC 2866 5.2', 41, 'Acct-Delay-Time', 'integer'),
  acctInputOctets: attribute('RFC 2866 5.3', 42, 'Acct-Input-Octets', 'integer'),
  acctOutputOctets: attribute('RFC 2866 5.4', 43, 'Acct-Output-Octets', 'integer'),
  acctSessionId: attribute('RFC 2866 5.5', 44, 'Acct-Session-Id', 'bytes'),
  acctAuthentic: attribute('RFC 2866 5.6', 45, 'Acct-Authentic', 'integer', { names: { 1: 'RADIUS', 2: 'Local' } }),
  acctSessionTime: attribute('RFC 2866 5.7', 46, 'Acct-Session-Time', 'integer'),
  acctInputPackets: attribute('RFC 2866 5.8', 47, 'Acct-Input-Packets', 'integer'),
  acctOutputPackets: attribute('RFC 2866 5.9', 48, 'Acct-Output-Packets', 'integer'),
  acctTerminateCause: attribute('RFC 2866 5.10', 49, 'Acct-Terminate-Cause', 'integer', { names: TERMINATE_CAUSES }),

  tunnelType: attribute('RFC 2868 3.1', 64, 'Tunnel-Type', 'tagged-integer', { names: { 3: 'L2TP' } }),
  tunnelMediumType: attribute('RFC 2868 3.2', 65, 'Tunnel-Medium-Type', 'tagged-integer', { names: TUNNEL_MEDIA }),
  tunnelClientEndpoint: attribute('RFC 2868 3.3', 66, 'Tunnel-Client-Endpoint', 'tagged-text'),
  tunnelServerEndpoint: attribute('RFC 2868 3.4', 67, 'Tunnel-Server-Endpoint', 'tagged-text'),

  acctInputGigawords: attribute('RFC 2869 5.1', 52, 'Acct-Input-Gigawords', 'integer'),
  acctOutputGigawords: attribute('RFC 2869 5.2', 53, 'Acct-Output-Gigawords', 'integer'),
  eventTimestamp: attribute('RFC 2869 5.3', 55, 'Event-Timestamp', 'integer'),
  connectInfo: attribute('RFC 2869 5.11', 77, 'Connect-Info', 'text'),
  eapMessage: attribute('RFC 3579 3.1', 79, 'EAP-Message', 'bytes', SENSITIVE),
  messageAuthenticator: attribute('RFC 3579 3.2', 80, 'Message-Authenticator', 'bytes', exactly(16)),
  acctInterimInterval: attribute('RFC 2869 5.16', 85, 'Acct-Interim-Interval', 'integer'),
  nasPortId: attribute('RFC 2869 5.17', 87, 'NAS-Port-Id', 'text'),

  nasIpv6Address: attribute('RFC 3162 2.1', 95, 'NAS-IPv6-Address', 'ipv6'),
  framedInterfaceId: attribute('RFC 3162 2.2', 96, 'Framed-Interface-Id', 'bytes', exactly(8)),
  framedIpv6Prefix: attribute('RFC 3162 2.3', 97, 'Framed-IPv6-Prefix', 'ipv6-prefix'),
  framedIpv6Route: attribute('RFC 3162 2.5', 99, 'Framed-IPv6-Route', 'text'),
  delegatedIpv6Prefix: attribute('RFC 4818 3', 123, 'Delegated-IPv6-Prefix', 'ipv6-prefix'),

  // Ident, Flags, LM-Response, NT-Response.
  msChapResponse: microsoft('2.1.3', 1, 'MS-CHAP-Response', 'bytes', { ...exactly(50), ...SENSITIVE }),
  msChapError: microsoft('2.1.5', 2, 'MS-CHAP-Error', 'bytes', { minLength: 2 }),
  msChapDomain: microsoft('2.1.4', 10, 'MS-CHAP-Domain', 'bytes', { minLength: 2 }),
  msChapChallenge: microsoft('2.1.2', 11, 'MS-CHAP-Challenge', 'bytes', SENSITIVE),
  // Ident, Flags, Peer-Challenge, Reserved, Response.
  msChap2Response: microsoft('2.3.2', 25, 'MS-CHAP2-Response', 'bytes', { ...exactly(50), ...SENSITIVE }),
  // Ident, then `S=` and 40 digits.
  msChap2Success: microsoft('2.3.3', 26, 'MS-CHAP2-Success', 'bytes', { ...exactly(43), ...SENSITIVE }),
  msPrimaryDnsServer: microsoft('2.7.1', 28, 'MS-Primary-DNS-Server', 'ipv4'),
  msSecondaryDnsServer: microsoft('2.7.2', 29, 'MS-Secondary-DNS-Server', 'ipv4'),
} as const satisfies Record<string, AttributeDefinition>;

export type AttributeName = keyof typeof ATTRIBUTES;

const BY_NUMBER: ReadonlyMap<string, AttributeName> = new Map(
  (Object.keys(ATTRIBUTES) as AttributeName[]).map((name) => {
    const { vendor, type } = ATTRIBUTES[name];
    return [`${vendor}/${type}`, name];
  }),
);

/** `undefined` for one that this router does not read. */
export function attributeByNumber(vendor: number, type: number): AttributeName | undefined {
  return BY_NUMBER.get(`${vendor}/${type}`);
}

/** Whether attributes of that vendor are read at all. */
export function isKnownVendor(vendor: number): boolean {
  return vendor === MICROSOFT;
}
