/** Security Association payload: proposals and transforms (RFC 7296 section 3.3), from and to names of algorithms. */
import { ByteReader, type ByteWriter, DecodeError } from '../../bytes.ts';
import {
  childProtocol,
  type EspOffer,
  type EspProposal,
  type IkeOffer,
  type IkeProposal,
  ikeOffers,
  NONE,
  unknownTransform,
} from '../proposals.ts';
import { findTransformV2, TRANSFORM_TYPES, type TransformKind, transform, transformKind } from '../transforms.ts';
import { KEY_LENGTH_ATTRIBUTE, PROTOCOL } from './numbers.ts';

/** Proposals in one payload that are read: generous peers send a few dozen. */
const MAX_PROPOSALS = 64;
/** Transforms in one proposal that are read: the table has fewer. */
const MAX_TRANSFORMS = 128;
/** Attributes of one transform; there is but one kind. */
const MAX_ATTRIBUTES = 8;

/** Bit of an attribute that says: the value stands in place of the length (section 3.3.5). */
const ATTRIBUTE_SHORT = 0x8000;
/** `Last Substruc` (sections 3.3.1 and 3.3.2). */
const MORE_PROPOSALS = 2;
const MORE_TRANSFORMS = 3;

export interface SaTransform {
  /** Transform Type. */
  readonly type: number;
  /** Transform ID. */
  readonly id: number;
  readonly keyBits?: number;
  /** Has an attribute that nobody knows: not to be chosen (section 3.3.6). */
  readonly unknownAttribute?: true;
}

export interface SaProposal {
  /** Proposal Num, from 1. */
  readonly number: number;
  /** Protocol ID. */
  readonly protocol: number;
  /** Octets: none for an IKE SA in IKE_SA_INIT, 8 when rekeying it, 4 for ESP and AH. */
  readonly spi: Uint8Array;
  readonly transforms: readonly SaTransform[];
}

/** @throws DecodeError */
export function decodeProposals(reader: ByteReader): readonly SaProposal[] {
  const proposals: SaProposal[] = [];
  for (let last = false; !last; ) {
    if (proposals.length >= MAX_PROPOSALS) throw new DecodeError(`more than ${MAX_PROPOSALS} proposals`);
    last = reader.u8('Last Substruc of a proposal') === 0;
    reader.skip(1, 'reserved');
    const length = reader.u16('Proposal Length');
    if (length < 8) throw new DecodeError(`Proposal Length ${length}`);
    proposals.push(decodeProposal(new ByteReader(reader.bytes(length - 4, 'proposal'))));
  }
  return proposals;
}

function decodeProposal(reader: ByteReader): SaProposal {
  const number = reader.u8('Proposal Num');
  const protocol = reader.u8('Protocol ID');
  const spiSize = reader.u8('SPI Size');
  const count = reader.u8('Num Transforms');
  const spi = reader.bytes(spiSize, 'SPI').slice();
  if (count > MAX_TRANSFORMS) throw new DecodeError(`${count} transforms in a proposal`);
  const transforms: SaTransform[] = [];
  for (let index = 0; index < count; index += 1) {
    reader.skip(2, 'transform');
    const length = reader.u16('Transform Length');
    if (length < 8) throw new DecodeError(`Transform Length ${length}`);
    transforms.push(decodeTransform(new ByteReader(reader.bytes(length - 4, 'transform'))));
  }
  return { number, protocol, spi, transforms };
}

function decodeTransform(reader: ByteReader): SaTransform {
  const type = reader.u8('Transform Type');
  reader.skip(1, 'reserved');
  const id = reader.u16('Transform ID');
  let keyBits: number | undefined;
  let unknown = false;
  for (let count = 0; reader.remaining > 0; count += 1) {
    if (count >= MAX_ATTRIBUTES) throw new DecodeError('too many transform attributes');
    const head = reader.u16('Attribute Type');
    const value = reader.u16('Attribute Value');
    if (head === (KEY_LENGTH_ATTRIBUTE | ATTRIBUTE_SHORT)) keyBits = value;
    else unknown = true;
    if ((head & ATTRIBUTE_SHORT) === 0) reader.skip(value, 'Attribute Value');
  }
  return {
    type,
    id,
    ...(keyBits === undefined ? {} : { keyBits }),
    ...(unknown ? { unknownAttribute: true as const } : {}),
  };
}

export function encodeProposals(writer: ByteWriter, proposals: readonly SaProposal[]): void {
  for (const [index, { number, protocol, spi, transforms }] of proposals.entries()) {
    const start = writer.length;
    writer.u8(index + 1 < proposals.length ? MORE_PROPOSALS : 0).u8(0);
    writer.u16(0).u8(number).u8(protocol).u8(spi.length).u8(transforms.length).bytes(spi);
    for (const [at, { type, id, keyBits }] of transforms.entries()) {
      writer.u8(at + 1 < transforms.length ? MORE_TRANSFORMS : 0).u8(0);
      writer.u16(keyBits === undefined ? 8 : 12);
      writer.u8(type).u8(0).u16(id);
      if (keyBits !== undefined) writer.u16(KEY_LENGTH_ATTRIBUTE | ATTRIBUTE_SHORT).u16(keyBits);
    }
    writer.patchU16(start + 2, writer.length - start);
  }
}

/** An offer with the proposal that it was read from. */
export interface Offered<Offer> {
  readonly offer: Offer;
  readonly proposal: SaProposal;
}

const KINDS_OF_IKE = ['encryption', 'integrity', 'prf', 'group', 'additional'] as const;

/** The IKE proposals that can be judged. @param spiOctets 0 in IKE_SA_INIT, 8 when rekeying. */
export function ikeOffersOf(proposals: readonly SaProposal[], spiOctets: number): readonly Offered<IkeOffer>[] {
  return judgeable(proposals, PROTOCOL.ike, spiOctets, KINDS_OF_IKE).map((proposal) => ({
    proposal,
    offer: {
      encryption: names(proposal, 'encryption'),
      integrity: names(proposal, 'integrity'),
      prf: names(proposal, 'prf'),
      group: names(proposal, 'group'),
      additional: names(proposal, 'additional'),
    },
  }));
}

const KINDS_OF_AH = ['integrity', 'group', 'esn'] as const;
const KINDS_OF_ESP = ['encryption', 'additional', ...KINDS_OF_AH] as const;

/** The ESP and AH proposals that can be judged. */
export function espOffersOf(proposals: readonly SaProposal[]): readonly Offered<EspOffer>[] {
  const fitting = proposals.flatMap((proposal) => {
    const kinds = proposal.protocol === PROTOCOL.ah ? KINDS_OF_AH : KINDS_OF_ESP;
    return judgeable([proposal], proposal.protocol === PROTOCOL.ah ? PROTOCOL.ah : PROTOCOL.esp, 4, kinds);
  });
  return fitting.map((proposal) => ({
    proposal,
    offer: {
      encryption: proposal.protocol === PROTOCOL.ah ? [NONE] : names(proposal, 'encryption'),
      integrity: names(proposal, 'integrity'),
      group: names(proposal, 'group'),
      additional: names(proposal, 'additional'),
      esn: names(proposal, 'esn').flatMap((name) => (name === 'esn' ? [true] : name === 'noesn' ? [false] : [])),
    },
  }));
}

/** A proposal with a Transform Type that is unknown, or has no place there, is not to be chosen (section 3.3.6). */
function judgeable(
  proposals: readonly SaProposal[],
  protocol: number,
  spiOctets: number,
  kinds: readonly TransformKind[],
): readonly SaProposal[] {
  return proposals.filter(
    (proposal) =>
      proposal.protocol === protocol &&
      proposal.spi.length === spiOctets &&
      proposal.transforms.every(({ type }) => {
        const kind = transformKind(type);
        return kind !== undefined && kinds.includes(kind);
      }),
  );
}

function names(proposal: SaProposal, kind: TransformKind): readonly string[] {
  return proposal.transforms
    .filter(({ type }) => type === TRANSFORM_TYPES[kind])
    .map(({ id, keyBits, unknownAttribute }) => {
      if (id === 0 && (kind === 'integrity' || kind === 'group' || kind === 'additional')) return NONE;
      const row = unknownAttribute ? undefined : findTransformV2(kind, id, keyBits);
      return row?.name ?? unknownTransform(kind, id, keyBits);
    });
}

/** Whether it names no more than one of each kind, as a responder has to. */
export function isChoice({ encryption, integrity, prf, group, additional = [] }: IkeOffer): boolean {
  return [encryption, integrity, prf, group, additional].every((kind) => kind.length <= 1);
}

/** Proposals of an IKE SA as they go into a payload, numbered from 1. */
export function encodeIkeOffers(offers: readonly IkeOffer[], spi: Uint8Array): readonly SaProposal[] {
  return offers.map(({ encryption, integrity, prf, group, additional = [] }, index) => ({
    number: index + 1,
    protocol: PROTOCOL.ike,
    spi,
    transforms: [
      ...rows('encryption', encryption),
      ...rows('prf', prf),
      ...rows('integrity', integrity),
      ...rows('group', group),
      ...rows('additional', additional),
    ],
  }));
}

/** Proposals of a child SA as they go into a payload, numbered from 1. */
export function encodeEspOffers(offers: readonly EspOffer[], spi: Uint8Array): readonly SaProposal[] {
  return offers.map(({ encryption, integrity, group, additional = [], esn }, index) => ({
    number: index + 1,
    protocol: PROTOCOL[childProtocol({ encryption: encryption[0] ?? '' })],
    spi,
    transforms: [
      ...rows('encryption', encryption),
      ...rows('integrity', integrity),
      ...rows('group', group),
      ...rows('additional', additional),
      ...rows('esn', esn.length === 0 ? ['noesn'] : esn.map((extended) => (extended ? 'esn' : 'noesn'))),
    ],
  }));
}

/** What a responder chose, under the number of the proposal that it was chosen from. */
export function encodeIkeChoice(choice: IkeProposal, number: number, spi: Uint8Array): readonly SaProposal[] {
  return encodeIkeOffers(ikeOffers([choice]), spi).map((proposal) => ({ ...proposal, number }));
}

/** What a responder chose, under the number of the proposal that it was chosen from. */
export function encodeEspChoice(choice: EspProposal, number: number, spi: Uint8Array): readonly SaProposal[] {
  const { encryption, integrity, group, additional, esn } = choice;
  const offer = {
    encryption: [encryption],
    integrity: integrity ? [integrity] : [],
    group: group ? [group] : [],
    additional: additional ? [additional] : [],
    esn: [esn],
  };
  return encodeEspOffers([offer], spi).map((proposal) => ({ ...proposal, number }));
}

function rows(kind: TransformKind, wanted: readonly string[]): readonly SaTransform[] {
  // Alone, NONE is left out: some peers stumble over it (section 3.3.3 allows either).
  if (wanted.every((name) => name === NONE)) return [];
  return wanted.flatMap((name) => {
    if (name === NONE) return [{ type: TRANSFORM_TYPES[kind], id: 0 }];
    const row = transform(kind, name);
    if (row.v2 === undefined) return [];
    const withLength = row.kind === 'encryption' && row.keyLengthAttribute;
    return [{ type: TRANSFORM_TYPES[kind], id: row.v2, ...(withLength ? { keyBits: row.keyOctets * 8 } : {}) }];
  });
}

/** Number of a group, for KE payloads. @throws EncodeError when there is no such group. */
export function groupNumber(group: string): number {
  return transform('group', group).v2;
}

/** Name of a group; `undefined` when unknown. */
export function groupName(number: number): string | undefined {
  return findTransformV2('group', number)?.name;
}
