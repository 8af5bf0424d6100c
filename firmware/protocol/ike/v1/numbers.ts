/** Numbers of ISAKMP (RFC 2408), the IPsec DOI (RFC 2407) and IKEv1 (RFC 2409), and of what came after them. */

/** Next Payload (RFC 2408 section 3.1; RFC 3947 section 8). */
export const PayloadType = {
  none: 0,
  sa: 1,
  keyExchange: 4,
  identification: 5,
  certificate: 6,
  certificateRequest: 7,
  hash: 8,
  signature: 9,
  nonce: 10,
  notification: 11,
  delete: 12,
  vendorId: 13,
  /** draft-dukes-ike-mode-cfg-02 section 3.2. */
  attributes: 14,
  natD: 20,
  natOa: 21,
  /** draft-ietf-ipsec-nat-t-ike-02 and -03, from the private range. */
  natDDraft: 130,
  natOaDraft: 131,
  /** Of the FRAGMENTATION vendor id, from the private range. */
  fragment: 132,
} as const;

/** Exchange Type (RFC 2408 section 3.1; RFC 2409 appendix A; draft-dukes-ike-mode-cfg-02 section 3.3). */
export const ExchangeType = { mainMode: 2, aggressive: 4, informational: 5, transaction: 6, quickMode: 32 } as const;

/** Flags of the header (RFC 2408 section 3.1). */
export const HeaderFlag = { encryption: 1, commit: 2 } as const;

/** Domain of Interpretation: IPsec (RFC 2407 section 4.2). */
export const DOI_IPSEC = 1;

/** SIT_IDENTITY_ONLY (RFC 2407 section 4.2.1). */
export const SITUATION_IDENTITY_ONLY = 1;

/** Protocol-ID (RFC 2407 section 4.4.1). */
export const ProtocolId = { isakmp: 1, ah: 2, esp: 3 } as const;

/** Transform identifier KEY_IKE (RFC 2407 section 4.4.2). */
export const KEY_IKE = 1;

/** Phase 1 attribute classes (RFC 2409 appendix A). */
export const Phase1Attribute = {
  encryption: 1,
  hash: 2,
  authentication: 3,
  group: 4,
  lifeType: 11,
  lifeDuration: 12,
  keyLength: 14,
} as const;

/** Authentication Method (RFC 2409 appendix A; draft-beaulieu-ike-xauth-02 section 7.2: XAUTHInitPreShared, XAUTHInitRSA). */
export const AuthenticationMethod = {
  preSharedKey: 1,
  rsaSignature: 3,
  xauthPreSharedKey: 65001,
  xauthRsaSignature: 65005,
} as const;

/** Types of an Attribute payload (draft-dukes-ike-mode-cfg-02 section 3.2). */
export const ConfigType = { request: 1, reply: 2, set: 3, ack: 4 } as const;

/** Attributes of Mode-Config (section 3.4), and one that others added. */
export const ConfigAttributeType = {
  internalIp4Address: 1,
  internalIp4Netmask: 2,
  internalIp4Dns: 3,
  /** Of Cisco Unity, from the private range: networks that go into the tunnel, and no others do. */
  unitySplitInclude: 28676,
} as const;

/** Attributes of XAUTH (draft-beaulieu-ike-xauth-02 section 7.1). */
export const XauthAttribute = {
  type: 16520,
  userName: 16521,
  userPassword: 16522,
  passcode: 16523,
  message: 16524,
  challenge: 16525,
  domain: 16526,
  status: 16527,
  nextPin: 16528,
  answer: 16529,
} as const;

/** Certificate Encoding: X.509 Certificate - Signature (RFC 2408 section 3.9). */
export const CERTIFICATE_X509_SIGNATURE = 4;

/** Phase 2 attribute classes (RFC 2407 section 4.5; RFC 4304). */
export const Phase2Attribute = {
  lifeType: 1,
  lifeDuration: 2,
  group: 3,
  encapsulation: 4,
  authentication: 5,
  keyLength: 6,
  extendedSequenceNumbers: 11,
} as const;

/** Life Type, the same numbers in both phases. */
export const LifeType = { seconds: 1, kilobytes: 2 } as const;

/** Encapsulation Mode (RFC 2407 section 4.5; RFC 3947 section 5.1; the drafts' from the private range). */
export const EncapsulationMode = {
  tunnel: 1,
  transport: 2,
  udpTunnel: 3,
  udpTransport: 4,
  udpTunnelDraft: 61443,
  udpTransportDraft: 61444,
} as const;

/** Identification Type (RFC 2407 section 4.6.2.1). */
export const IdType = {
  ipv4Address: 1,
  fqdn: 2,
  userFqdn: 3,
  ipv4Subnet: 4,
  ipv6Address: 5,
  ipv6Subnet: 6,
  ipv4Range: 7,
  ipv6Range: 8,
  derAsn1Dn: 9,
  keyId: 11,
} as const;

/**
 * Notify Message Type (RFC 2408 section 3.14.1; RFC 2407 section 4.6.3; RFC 3706 section 5.3). The last is of private use,
 * among Culverts: what is wrong with the certificate that AUTHENTICATION-FAILED is about.
 */
export const NotifyType = {
  invalidExchangeType: 7,
  noProposalChosen: 14,
  invalidIdInformation: 18,
  authenticationFailed: 24,
  responderLifetime: 24576,
  initialContact: 24578,
  rUThere: 36136,
  rUThereAck: 36137,
  culvertCertificateRefused: 39937,
} as const;

/** Those that say that something went wrong are below this number (RFC 2408 section 3.14.1). */
export const FIRST_STATUS_TYPE = 16384;

const NOTIFY_NAMES: ReadonlyMap<number, string> = new Map([
  [1, 'INVALID-PAYLOAD-TYPE'],
  [2, 'DOI-NOT-SUPPORTED'],
  [3, 'SITUATION-NOT-SUPPORTED'],
  [4, 'INVALID-COOKIE'],
  [5, 'INVALID-MAJOR-VERSION'],
  [6, 'INVALID-MINOR-VERSION'],
  [7, 'INVALID-EXCHANGE-TYPE'],
  [8, 'INVALID-FLAGS'],
  [9, 'INVALID-MESSAGE-ID'],
  [10, 'INVALID-PROTOCOL-ID'],
  [11, 'INVALID-SPI'],
  [12, 'INVALID-TRANSFORM-ID'],
  [13, 'ATTRIBUTES-NOT-SUPPORTED'],
  [14, 'NO-PROPOSAL-CHOSEN'],
  [15, 'BAD-PROPOSAL-SYNTAX'],
  [16, 'PAYLOAD-MALFORMED'],
  [17, 'INVALID-KEY-INFORMATION'],
  [18, 'INVALID-ID-INFORMATION'],
  [23, 'INVALID-HASH-INFORMATION'],
  [24, 'AUTHENTICATION-FAILED'],
  [25, 'INVALID-SIGNATURE'],
  [26, 'ADDRESS-NOTIFICATION'],
  [27, 'NOTIFY-SA-LIFETIME'],
  [29, 'UNSUPPORTED-EXCHANGE-TYPE'],
  [30, 'UNEQUAL-PAYLOAD-LENGTHS'],
  [16384, 'CONNECTED'],
  [24576, 'RESPONDER-LIFETIME'],
  [24577, 'REPLAY-STATUS'],
  [24578, 'INITIAL-CONTACT'],
  [36136, 'R-U-THERE'],
  [36137, 'R-U-THERE-ACK'],
  [39937, 'CULVERT-CERTIFICATE-REFUSED'],
]);

/** `NO-PROPOSAL-CHOSEN`, or `notification 12345`. */
export function notifyName(type: number): string {
  return NOTIFY_NAMES.get(type) ?? `notification ${type}`;
}
