/** SA payload of IKEv2: proposals, transforms and their attributes (RFC 7296 section 3.3). */
import { hex } from '../../../protocol/bytes.ts';
import {
  findTransformV2,
  TRANSFORM_TYPES,
  type TransformKind,
  transformKind,
} from '../../../protocol/ike/transforms.ts';
import { KEY_LENGTH_ATTRIBUTE } from '../../../protocol/ike/v2/numbers.ts';
import type { FieldReader } from '../field-reader.ts';
import type { Out } from './chain.ts';
import { nameOf } from './names.ts';
import { PROTOCOL_NAMES, TRANSFORM_TYPE_NAMES, transformNames } from './registry-v2.ts';

const LAST = 0;
const MORE_PROPOSALS = 2;
const MORE_TRANSFORMS = 3;

/** Fixed octets of a proposal and of a transform. */
const PROPOSAL_OCTETS = 8;
const TRANSFORM_OCTETS = 8;

/** The value stands in place of the length (section 3.3.5). */
const SHORT = 0x8000;

export function describeSa(reader: FieldReader, out: Out): void {
  const proposals: Out[] = [];
  out['proposals'] = proposals;
  for (let more = MORE_PROPOSALS; more !== LAST; ) {
    const at = reader.offset;
    more = reader.u8('Last Substruc');
    if (more !== LAST && more !== MORE_PROPOSALS) reader.fail('Last Substruc', `${more} is neither 0 nor 2`, at);
    reader.u8('RESERVED');
    const lengthAt = reader.offset;
    const length = reader.u16('Proposal Length');
    if (length < PROPOSAL_OCTETS) reader.fail('Proposal Length', `${length} octets are no proposal`, lengthAt);
    const proposal: Out = {};
    proposals.push(proposal);
    describeProposal(reader.part(length - 4, 'Proposal'), proposal);
  }
}

function describeProposal(reader: FieldReader, out: Out): void {
  out['number'] = reader.u8('Proposal Num');
  const protocol = reader.u8('Protocol ID');
  out['protocolId'] = protocol;
  out['protocol'] = nameOf(PROTOCOL_NAMES, protocol, 'protocol');
  const spiSize = reader.u8('SPI Size');
  const count = reader.u8('Num Transforms');
  const spi = reader.bytes(spiSize, 'SPI');
  if (spiSize > 0) out['spi'] = hex(spi);
  const transforms: Out[] = [];
  out['transforms'] = transforms;
  for (let index = 0; index < count; index += 1) {
    const at = reader.offset;
    const more = reader.u8('Last Substruc');
    const expected = index + 1 < count ? MORE_TRANSFORMS : LAST;
    if (more !== expected) {
      reader.fail('Last Substruc', `${more} at transform ${index + 1} of ${count}, where ${expected} is right`, at);
    }
    reader.u8('RESERVED');
    const lengthAt = reader.offset;
    const length = reader.u16('Transform Length');
    if (length < TRANSFORM_OCTETS) reader.fail('Transform Length', `${length} octets are no transform`, lengthAt);
    const transform: Out = {};
    transforms.push(transform);
    describeTransform(reader.part(length - 4, 'Transform'), transform);
  }
  if (reader.remaining > 0) reader.fail('Num Transforms', `${count} transforms leave ${reader.remaining} octets over`);
}

function describeTransform(reader: FieldReader, out: Out): void {
  const type = reader.u8('Transform Type');
  out['type'] = nameOf(TRANSFORM_TYPE_NAMES, type, 'type');
  out['transformType'] = type;
  reader.u8('RESERVED');
  const id = reader.u16('Transform ID');
  out['transformId'] = id;
  out['name'] = nameOf(transformNames(type), id, 'transform');
  let keyBits: number | undefined;
  const attributes: Out[] = [];
  while (reader.remaining > 0) {
    const head = reader.u16('Attribute Type');
    const value = reader.u16('Attribute Value');
    if (head === (KEY_LENGTH_ATTRIBUTE | SHORT)) {
      keyBits = value;
      out['keyLength'] = value;
    } else if ((head & SHORT) !== 0) attributes.push({ type: head & ~SHORT, value });
    else attributes.push({ type: head, value: hex(reader.bytes(value, 'Attribute Value')) });
  }
  if (attributes.length > 0) out['otherAttributes'] = attributes;
  const kind = transformKind(type);
  const title = kind === undefined ? undefined : titleOf(kind, id, keyBits);
  if (title !== undefined) out['algorithm'] = title;
}

function titleOf(kind: TransformKind, id: number, keyBits: number | undefined): string | undefined {
  return TRANSFORM_TYPES[kind] === TRANSFORM_TYPES.esn ? undefined : findTransformV2(kind, id, keyBits)?.title;
}
