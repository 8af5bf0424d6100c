/** Names of IKEv2's numbers (RFC 7296 section 3 and its IANA registry), beside those that the machine uses itself. */

import { EXCHANGES, NOTIFY } from '../../../protocol/ike/v2/numbers.ts';
import { ENCRYPTED, PAYLOADS } from '../../../protocol/ike/v2/payload.ts';
import { byNumber, type Names } from './names.ts';

export const EXCHANGE_NAMES: Names = {
  ...byNumber(EXCHANGES),
  38: 'IKE_SESSION_RESUME',
  39: 'GSA_AUTH',
  40: 'GSA_REGISTRATION',
  41: 'GSA_REKEY',
  43: 'IKE_INTERMEDIATE',
  44: 'IKE_FOLLOWUP_KE',
};

export const PAYLOAD_NAMES: Names = {
  ...Object.fromEntries(Object.entries(PAYLOADS).map(([name, { type }]) => [type, name])),
  ...byNumber(ENCRYPTED),
  49: 'GSPM',
  50: 'IDg',
  51: 'GSA',
  52: 'KD',
  54: 'PS',
};

export const PROTOCOL_NAMES: Names = {
  0: 'none',
  1: 'IKE',
  2: 'AH',
  3: 'ESP',
  4: 'FC_ESP_HEADER',
  5: 'FC_CT_AUTHENTICATION',
};

export const TRANSFORM_TYPE_NAMES: Names = {
  1: 'ENCR',
  2: 'PRF',
  3: 'INTEG',
  4: 'KE',
  5: 'ESN',
  6: 'ADDKE1',
  7: 'ADDKE2',
  8: 'ADDKE3',
  9: 'ADDKE4',
  10: 'ADDKE5',
  11: 'ADDKE6',
  12: 'ADDKE7',
};

export const GROUP_NAMES: Names = {
  0: 'NONE',
  1: 'MODP_768',
  2: 'MODP_1024',
  5: 'MODP_1536',
  14: 'MODP_2048',
  15: 'MODP_3072',
  16: 'MODP_4096',
  17: 'MODP_6144',
  18: 'MODP_8192',
  19: 'ECP_256',
  20: 'ECP_384',
  21: 'ECP_521',
  22: 'MODP_1024_160',
  23: 'MODP_2048_224',
  24: 'MODP_2048_256',
  25: 'ECP_192',
  26: 'ECP_224',
  27: 'BRAINPOOL_P224R1',
  28: 'BRAINPOOL_P256R1',
  29: 'BRAINPOOL_P384R1',
  30: 'BRAINPOOL_P512R1',
  31: 'CURVE25519',
  32: 'CURVE448',
  33: 'GOST3410_2012_256',
  34: 'GOST3410_2012_512',
  35: 'ML_KEM_512',
  36: 'ML_KEM_768',
  37: 'ML_KEM_1024',
};

/** Transform IDs (section 3.3.2), by Transform Type. */
const TRANSFORM_NAMES: Readonly<Record<number, Names | undefined>> = {
  1: {
    1: 'ENCR_DES_IV64',
    2: 'ENCR_DES',
    3: 'ENCR_3DES',
    4: 'ENCR_RC5',
    5: 'ENCR_IDEA',
    6: 'ENCR_CAST',
    7: 'ENCR_BLOWFISH',
    8: 'ENCR_3IDEA',
    9: 'ENCR_DES_IV32',
    11: 'ENCR_NULL',
    12: 'ENCR_AES_CBC',
    13: 'ENCR_AES_CTR',
    14: 'ENCR_AES_CCM_8',
    15: 'ENCR_AES_CCM_12',
    16: 'ENCR_AES_CCM_16',
    18: 'ENCR_AES_GCM_8',
    19: 'ENCR_AES_GCM_12',
    20: 'ENCR_AES_GCM_16',
    21: 'ENCR_NULL_AUTH_AES_GMAC',
    23: 'ENCR_CAMELLIA_CBC',
    24: 'ENCR_CAMELLIA_CTR',
    25: 'ENCR_CAMELLIA_CCM_8',
    26: 'ENCR_CAMELLIA_CCM_12',
    27: 'ENCR_CAMELLIA_CCM_16',
    28: 'ENCR_CHACHA20_POLY1305',
    29: 'ENCR_AES_CCM_8_IIV',
    30: 'ENCR_AES_GCM_16_IIV',
    31: 'ENCR_CHACHA20_POLY1305_IIV',
  },
  2: {
    1: 'PRF_HMAC_MD5',
    2: 'PRF_HMAC_SHA1',
    3: 'PRF_HMAC_TIGER',
    4: 'PRF_AES128_XCBC',
    5: 'PRF_HMAC_SHA2_256',
    6: 'PRF_HMAC_SHA2_384',
    7: 'PRF_HMAC_SHA2_512',
    8: 'PRF_AES128_CMAC',
    9: 'PRF_HMAC_STREEBOG_512',
  },
  3: {
    0: 'NONE',
    1: 'AUTH_HMAC_MD5_96',
    2: 'AUTH_HMAC_SHA1_96',
    3: 'AUTH_DES_MAC',
    4: 'AUTH_KPDK_MD5',
    5: 'AUTH_AES_XCBC_96',
    6: 'AUTH_HMAC_MD5_128',
    7: 'AUTH_HMAC_SHA1_160',
    8: 'AUTH_AES_CMAC_96',
    9: 'AUTH_AES_128_GMAC',
    10: 'AUTH_AES_192_GMAC',
    11: 'AUTH_AES_256_GMAC',
    12: 'AUTH_HMAC_SHA2_256_128',
    13: 'AUTH_HMAC_SHA2_384_192',
    14: 'AUTH_HMAC_SHA2_512_256',
  },
  4: GROUP_NAMES,
  5: { 0: '32-bit sequence numbers', 1: '64-bit sequence numbers' },
};

/** First of the Transform Types of additional key exchanges (RFC 9370), whose IDs are those of type 4. */
const FIRST_ADDITIONAL = 6;
const LAST_ADDITIONAL = 12;

export function transformNames(type: number): Names {
  const additional = type >= FIRST_ADDITIONAL && type <= LAST_ADDITIONAL;
  return TRANSFORM_NAMES[additional ? 4 : type] ?? {};
}

export const ID_NAMES: Names = {
  1: 'ID_IPV4_ADDR',
  2: 'ID_FQDN',
  3: 'ID_RFC822_ADDR',
  5: 'ID_IPV6_ADDR',
  9: 'ID_DER_ASN1_DN',
  10: 'ID_DER_ASN1_GN',
  11: 'ID_KEY_ID',
  12: 'ID_FC_NAME',
  13: 'ID_NULL',
};

/** Certificate Encoding; those up to 10 are the same in IKEv1 (RFC 2408 section 3.9). */
export const CERTIFICATE_NAMES: Names = {
  1: 'PKCS #7 wrapped X.509 certificate',
  2: 'PGP certificate',
  3: 'DNS signed key',
  4: 'X.509 certificate - signature',
  5: 'X.509 certificate - key exchange',
  6: 'Kerberos token',
  7: 'certificate revocation list',
  8: 'authority revocation list',
  9: 'SPKI certificate',
  10: 'X.509 certificate - attribute',
  11: 'raw RSA key',
  12: 'hash and URL of X.509 certificate',
  13: 'hash and URL of X.509 bundle',
  14: 'OCSP content',
  15: 'raw public key',
};

export const AUTH_METHOD_NAMES: Names = {
  1: 'RSA digital signature',
  2: 'shared key message integrity code',
  3: 'DSS digital signature',
  9: 'ECDSA with SHA-256 on P-256',
  10: 'ECDSA with SHA-384 on P-384',
  11: 'ECDSA with SHA-512 on P-521',
  12: 'generic secure password',
  13: 'NULL',
  14: 'digital signature',
};

export const NOTIFY_NAMES: Names = byNumber(NOTIFY);

/** Of SIGNATURE_HASH_ALGORITHMS (RFC 7427 section 7). */
export const SIGNATURE_HASH_NAMES: Names = {
  1: 'SHA1',
  2: 'SHA2-256',
  3: 'SHA2-384',
  4: 'SHA2-512',
  5: 'Identity',
  6: 'STREEBOG_256',
  7: 'STREEBOG_512',
};

export const TS_TYPE_NAMES: Names = {
  7: 'TS_IPV4_ADDR_RANGE',
  8: 'TS_IPV6_ADDR_RANGE',
  9: 'TS_FC_ADDR_RANGE',
  10: 'TS_SECLABEL',
};

export const CONFIGURATION_TYPE_NAMES: Names = { 1: 'CFG_REQUEST', 2: 'CFG_REPLY', 3: 'CFG_SET', 4: 'CFG_ACK' };

export const CONFIGURATION_ATTRIBUTE_NAMES: Names = {
  1: 'INTERNAL_IP4_ADDRESS',
  2: 'INTERNAL_IP4_NETMASK',
  3: 'INTERNAL_IP4_DNS',
  4: 'INTERNAL_IP4_NBNS',
  6: 'INTERNAL_IP4_DHCP',
  7: 'APPLICATION_VERSION',
  8: 'INTERNAL_IP6_ADDRESS',
  10: 'INTERNAL_IP6_DNS',
  12: 'INTERNAL_IP6_DHCP',
  13: 'INTERNAL_IP4_SUBNET',
  14: 'SUPPORTED_ATTRIBUTES',
  15: 'INTERNAL_IP6_SUBNET',
  16: 'MIP6_HOME_PREFIX',
  17: 'INTERNAL_IP6_LINK',
  18: 'INTERNAL_IP6_PREFIX',
  19: 'HOME_AGENT_ADDRESS',
  20: 'P_CSCF_IP4_ADDRESS',
  21: 'P_CSCF_IP6_ADDRESS',
  22: 'FTT_KAT',
  23: 'EXTERNAL_SOURCE_IP4_NAT_INFO',
  24: 'TIMEOUT_PERIOD_FOR_LIVENESS_CHECK',
  25: 'INTERNAL_DNS_DOMAIN',
  26: 'INTERNAL_DNSSEC_TA',
  27: 'ENCDNS_IP4',
  28: 'ENCDNS_IP6',
  29: 'ENCDNS_DIGEST_INFO',
};
