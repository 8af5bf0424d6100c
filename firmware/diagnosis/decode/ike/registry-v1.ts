/** Names of IKEv1's numbers (RFC 2407, RFC 2408, RFC 2409 and their registries; RFC 3947; drafts of Mode-Config and XAUTH). */
import type { Names } from './names.ts';

export const EXCHANGE_NAMES: Names = {
  0: 'none',
  1: 'Base',
  2: 'Main Mode',
  3: 'Authentication Only',
  4: 'Aggressive Mode',
  5: 'Informational',
  6: 'Transaction',
  32: 'Quick Mode',
  33: 'New Group Mode',
};

export const PAYLOAD_NAMES: Names = {
  1: 'SA',
  2: 'P',
  3: 'T',
  4: 'KE',
  5: 'ID',
  6: 'CERT',
  7: 'CR',
  8: 'HASH',
  9: 'SIG',
  10: 'NONCE',
  11: 'N',
  12: 'D',
  13: 'VID',
  14: 'ATTR',
  20: 'NAT-D',
  21: 'NAT-OA',
  130: 'NAT-D (draft)',
  131: 'NAT-OA (draft)',
  132: 'FRAGMENT',
};

export const PROTOCOL_NAMES: Names = { 1: 'ISAKMP', 2: 'AH', 3: 'ESP', 4: 'IPCOMP' };

/** Transform identifiers (RFC 2407 section 4.4), by protocol. */
export const TRANSFORM_NAMES: Readonly<Record<number, Names | undefined>> = {
  1: { 1: 'KEY_IKE' },
  2: { 2: 'AH_MD5', 3: 'AH_SHA', 4: 'AH_DES', 5: 'AH_SHA2_256', 6: 'AH_SHA2_384', 7: 'AH_SHA2_512' },
  3: {
    1: 'ESP_DES_IV64',
    2: 'ESP_DES',
    3: 'ESP_3DES',
    4: 'ESP_RC5',
    5: 'ESP_IDEA',
    6: 'ESP_CAST',
    7: 'ESP_BLOWFISH',
    8: 'ESP_3IDEA',
    9: 'ESP_DES_IV32',
    10: 'ESP_RC4',
    11: 'ESP_NULL',
    12: 'ESP_AES_CBC',
    13: 'ESP_AES_CTR',
    14: 'ESP_AES_CCM_8',
    15: 'ESP_AES_CCM_12',
    16: 'ESP_AES_CCM_16',
    18: 'ESP_AES_GCM_8',
    19: 'ESP_AES_GCM_12',
    20: 'ESP_AES_GCM_16',
    22: 'ESP_CAMELLIA',
    23: 'ESP_NULL_AUTH_AES_GMAC',
  },
  4: { 1: 'IPCOMP_OUI', 2: 'IPCOMP_DEFLATE', 3: 'IPCOMP_LZS' },
};

/** Name of an attribute class, and of its values where they are numbers of a table. */
export interface AttributeRow {
  readonly name: string;
  readonly values?: Names;
}

export type AttributeTable = Readonly<Record<number, AttributeRow | undefined>>;

const GROUPS: Names = {
  1: '768-bit MODP',
  2: '1024-bit MODP',
  3: '155-bit EC2N',
  4: '185-bit EC2N',
  5: '1536-bit MODP',
  14: '2048-bit MODP',
  15: '3072-bit MODP',
  16: '4096-bit MODP',
  17: '6144-bit MODP',
  18: '8192-bit MODP',
  19: '256-bit ECP',
  20: '384-bit ECP',
  21: '521-bit ECP',
  22: '1024-bit MODP with 160-bit subgroup',
  23: '2048-bit MODP with 224-bit subgroup',
  24: '2048-bit MODP with 256-bit subgroup',
  25: '192-bit ECP',
  26: '224-bit ECP',
  27: 'brainpoolP224r1',
  28: 'brainpoolP256r1',
  29: 'brainpoolP384r1',
  30: 'brainpoolP512r1',
};

const LIFE_TYPES: Names = { 1: 'seconds', 2: 'kilobytes' };

/** RFC 2409 appendix A. */
export const PHASE1_ATTRIBUTES: AttributeTable = {
  1: {
    name: 'Encryption Algorithm',
    values: {
      1: 'DES-CBC',
      2: 'IDEA-CBC',
      3: 'Blowfish-CBC',
      4: 'RC5-R16-B64-CBC',
      5: '3DES-CBC',
      6: 'CAST-CBC',
      7: 'AES-CBC',
      8: 'CAMELLIA-CBC',
    },
  },
  2: {
    name: 'Hash Algorithm',
    values: { 1: 'MD5', 2: 'SHA1', 3: 'Tiger', 4: 'SHA2-256', 5: 'SHA2-384', 6: 'SHA2-512' },
  },
  3: {
    name: 'Authentication Method',
    values: {
      1: 'pre-shared key',
      2: 'DSS signatures',
      3: 'RSA signatures',
      4: 'encryption with RSA',
      5: 'revised encryption with RSA',
      9: 'ECDSA with SHA-256 on P-256',
      10: 'ECDSA with SHA-384 on P-384',
      11: 'ECDSA with SHA-512 on P-521',
      64221: 'hybrid, RSA (initiator)',
      64222: 'hybrid, RSA (responder)',
      65001: 'XAUTH, pre-shared key (initiator)',
      65002: 'XAUTH, pre-shared key (responder)',
      65003: 'XAUTH, DSS (initiator)',
      65004: 'XAUTH, DSS (responder)',
      65005: 'XAUTH, RSA (initiator)',
      65006: 'XAUTH, RSA (responder)',
    },
  },
  4: { name: 'Group Description', values: GROUPS },
  5: { name: 'Group Type', values: { 1: 'MODP', 2: 'ECP', 3: 'EC2N' } },
  6: { name: 'Group Prime' },
  7: { name: 'Group Generator One' },
  8: { name: 'Group Generator Two' },
  9: { name: 'Group Curve A' },
  10: { name: 'Group Curve B' },
  11: { name: 'Life Type', values: LIFE_TYPES },
  12: { name: 'Life Duration' },
  13: { name: 'PRF' },
  14: { name: 'Key Length' },
  15: { name: 'Field Size' },
  16: { name: 'Group Order' },
};

/** RFC 2407 section 4.5. */
export const PHASE2_ATTRIBUTES: AttributeTable = {
  1: { name: 'SA Life Type', values: LIFE_TYPES },
  2: { name: 'SA Life Duration' },
  3: { name: 'Group Description', values: GROUPS },
  4: {
    name: 'Encapsulation Mode',
    values: {
      1: 'Tunnel',
      2: 'Transport',
      3: 'UDP-Encapsulated-Tunnel',
      4: 'UDP-Encapsulated-Transport',
      61443: 'UDP-Encapsulated-Tunnel (draft)',
      61444: 'UDP-Encapsulated-Transport (draft)',
    },
  },
  5: {
    name: 'Authentication Algorithm',
    values: {
      1: 'HMAC-MD5',
      2: 'HMAC-SHA1',
      3: 'DES-MAC',
      4: 'KPDK',
      5: 'HMAC-SHA2-256',
      6: 'HMAC-SHA2-384',
      7: 'HMAC-SHA2-512',
      8: 'HMAC-RIPEMD',
      9: 'AES-XCBC-MAC',
    },
  },
  6: { name: 'Key Length' },
  7: { name: 'Key Rounds' },
  8: { name: 'Compress Dictionary Size' },
  9: { name: 'Compress Private Algorithm' },
  10: { name: 'ECN Tunnel' },
  11: { name: 'Extended Sequence Number', values: { 1: '64-bit' } },
  12: { name: 'Authentication Key Length' },
  13: { name: 'Signature Encoding Algorithm' },
};

/** RFC 2407 section 4.6.2.1. */
export const ID_NAMES: Names = {
  1: 'ID_IPV4_ADDR',
  2: 'ID_FQDN',
  3: 'ID_USER_FQDN',
  4: 'ID_IPV4_ADDR_SUBNET',
  5: 'ID_IPV6_ADDR',
  6: 'ID_IPV6_ADDR_SUBNET',
  7: 'ID_IPV4_ADDR_RANGE',
  8: 'ID_IPV6_ADDR_RANGE',
  9: 'ID_DER_ASN1_DN',
  10: 'ID_DER_ASN1_GN',
  11: 'ID_KEY_ID',
};

/** What the value of an attribute of Mode-Config is. */
export type ConfigurationValue = 'address' | 'text' | 'number' | 'secret' | 'octets';

/** draft-dukes-ike-mode-cfg-02 section 3.3, draft-beaulieu-ike-xauth-02 section 6.2, and those of Cisco Unity. */
export const CONFIGURATION_ATTRIBUTES: Readonly<
  Record<number, { readonly name: string; readonly value: ConfigurationValue } | undefined>
> = {
  1: { name: 'INTERNAL_IP4_ADDRESS', value: 'address' },
  2: { name: 'INTERNAL_IP4_NETMASK', value: 'address' },
  3: { name: 'INTERNAL_IP4_DNS', value: 'address' },
  4: { name: 'INTERNAL_IP4_NBNS', value: 'address' },
  5: { name: 'INTERNAL_ADDRESS_EXPIRY', value: 'number' },
  6: { name: 'INTERNAL_IP4_DHCP', value: 'address' },
  7: { name: 'APPLICATION_VERSION', value: 'text' },
  8: { name: 'INTERNAL_IP6_ADDRESS', value: 'address' },
  9: { name: 'INTERNAL_IP6_NETMASK', value: 'address' },
  10: { name: 'INTERNAL_IP6_DNS', value: 'address' },
  11: { name: 'INTERNAL_IP6_NBNS', value: 'address' },
  12: { name: 'INTERNAL_IP6_DHCP', value: 'address' },
  13: { name: 'INTERNAL_IP4_SUBNET', value: 'octets' },
  14: { name: 'SUPPORTED_ATTRIBUTES', value: 'octets' },
  15: { name: 'INTERNAL_IP6_SUBNET', value: 'octets' },
  16520: { name: 'XAUTH-TYPE', value: 'number' },
  16521: { name: 'XAUTH-USER-NAME', value: 'text' },
  16522: { name: 'XAUTH-USER-PASSWORD', value: 'secret' },
  16523: { name: 'XAUTH-PASSCODE', value: 'secret' },
  16524: { name: 'XAUTH-MESSAGE', value: 'text' },
  16525: { name: 'XAUTH-CHALLENGE', value: 'octets' },
  16526: { name: 'XAUTH-DOMAIN', value: 'text' },
  16527: { name: 'XAUTH-STATUS', value: 'number' },
  16528: { name: 'XAUTH-NEXT-PIN', value: 'secret' },
  16529: { name: 'XAUTH-ANSWER', value: 'secret' },
  28672: { name: 'UNITY-BANNER', value: 'text' },
  28673: { name: 'UNITY-SAVE-PASSWD', value: 'number' },
  28674: { name: 'UNITY-DEF-DOMAIN', value: 'text' },
  28675: { name: 'UNITY-SPLITDNS-NAME', value: 'text' },
  28676: { name: 'UNITY-SPLIT-INCLUDE', value: 'octets' },
  28677: { name: 'UNITY-NATT-PORT', value: 'number' },
  28678: { name: 'UNITY-LOCAL-LAN', value: 'octets' },
  28679: { name: 'UNITY-PFS', value: 'number' },
  28680: { name: 'UNITY-FW-TYPE', value: 'octets' },
  28681: { name: 'UNITY-BACKUP-SERVERS', value: 'text' },
  28682: { name: 'UNITY-DDNS-HOSTNAME', value: 'text' },
};

/** Types of an Attribute payload (draft-dukes-ike-mode-cfg-02 section 3.2). */
export const CONFIGURATION_TYPES: Names = {
  1: 'ISAKMP_CFG_REQUEST',
  2: 'ISAKMP_CFG_REPLY',
  3: 'ISAKMP_CFG_SET',
  4: 'ISAKMP_CFG_ACK',
};
