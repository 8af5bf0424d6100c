/** Numbers of IKEv2 (RFC 7296 section 3 and its IANA registry; RFC 7383; RFC 6290). */

/** Exchange Type (section 3.1). */
export const EXCHANGES = { IKE_SA_INIT: 34, IKE_AUTH: 35, CREATE_CHILD_SA: 36, INFORMATIONAL: 37 } as const;
export type ExchangeName = keyof typeof EXCHANGES;

const exchangeNames = Object.keys(EXCHANGES) as readonly ExchangeName[];

/** Name of an Exchange Type; `undefined` when unknown. */
export function exchangeName(type: number): ExchangeName | undefined {
  return exchangeNames.find((name) => EXCHANGES[name] === type);
}

/** Flags of the header (section 3.1). */
export const FLAG = { initiator: 0x08, version: 0x10, response: 0x20 } as const;

/** Protocol ID (section 3.3.1). */
export const PROTOCOL = { none: 0, ike: 1, ah: 2, esp: 3 } as const;

/** Transform Attribute Key Length, in the short form (section 3.3.5). */
export const KEY_LENGTH_ATTRIBUTE = 14;

/** ID Type (section 3.5). */
export const ID_TYPE = { ipv4: 1, fqdn: 2, email: 3, ipv6: 5, keyId: 11 } as const;

/** Auth Method: shared key message integrity code (section 3.8). */
export const AUTH_METHOD_SHARED_KEY = 2;

/** TS Type (section 3.13.1). */
export const TS_TYPE = { ipv4: 7, ipv6: 8 } as const;

/** Notify Message Types that this side sends or understands (section 3.10.1). */
export const NOTIFY = {
  UNSUPPORTED_CRITICAL_PAYLOAD: 1,
  INVALID_IKE_SPI: 4,
  INVALID_MAJOR_VERSION: 5,
  INVALID_SYNTAX: 7,
  INVALID_MESSAGE_ID: 9,
  INVALID_SPI: 11,
  NO_PROPOSAL_CHOSEN: 14,
  INVALID_KE_PAYLOAD: 17,
  AUTHENTICATION_FAILED: 24,
  SINGLE_PAIR_REQUIRED: 34,
  NO_ADDITIONAL_SAS: 35,
  INTERNAL_ADDRESS_FAILURE: 36,
  FAILED_CP_REQUIRED: 37,
  TS_UNACCEPTABLE: 38,
  INVALID_SELECTORS: 39,
  TEMPORARY_FAILURE: 43,
  CHILD_SA_NOT_FOUND: 44,
  INITIAL_CONTACT: 16384,
  SET_WINDOW_SIZE: 16385,
  ADDITIONAL_TS_POSSIBLE: 16386,
  NAT_DETECTION_SOURCE_IP: 16388,
  NAT_DETECTION_DESTINATION_IP: 16389,
  COOKIE: 16390,
  USE_TRANSPORT_MODE: 16391,
  REKEY_SA: 16393,
  ESP_TFC_PADDING_NOT_SUPPORTED: 16394,
  QCD_TOKEN: 16419,
  IKEV2_FRAGMENTATION_SUPPORTED: 16430,
} as const;
export type NotifyName = keyof typeof NOTIFY;

/** Types below this number are errors (section 3.10.1). */
export const FIRST_STATUS_TYPE = 16384;

const notifyNames = Object.keys(NOTIFY) as readonly NotifyName[];

/** `NO_PROPOSAL_CHOSEN`, or `notify 12345`. */
export function notifyText(type: number): string {
  return notifyNames.find((name) => NOTIFY[name] === type) ?? `notify ${type}`;
}
