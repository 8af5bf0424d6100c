/** SA, Proposal and Transform payloads of IKEv1 with their attributes (RFC 2408 sections 3.3 to 3.6). */
import { hex } from '../../../protocol/bytes.ts';
import {
  type EncryptionTransform,
  findPhase1Encryption,
  findPhase1Hash,
  type PrfTransform,
} from '../../../protocol/ike/transforms.ts';
import { DOI_IPSEC, Phase1Attribute, ProtocolId, SITUATION_IDENTITY_ONLY } from '../../../protocol/ike/v1/numbers.ts';
import type { FieldValue } from '../decoded.ts';
import type { FieldReader } from '../field-reader.ts';
import type { Out } from './chain.ts';
import { nameOf } from './names.ts';
import {
  type AttributeTable,
  PHASE1_ATTRIBUTES,
  PHASE2_ATTRIBUTES,
  PROTOCOL_NAMES,
  TRANSFORM_NAMES,
} from './registry-v1.ts';

/** Next Payload within an SA payload. */
const LAST = 0;
const MORE_PROPOSALS = 2;
const MORE_TRANSFORMS = 3;

/** The value stands in place of the length. */
const SHORT = 0x8000;

/** Octets of the longest value that is shown as a number. */
const NUMBER_OCTETS = 4;

export function describeSa(reader: FieldReader, out: Out): void {
  const doi = reader.u32('DOI');
  out['doi'] = doi;
  const at = reader.offset;
  const situation = reader.u32('Situation');
  out['situation'] = situation;
  if (doi === DOI_IPSEC && situation !== SITUATION_IDENTITY_ONLY) {
    reader.fail('Situation', `${situation} is not the one that IPsec uses, which is 1`, at);
  }
  const proposals: Out[] = [];
  out['proposals'] = proposals;
  for (let more = MORE_PROPOSALS; more !== LAST; ) {
    const part = substructure(reader, 'Proposal', MORE_PROPOSALS);
    const proposal: Out = {};
    proposals.push(proposal);
    describeProposal(part.body, proposal);
    more = part.next;
  }
}

function substructure(
  reader: FieldReader,
  what: string,
  more: number,
): { readonly next: number; readonly body: FieldReader } {
  const at = reader.offset;
  const next = reader.u8('Next Payload');
  if (next !== LAST && next !== more) reader.fail('Next Payload', `${next} is neither 0 nor ${more}`, at);
  reader.u8('RESERVED');
  const lengthAt = reader.offset;
  const length = reader.u16('Payload Length');
  if (length < 8) reader.fail('Payload Length', `${length} octets are no ${what.toLowerCase()}`, lengthAt);
  return { next, body: reader.part(length - 4, what) };
}

function describeProposal(reader: FieldReader, out: Out): void {
  out['number'] = reader.u8('Proposal #');
  const protocol = reader.u8('Protocol-Id');
  out['protocolId'] = protocol;
  out['protocol'] = nameOf(PROTOCOL_NAMES, protocol, 'protocol');
  const spiSize = reader.u8('SPI Size');
  const at = reader.offset;
  const count = reader.u8('# of Transforms');
  const spi = reader.bytes(spiSize, 'SPI');
  if (spiSize > 0) out['spi'] = hex(spi);
  const transforms: Out[] = [];
  out['transforms'] = transforms;
  for (let more = MORE_TRANSFORMS; more !== LAST; ) {
    const part = substructure(reader, 'Transform', MORE_TRANSFORMS);
    const transform: Out = {};
    transforms.push(transform);
    describeTransform(part.body, protocol, transform);
    more = part.next;
  }
  if (transforms.length !== count) {
    reader.fail('# of Transforms', `${count} are announced, and there are ${transforms.length}`, at);
  }
}

function describeTransform(reader: FieldReader, protocol: number, out: Out): void {
  out['number'] = reader.u8('Transform #');
  const id = reader.u8('Transform-Id');
  out['transformId'] = id;
  out['name'] = nameOf(TRANSFORM_NAMES[protocol] ?? {}, id, 'transform');
  reader.u16('RESERVED2');
  describeAttributes(reader, protocol === ProtocolId.isakmp ? PHASE1_ATTRIBUTES : PHASE2_ATTRIBUTES, out);
}

/** Data attributes (RFC 2408 section 3.3) until the end. @throws FieldError */
export function describeAttributes(reader: FieldReader, table: AttributeTable, out: Out): void {
  const attributes: Out[] = [];
  out['attributes'] = attributes;
  while (reader.remaining > 0) {
    const { type, value } = readAttribute(reader);
    const row = table[type];
    const meaning = typeof value === 'number' ? row?.values?.[value] : undefined;
    attributes.push({
      type,
      name: row?.name ?? `attribute ${type}`,
      value,
      ...(meaning === undefined ? {} : { meaning }),
    });
  }
}

/** A number up to 32 bits; longer values in hexadecimal. */
function readAttribute(reader: FieldReader): { readonly type: number; readonly value: number | string } {
  const head = reader.u16('Attribute Type');
  const field = reader.u16('Attribute Value');
  if ((head & SHORT) !== 0) return { type: head & ~SHORT, value: field };
  const octets = reader.bytes(field, 'Attribute Value');
  if (octets.length === 0 || octets.length > NUMBER_OCTETS) return { type: head, value: hex(octets) };
  return { type: head, value: octets.reduce((sum, octet) => sum * 256 + octet, 0) };
}

/** What phase 1 agreed on, as far as decryption depends on it. */
export interface Phase1Algorithms {
  /** Absent: none that can be read here. */
  readonly cipher?: EncryptionTransform;
  readonly prf?: PrfTransform;
}

/** Of an answer: an SA payload with one transform. `undefined` for any other. */
export function algorithmsOf(sa: Out): Phase1Algorithms | undefined {
  const [proposal, ...otherProposals] = listOf(sa['proposals']);
  const [transform, ...otherTransforms] = listOf(proposal?.['transforms']);
  if (transform === undefined || otherProposals.length + otherTransforms.length > 0) return undefined;
  const numberOf = (type: number): number | undefined => {
    const value = listOf(transform['attributes']).find((attribute) => attribute['type'] === type)?.['value'];
    return typeof value === 'number' ? value : undefined;
  };
  const encryption = numberOf(Phase1Attribute.encryption);
  const cipher =
    encryption === undefined ? undefined : findPhase1Encryption(encryption, numberOf(Phase1Attribute.keyLength));
  const prf = findPhase1Hash(numberOf(Phase1Attribute.hash) ?? 0);
  return { ...(cipher === undefined ? {} : { cipher }), ...(prf === undefined ? {} : { prf }) };
}

function listOf(value: FieldValue | undefined): readonly Out[] {
  return Array.isArray(value) ? (value as readonly Out[]) : [];
}
