/** Notify payload of IKEv2 (RFC 7296 section 3.10), with what its data means. */
import { hex } from '../../../protocol/bytes.ts';
import { FIRST_STATUS_TYPE, NOTIFY, type NotifyName } from '../../../protocol/ike/v2/numbers.ts';
import { printable } from '../../../protocol/printable.ts';
import type { FieldReader } from '../field-reader.ts';
import { describeFlaw } from './certificate.ts';
import type { Out } from './chain.ts';
import { nameOf } from './names.ts';
import { GROUP_NAMES, NOTIFY_NAMES, PROTOCOL_NAMES, SIGNATURE_HASH_NAMES } from './registry-v2.ts';
import { addressRest, guessed } from './values.ts';

/** Adds what the data say. @throws FieldError */
type DescribeData = (reader: FieldReader, out: Out) => void;

const opaque: DescribeData = (reader, out) => {
  if (reader.remaining > 0) out['data'] = hex(reader.rest());
};

const seconds =
  (field: string): DescribeData =>
  (reader, out) => {
    out['seconds'] = reader.u32(field);
  };

/** Gateway Identity (RFC 5685 section 6): type, length, identity. */
const gateway: DescribeData = (reader, out) => {
  reader.u8('GW Ident Type');
  const length = reader.u8('GW Ident Len');
  out['gateway'] = guessed(reader.bytes(length, 'New Responder GW Identity'));
  if (reader.remaining > 0) out['nonce'] = hex(reader.rest());
};

const numbers =
  (field: string, name: (number: number) => string): DescribeData =>
  (reader, out) => {
    const values: string[] = [];
    out['values'] = values;
    while (reader.remaining > 0) values.push(name(reader.u16(field)));
  };

const DATA: { readonly [Name in NotifyName]?: DescribeData } = {
  UNSUPPORTED_CRITICAL_PAYLOAD: (reader, out) => {
    out['payloadType'] = reader.u8('Payload Type');
  },
  INVALID_MAJOR_VERSION: (reader, out) => {
    if (reader.remaining > 0) out['version'] = reader.u8('Version');
  },
  INVALID_MESSAGE_ID: (reader, out) => {
    out['messageId'] = reader.u32('Message ID');
  },
  INVALID_SPI: (reader, out) => {
    out['invalidSpi'] = hex(reader.rest());
  },
  INVALID_KE_PAYLOAD: (reader, out) => {
    const group = reader.u16('accepted Diffie-Hellman Group Num');
    out['group'] = group;
    out['groupName'] = nameOf(GROUP_NAMES, group, 'group');
  },
  SET_WINDOW_SIZE: (reader, out) => {
    out['windowSize'] = reader.u32('window size');
  },
  IPCOMP_SUPPORTED: (reader, out) => {
    out['cpi'] = reader.u16('CPI');
    out['transformId'] = reader.u8('TRANSFORM ID');
  },
  NAT_DETECTION_SOURCE_IP: (reader, out) => {
    out['hash'] = hex(reader.rest());
  },
  NAT_DETECTION_DESTINATION_IP: (reader, out) => {
    out['hash'] = hex(reader.rest());
  },
  COOKIE: (reader, out) => {
    out['cookie'] = hex(reader.rest());
  },
  COOKIE2: (reader, out) => {
    out['cookie'] = hex(reader.rest());
  },
  ADDITIONAL_IP4_ADDRESS: (reader, out) => {
    out['address'] = addressRest(reader, 4, 'address');
  },
  ADDITIONAL_IP6_ADDRESS: (reader, out) => {
    out['address'] = addressRest(reader, 16, 'address');
  },
  AUTH_LIFETIME: seconds('Lifetime'),
  REDIRECT: gateway,
  REDIRECTED_FROM: gateway,
  TICKET_LT_OPAQUE: (reader, out) => {
    out['seconds'] = reader.u32('Lifetime');
    out['ticket'] = hex(reader.rest());
  },
  QCD_TOKEN: (reader, out) => {
    // Whoever has a token may end the SA: it is not shown.
    out['tokenOctets'] = reader.rest().length;
  },
  SECURE_PASSWORD_METHODS: numbers('method', (method) => `method ${method}`),
  ADDITIONAL_KEY_EXCHANGE: (reader, out) => {
    out['link'] = hex(reader.rest());
  },
  SIGNATURE_HASH_ALGORITHMS: numbers('hash algorithm', (number) => nameOf(SIGNATURE_HASH_NAMES, number, 'hash')),
  CULVERT_CERTIFICATE_REFUSED: (reader, out) => describeFlaw(reader.rest(), out),
  PPK_IDENTITY: (reader, out) => {
    out['ppkIdentityType'] = reader.u8('PPK_ID Type');
    out['ppkIdentity'] = printable(reader.rest());
  },
};

const BY_TYPE: ReadonlyMap<number, DescribeData | undefined> = new Map(
  (Object.keys(NOTIFY) as readonly NotifyName[]).map((name) => [NOTIFY[name], DATA[name]]),
);

export function describeNotify(reader: FieldReader, out: Out): void {
  const protocol = reader.u8('Protocol ID');
  const spiSize = reader.u8('SPI Size');
  const type = reader.u16('Notify Message Type');
  out['notifyType'] = type;
  out['notify'] = nameOf(NOTIFY_NAMES, type, type < FIRST_STATUS_TYPE ? 'error' : 'status');
  if (protocol !== 0) out['protocol'] = nameOf(PROTOCOL_NAMES, protocol, 'protocol');
  const spi = reader.bytes(spiSize, 'SPI');
  if (spiSize > 0) out['spi'] = hex(spi);
  (BY_TYPE.get(type) ?? opaque)(reader, out);
}
