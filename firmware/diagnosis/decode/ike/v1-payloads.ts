/** Payloads of IKEv1 (RFC 2408 section 3, RFC 2407 section 4.6, RFC 3947, Mode-Config). */
import { hex } from '../../../protocol/bytes.ts';
import { NotifyType, notifyName, PayloadType, ProtocolId } from '../../../protocol/ike/v1/numbers.ts';
import { vendorMeaning } from '../../../protocol/ike/vendor-id-table.ts';
import { printable } from '../../../protocol/printable.ts';
import type { FieldValue } from '../decoded.ts';
import type { FieldReader } from '../field-reader.ts';
import { describeCertificate, describeFlaw } from './certificate.ts';
import type { Out } from './chain.ts';
import { nameOf } from './names.ts';
import {
  CONFIGURATION_ATTRIBUTES,
  CONFIGURATION_TYPES,
  type ConfigurationValue,
  ID_NAMES,
  PHASE1_ATTRIBUTES,
  PHASE2_ATTRIBUTES,
  PROTOCOL_NAMES,
} from './registry-v1.ts';
import { CERTIFICATE_NAMES } from './registry-v2.ts';
import { describeAttributes, describeSa } from './v1-sa.ts';
import { address, addressRest, guessed } from './values.ts';

type Describe = (reader: FieldReader, out: Out) => void;

const MIN_NONCE = 8;
const MAX_NONCE = 256;
/** Octets of a configuration attribute without a value; libreswan fills its payloads up with fewer. */
const MIN_ATTRIBUTE = 4;

const octets =
  (field: string): Describe =>
  (reader, out) => {
    out[field] = hex(reader.rest());
  };

const describeNonce: Describe = (reader, out) => {
  const at = reader.offset;
  const data = reader.rest();
  out['nonceLength'] = data.length;
  out['nonceData'] = hex(data);
  if (data.length < MIN_NONCE || data.length > MAX_NONCE) {
    reader.fail('Nonce Data', `${data.length} octets, where ${MIN_NONCE} to ${MAX_NONCE} are allowed`, at);
  }
};

const describeId: Describe = (reader, out) => {
  const type = reader.u8('ID Type');
  out['idType'] = type;
  out['id'] = nameOf(ID_NAMES, type, 'type');
  const protocol = reader.u8('Protocol ID');
  const port = reader.u16('Port');
  if (protocol !== 0) out['protocol'] = protocol;
  if (port !== 0) out['port'] = port;
  out['identity'] = identityOf(type, reader);
};

const DATA = 'Identification Data';

/** RFC 2407 section 4.6.2. */
function identityOf(type: number, reader: FieldReader): string {
  switch (type) {
    case 1:
      return addressRest(reader, 4, DATA);
    case 5:
      return addressRest(reader, 16, DATA);
    case 2:
    case 3:
      return printable(reader.rest());
    case 4:
      return `${address(reader, 4, DATA)} mask ${addressRest(reader, 4, DATA)}`;
    case 6:
      return `${address(reader, 16, DATA)} mask ${addressRest(reader, 16, DATA)}`;
    case 7:
      return `${address(reader, 4, DATA)}-${addressRest(reader, 4, DATA)}`;
    case 8:
      return `${address(reader, 16, DATA)}-${addressRest(reader, 16, DATA)}`;
    default:
      return hex(reader.rest());
  }
}

const describeNatOa: Describe = (reader, out) => {
  const type = reader.u8('ID Type');
  out['idType'] = type;
  out['id'] = nameOf(ID_NAMES, type, 'type');
  reader.bytes(3, 'Reserved');
  out['address'] = addressRest(reader, type === 5 ? 16 : 4, 'Identification Data');
};

const describeCertificateRequest: Describe = (reader, out) => {
  const type = reader.u8('Cert. Type');
  out['certificateEncoding'] = type;
  out['certificateKind'] = nameOf(CERTIFICATE_NAMES, type, 'type');
  if (reader.remaining > 0) out['authority'] = hex(reader.rest());
};

const describeNotification: Describe = (reader, out) => {
  out['doi'] = reader.u32('DOI');
  const protocol = reader.u8('Protocol-ID');
  const spiSize = reader.u8('SPI Size');
  const type = reader.u16('Notify Message Type');
  out['notifyType'] = type;
  out['notify'] = notifyName(type);
  out['protocolId'] = protocol;
  out['protocol'] = nameOf(PROTOCOL_NAMES, protocol, 'protocol');
  const spi = reader.bytes(spiSize, 'SPI');
  if (spiSize > 0) out['spi'] = hex(spi);
  if (type === NotifyType.rUThere || type === NotifyType.rUThereAck) out['sequenceNumber'] = reader.u32('Sequence');
  else if (type === NotifyType.responderLifetime) {
    describeAttributes(reader, protocol === ProtocolId.isakmp ? PHASE1_ATTRIBUTES : PHASE2_ATTRIBUTES, out);
  } else if (type === NotifyType.culvertCertificateRefused) describeFlaw(reader.rest(), out);
  else if (reader.remaining > 0) out['data'] = hex(reader.rest());
};

const describeDelete: Describe = (reader, out) => {
  out['doi'] = reader.u32('DOI');
  const protocol = reader.u8('Protocol-Id');
  out['protocolId'] = protocol;
  out['protocol'] = nameOf(PROTOCOL_NAMES, protocol, 'protocol');
  const spiSize = reader.u8('SPI Size');
  const count = reader.u16('# of SPIs');
  const spis: string[] = [];
  out['spis'] = spis;
  for (let index = 0; index < count && spiSize > 0; index += 1) spis.push(hex(reader.bytes(spiSize, 'SPI')));
};

const describeVendor: Describe = (reader, out) => {
  const id = reader.rest();
  const meaning = vendorMeaning(id);
  out['vendorId'] = hex(id);
  if (meaning !== undefined) out['meaning'] = meaning;
};

/** draft-dukes-ike-mode-cfg-02 section 3.2. */
const describeConfiguration: Describe = (reader, out) => {
  const type = reader.u8('Type');
  out['cfgType'] = type;
  out['cfg'] = nameOf(CONFIGURATION_TYPES, type, 'type');
  reader.u8('RESERVED');
  out['identifier'] = reader.u16('Identifier');
  const attributes: Out[] = [];
  out['attributes'] = attributes;
  while (reader.remaining >= MIN_ATTRIBUTE) {
    const head = reader.u16('Attribute Type');
    const field = reader.u16('Attribute Value');
    const short = (head & 0x8000) !== 0;
    const attributeType = head & 0x7fff;
    const row = CONFIGURATION_ATTRIBUTES[attributeType];
    const attribute: Out = { type: attributeType, name: row?.name ?? `attribute ${attributeType}` };
    attributes.push(attribute);
    if (short) attribute['value'] = row?.value === 'secret' ? 'not shown' : field;
    else if (field > 0) attribute['value'] = configured(row?.value, reader.bytes(field, 'Attribute Value'));
  }
  if (reader.remaining > 0) out['padding'] = hex(reader.rest());
};

function configured(kind: ConfigurationValue | undefined, value: Uint8Array): FieldValue {
  if (kind === 'secret') return `${value.length} octets, not shown`;
  if (kind === 'text') return printable(value);
  if (kind === 'number' && value.length <= 4) return value.reduce((sum, octet) => sum * 256 + octet, 0);
  return kind === 'address' ? guessed(value) : hex(value);
}

const describeFragment: Describe = (reader, out) => {
  out['fragmentId'] = reader.u16('Fragment ID');
  out['fragmentNumber'] = reader.u8('Fragment Number');
  out['lastFragment'] = (reader.u8('Fragment Flags') & 1) !== 0;
  out['fragmentLength'] = reader.rest().length;
};

const PAYLOADS: Readonly<Record<number, Describe | undefined>> = {
  [PayloadType.sa]: describeSa,
  [PayloadType.keyExchange]: octets('keyExchangeData'),
  [PayloadType.identification]: describeId,
  6: describeCertificate,
  7: describeCertificateRequest,
  [PayloadType.hash]: octets('hashData'),
  9: octets('signatureData'),
  [PayloadType.nonce]: describeNonce,
  [PayloadType.notification]: describeNotification,
  [PayloadType.delete]: describeDelete,
  [PayloadType.vendorId]: describeVendor,
  14: describeConfiguration,
  [PayloadType.natD]: octets('hash'),
  [PayloadType.natOa]: describeNatOa,
  [PayloadType.natDDraft]: octets('hash'),
  [PayloadType.natOaDraft]: describeNatOa,
  [PayloadType.fragment]: describeFragment,
};

/** What the body of a payload says; of an unknown one the octets. @throws FieldError */
export function describePayload(type: number, reader: FieldReader, out: Out): void {
  const describe = PAYLOADS[type];
  if (describe !== undefined) describe(reader, out);
  else if (reader.remaining > 0) out['data'] = hex(reader.rest());
}
