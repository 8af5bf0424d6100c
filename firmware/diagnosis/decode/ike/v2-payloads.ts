/** Payloads of IKEv2 (RFC 7296 section 3), but for the encrypted ones. */
import { hex } from '../../../protocol/bytes.ts';
import { findTransformV2 } from '../../../protocol/ike/transforms.ts';
import { selectorText } from '../../../protocol/ike/v2/traffic-selector.ts';
import { vendorMeaning } from '../../../protocol/ike/vendor-id-table.ts';
import { printable } from '../../../protocol/printable.ts';
import { eapText } from '../eap.ts';
import { type FieldReader, whole } from '../field-reader.ts';
import { PasswordChecker } from '../password-checker.ts';
import { describeCertificate } from './certificate.ts';
import type { Out } from './chain.ts';
import { type Names, nameOf } from './names.ts';
import {
  AUTH_METHOD_NAMES,
  CERTIFICATE_NAMES,
  GROUP_NAMES,
  ID_NAMES,
  PROTOCOL_NAMES,
  TS_TYPE_NAMES,
} from './registry-v2.ts';
import { describeConfiguration } from './v2-configuration.ts';
import { describeNotify } from './v2-notify.ts';
import { describeSa } from './v2-sa.ts';
import { address, addressRest } from './values.ts';

/** Bounds of a nonce in octets (section 2.10). */
const MIN_NONCE = 16;
const MAX_NONCE = 256;

/** Octets of one hash in CERTREQ (section 3.7). */
const AUTHORITY_OCTETS = 20;

function describeKe(reader: FieldReader, out: Out): void {
  const group = reader.u16('Diffie-Hellman Group Num');
  out['group'] = group;
  out['groupName'] = nameOf(GROUP_NAMES, group, 'group');
  reader.u16('RESERVED');
  const at = reader.offset;
  const data = reader.rest();
  out['keyExchangeData'] = hex(data);
  const known = findTransformV2('group', group);
  if (known !== undefined && known.publicOctets !== data.length) {
    const wrong = `${data.length} octets, where ${known.title} has ${known.publicOctets}`;
    reader.fail('Key Exchange Data', wrong, at);
  }
}

function describeId(reader: FieldReader, out: Out): void {
  const type = reader.u8('ID Type');
  out['idType'] = type;
  out['id'] = nameOf(ID_NAMES, type, 'type');
  reader.bytes(3, 'RESERVED');
  if (type === 1) out['identity'] = addressRest(reader, 4, 'Identification Data');
  else if (type === 5) out['identity'] = addressRest(reader, 16, 'Identification Data');
  else if (type === 2 || type === 3) out['identity'] = printable(reader.rest());
  else out['identity'] = hex(reader.rest());
}

function describeCertificateRequest(reader: FieldReader, out: Out): void {
  const encoding = reader.u8('Cert Encoding');
  out['certificateEncoding'] = encoding;
  out['certificateKind'] = nameOf(CERTIFICATE_NAMES, encoding, 'encoding');
  const authorities: string[] = [];
  out['authorities'] = authorities;
  while (reader.remaining > 0) authorities.push(hex(reader.bytes(AUTHORITY_OCTETS, 'Certification Authority')));
}

function describeAuth(reader: FieldReader, out: Out): void {
  const method = reader.u8('Auth Method');
  out['authMethod'] = method;
  out['method'] = nameOf(AUTH_METHOD_NAMES, method, 'method');
  reader.bytes(3, 'RESERVED');
  out['authenticationData'] = hex(reader.rest());
}

function describeNonce(reader: FieldReader, out: Out): void {
  const at = reader.offset;
  const data = reader.rest();
  out['nonceLength'] = data.length;
  out['nonceData'] = hex(data);
  if (data.length < MIN_NONCE || data.length > MAX_NONCE) {
    reader.fail('Nonce Data', `${data.length} octets, where ${MIN_NONCE} to ${MAX_NONCE} are allowed`, at);
  }
}

function describeDelete(reader: FieldReader, out: Out): void {
  const protocol = reader.u8('Protocol ID');
  out['protocolId'] = protocol;
  out['protocol'] = nameOf(PROTOCOL_NAMES, protocol, 'protocol');
  const spiSize = reader.u8('SPI Size');
  const count = reader.u16('Num of SPIs');
  const spis: string[] = [];
  out['spis'] = spis;
  // Of no octets there may be any number, and they say nothing: that is how the IKE SA is named.
  for (let index = 0; index < count && spiSize > 0; index += 1) spis.push(hex(reader.bytes(spiSize, 'SPI')));
}

function describeVendor(reader: FieldReader, out: Out): void {
  const id = reader.rest();
  const meaning = vendorMeaning(id);
  out['vendorId'] = hex(id);
  if (meaning !== undefined) out['meaning'] = meaning;
}

function describeSelectors(reader: FieldReader, out: Out): void {
  const count = reader.u8('Number of TSs');
  reader.bytes(3, 'RESERVED');
  const selectors: Out[] = [];
  out['selectors'] = selectors;
  for (let index = 0; index < count; index += 1) {
    const selector: Out = {};
    selectors.push(selector);
    const type = reader.u8('TS Type');
    selector['tsType'] = type;
    selector['type'] = nameOf(TS_TYPE_NAMES, type, 'type');
    const protocol = reader.u8('IP Protocol ID');
    const at = reader.offset;
    const length = reader.u16('Selector Length');
    if (length < 4) reader.fail('Selector Length', `${length} octets are no selector`, at);
    const body = reader.part(length - 4, 'Traffic Selector');
    const octets = type === 7 ? 4 : type === 8 ? 16 : undefined;
    if (octets === undefined) {
      selector['data'] = hex(body.rest());
      continue;
    }
    const range = {
      protocol,
      firstPort: body.u16('Start Port'),
      lastPort: body.u16('End Port'),
      firstAddress: address(body, octets, 'Starting Address'),
      lastAddress: address(body, octets, 'Ending Address'),
    };
    Object.assign(selector, range, { text: selectorText(range) });
  }
}

const EAP_HEADER = 4;
const EAP_CODES: Names = { 1: 'Request', 2: 'Response', 3: 'Success', 4: 'Failure' };

/** Nothing is judged here: who proves himself to whom is not known without both identities. */
const NOBODY_JUDGES = new PasswordChecker([]);

/** RFC 3748 section 4. */
function describeEap(reader: FieldReader, out: Out): void {
  const total = reader.remaining;
  const eap: Out = {};
  out['eap'] = eap;
  const codeNumber = reader.u8('Code');
  const code = nameOf(EAP_CODES, codeNumber, 'code');
  eap['code'] = code;
  const identifier = reader.u8('Identifier');
  eap['identifier'] = identifier;
  const at = reader.offset;
  const length = reader.u16('Length');
  if (length < EAP_HEADER || length > total) {
    reader.fail('Length', `the EAP packet says ${length} octets, and ${total} are there`, at);
  }
  const { offset } = reader;
  const data = whole(reader.bytes(length - EAP_HEADER, 'Data'));
  const packet = { code, codeNumber, identifier, data, offset };
  Object.assign(eap, eapText(packet, NOBODY_JUDGES, { conversation: '', direction: 0 }).fields);
}

const PAYLOADS: Readonly<Record<number, ((reader: FieldReader, out: Out) => void) | undefined>> = {
  33: describeSa,
  34: describeKe,
  35: describeId,
  36: describeId,
  37: describeCertificate,
  38: describeCertificateRequest,
  39: describeAuth,
  40: describeNonce,
  41: describeNotify,
  42: describeDelete,
  43: describeVendor,
  44: describeSelectors,
  45: describeSelectors,
  47: describeConfiguration,
  48: describeEap,
};

/** What the body of a payload says; of an unknown one the octets. @throws FieldError */
export function describePayload(type: number, reader: FieldReader, out: Out): void {
  const describe = PAYLOADS[type];
  if (describe !== undefined) describe(reader, out);
  else if (reader.remaining > 0) out['data'] = hex(reader.rest());
}
