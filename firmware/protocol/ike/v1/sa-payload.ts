/** Security Association, Proposal and Transform payloads with their attributes (RFC 2408 sections 3.3 to 3.6). */
import { ByteReader, ByteWriter, DecodeError } from '../../bytes.ts';
import { DOI_IPSEC, SITUATION_IDENTITY_ONLY } from './numbers.ts';

/** Next Payload values within an SA payload. */
const MORE = { proposal: 2, transform: 3, none: 0 } as const;

/** Bounds on what a stranger may offer. macOS sends some twenty transforms, libreswan over a hundred. */
const MAX_PROPOSALS = 32;
const MAX_TRANSFORMS = 255;
const MAX_ATTRIBUTES = 32;

/** Attribute Format bit: set, the value is the two octets behind the type (TV); clear, a length comes first (TLV). */
const FORMAT_TV = 0x8000;

/** Largest value of a TLV attribute as a number; longer ones count as this. */
const MAX_VALUE = 0xffffffff;

/** A number under its class. All attributes that this side understands are numbers. */
export interface DataAttribute {
  readonly type: number;
  /** 0..4294967295; what is larger counts as 4294967295. */
  readonly value: number;
}

export interface SaTransform {
  readonly number: number;
  readonly id: number;
  readonly attributes: readonly DataAttribute[];
  /** The attributes as they came: a responder returns them octet for octet (RFC 2408 section 4.2). */
  readonly octets: Uint8Array;
}

export interface SaProposal {
  /** Proposals of one number belong together: AH and ESP, say. */
  readonly number: number;
  readonly protocol: number;
  /** 0..255 octets. */
  readonly spi: Uint8Array;
  readonly transforms: readonly SaTransform[];
}

/** @throws DecodeError when it is malformed, without transform, or not of the IPsec DOI with identities only. */
export function decodeSa(body: Uint8Array): readonly SaProposal[] {
  const reader = new ByteReader(body);
  const doi = reader.u32('DOI');
  if (doi !== DOI_IPSEC) throw new DecodeError(`DOI ${doi}`);
  const situation = reader.u32('Situation');
  if (situation !== SITUATION_IDENTITY_ONLY) throw new DecodeError(`situation ${situation}`);
  const proposals: SaProposal[] = [];
  for (let more = true; more; ) {
    if (proposals.length >= MAX_PROPOSALS) throw new DecodeError(`more than ${MAX_PROPOSALS} proposals`);
    const { next, content } = substructure(reader, 'proposal');
    proposals.push(decodeProposal(content));
    more = next === MORE.proposal;
  }
  return proposals;
}

/** @throws EncodeError when something does not fit its field. */
export function encodeSa(proposals: readonly SaProposal[]): Uint8Array {
  const writer = new ByteWriter().u32(DOI_IPSEC).u32(SITUATION_IDENTITY_ONLY);
  for (const [index, proposal] of proposals.entries()) {
    const content = encodeProposal(proposal);
    const next = index + 1 < proposals.length ? MORE.proposal : MORE.none;
    writer
      .u8(next)
      .u8(0)
      .u16(content.length + 4)
      .bytes(content);
  }
  return writer.finish();
}

/** A transform of ours. */
export function makeTransform(number: number, id: number, attributes: readonly DataAttribute[]): SaTransform {
  return { number, id, attributes, octets: encodeAttributes(attributes) };
}

function substructure(reader: ByteReader, what: string): { readonly next: number; readonly content: ByteReader } {
  const next = reader.u8('Next Payload');
  reader.skip(1, 'RESERVED');
  const length = reader.u16('Payload Length');
  return { next, content: new ByteReader(reader.bytes(length - 4, what)) };
}

function decodeProposal(reader: ByteReader): SaProposal {
  const number = reader.u8('Proposal #');
  const protocol = reader.u8('Protocol-Id');
  const spiOctets = reader.u8('SPI Size');
  const count = reader.u8('# of Transforms');
  const spi = reader.bytes(spiOctets, 'SPI');
  const transforms: SaTransform[] = [];
  for (let more = true; more; ) {
    if (transforms.length >= MAX_TRANSFORMS) throw new DecodeError(`more than ${MAX_TRANSFORMS} transforms`);
    const { next, content } = substructure(reader, 'transform');
    transforms.push(decodeTransform(content));
    more = next === MORE.transform;
  }
  if (transforms.length !== count) throw new DecodeError(`${count} transforms announced, ${transforms.length} there`);
  return { number, protocol, spi, transforms };
}

function decodeTransform(reader: ByteReader): SaTransform {
  const number = reader.u8('Transform #');
  const id = reader.u8('Transform-Id');
  reader.skip(2, 'RESERVED2');
  const octets = reader.rest();
  return { number, id, attributes: decodeAttributes(octets), octets };
}

function encodeProposal(proposal: SaProposal): Uint8Array {
  const { number, protocol, spi, transforms } = proposal;
  const writer = new ByteWriter().u8(number).u8(protocol).u8(spi.length).u8(transforms.length).bytes(spi);
  for (const [index, transform] of transforms.entries()) {
    writer
      .u8(index + 1 < transforms.length ? MORE.transform : MORE.none)
      .u8(0)
      .u16(8 + transform.octets.length)
      .u8(transform.number)
      .u8(transform.id)
      .u16(0)
      .bytes(transform.octets);
  }
  return writer.finish();
}

/** Attributes until the end, in order: Life Type says what the Life Duration behind it counts. */
export function decodeAttributes(octets: Uint8Array): readonly DataAttribute[] {
  const reader = new ByteReader(octets);
  const attributes: DataAttribute[] = [];
  while (reader.remaining > 0) {
    if (attributes.length >= MAX_ATTRIBUTES) throw new DecodeError(`more than ${MAX_ATTRIBUTES} attributes`);
    const type = reader.u16('Attribute Type');
    const field = reader.u16('Attribute Value');
    if ((type & FORMAT_TV) !== 0) attributes.push({ type: type & ~FORMAT_TV, value: field });
    else attributes.push({ type, value: numberOf(reader.bytes(field, 'Attribute Value')) });
  }
  return attributes;
}

/** Values up to 65535 as TV, larger ones as TLV of 4 octets. */
export function encodeAttributes(attributes: readonly DataAttribute[]): Uint8Array {
  const writer = new ByteWriter();
  for (const { type, value } of attributes) {
    if (value <= 0xffff) writer.u16(type | FORMAT_TV).u16(value);
    else writer.u16(type).u16(4).u32(value);
  }
  return writer.finish();
}

function numberOf(octets: Uint8Array): number {
  let value = 0;
  for (const octet of octets) value = Math.min(value * 256 + octet, MAX_VALUE);
  return value;
}
