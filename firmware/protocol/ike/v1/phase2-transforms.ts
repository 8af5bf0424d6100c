/** Phase 2 transforms for ESP and AH (RFC 2407 sections 4.4.3, 4.4.4 and 4.5): what they say, and how ours are said. */
import { DecodeError } from '../../bytes.ts';
import { childProtocol, type EspOffer, type EspProposal, isForAh, NONE, unknownTransform } from '../proposals.ts';
import { findGroupV1, findPhase2Encryption, findPhase2Integrity, transform } from '../transforms.ts';
import type { NatSituationV1 } from './natd.ts';
import { spiNumber, spiOctets } from './notification.ts';
import { Phase2Attribute as Attribute, EncapsulationMode, LifeType, ProtocolId } from './numbers.ts';
import { attributeOf, secondsOf } from './phase1-transforms.ts';
import { type DataAttribute, decodeSa, makeTransform, type SaProposal, type SaTransform } from './sa-payload.ts';

/**
 * AH transform identifiers by Authentication Algorithm, for each of which there is one (RFC 2407 section 4.4.3 and its
 * registry). The attribute has to be there as well.
 */
const AH_TRANSFORMS: ReadonlyMap<number, number> = new Map([
  [1, 2],
  [2, 3],
  [5, 5],
  [6, 6],
  [7, 7],
]);

/** SPIs up to this one are reserved (RFC 4303 section 2.1). */
export const LAST_RESERVED_SPI = 255;

/** Most transforms in one proposal, of either phase: their number is one octet. */
export const MAX_OFFERED_TRANSFORMS = 255;

const KNOWN_ATTRIBUTES: ReadonlySet<number> = new Set(Object.values(Attribute));

export interface Phase2Offer {
  readonly offer: EspOffer;
  /** Encapsulation Mode; tunnel where none was named. */
  readonly mode: number;
  readonly lifetime?: number;
  /** What the peer wants to receive on. */
  readonly spi: number;
  readonly proposal: SaProposal;
  readonly transform: SaTransform;
}

/**
 * Every transform of ESP or AH alone. Bundles of the two, or with IPComp, and proposals without a usable SPI, are left out.
 * @throws DecodeError when the payload is malformed.
 */
export function phase2Offers(saBody: Uint8Array): readonly Phase2Offer[] {
  const proposals = decodeSa(saBody);
  const offers: Phase2Offer[] = [];
  for (const proposal of proposals) {
    const bundled = proposals.some((other) => other !== proposal && other.number === proposal.number);
    const spi = spiNumber(proposal.spi);
    const known = proposal.protocol === ProtocolId.esp || proposal.protocol === ProtocolId.ah;
    if (bundled || !known || spi === undefined || spi <= LAST_RESERVED_SPI) continue;
    for (const item of proposal.transforms) offers.push(offerOf(proposal, item, spi));
  }
  return offers;
}

/** The one transform of a responder's answer. @throws DecodeError when there is another number of them. */
export function phase2Answer(saBody: Uint8Array): Phase2Offer {
  const [answer, ...others] = phase2Offers(saBody);
  if (answer === undefined || others.length > 0)
    throw new DecodeError('the answer holds not one transform of ESP or AH');
  return answer;
}

function offerOf(proposal: SaProposal, item: SaTransform, spi: number): Phase2Offer {
  const { attributes } = item;
  const keyBits = attributeOf(attributes, Attribute.keyLength);
  const strange = attributes.find(({ type }) => !KNOWN_ATTRIBUTES.has(type));
  const known = proposal.protocol === ProtocolId.ah ? ahCipher(item) : findPhase2Encryption(item.id, keyBits)?.name;
  const cipher = strange === undefined ? known : undefined;
  const unknown =
    strange === undefined
      ? unknownTransform('encryption', item.id, keyBits)
      : unknownTransform('encryption-with-attribute', strange.type);
  const integrity = attributeOf(attributes, Attribute.authentication);
  const group = attributeOf(attributes, Attribute.group);
  const lifetime = secondsOf(attributes, Attribute);
  return {
    offer: {
      encryption: [cipher ?? unknown],
      integrity:
        integrity === undefined
          ? []
          : [findPhase2Integrity(integrity)?.name ?? unknownTransform('integrity', integrity)],
      group: group === undefined ? [] : [findGroupV1(group)?.name ?? unknownTransform('group', group)],
      esn: [attributeOf(attributes, Attribute.extendedSequenceNumbers) === 1],
    },
    mode: attributeOf(attributes, Attribute.encapsulation) ?? EncapsulationMode.tunnel,
    ...(lifetime === undefined ? {} : { lifetime }),
    spi,
    proposal,
    transform: item,
  };
}

/** No cipher; `undefined` where the transform contradicts its Authentication Algorithm. */
function ahCipher({ id, attributes }: SaTransform): typeof NONE | undefined {
  const integrity = attributeOf(attributes, Attribute.authentication);
  return integrity !== undefined && AH_TRANSFORMS.get(integrity) === id ? NONE : undefined;
}

/** Protocol-ID of child SAs of these proposals, which are of one protocol. */
export function phase2Protocol(proposals: readonly EspProposal[]): number {
  return isForAh(proposals) ? ProtocolId.ah : ProtocolId.esp;
}

/** What the mode is called on the wire: one number to offer, and all of its names to accept. */
export function encapsulationModes(
  mode: 'transport' | 'tunnel',
  { encapsulation, traversal }: NatSituationV1,
  proposals: readonly EspProposal[],
): { readonly offered: number; readonly accepted: readonly number[] } {
  const tunnel = mode === 'tunnel';
  if (encapsulation === undefined || isForAh(proposals)) {
    const plain = tunnel ? EncapsulationMode.tunnel : EncapsulationMode.transport;
    return { offered: plain, accepted: [plain] };
  }
  const standard = tunnel ? EncapsulationMode.udpTunnel : EncapsulationMode.udpTransport;
  const draft = tunnel ? EncapsulationMode.udpTunnelDraft : EncapsulationMode.udpTransportDraft;
  return { offered: traversal === 'draft' ? draft : standard, accepted: [standard, draft] };
}

/** One proposal with a transform for each of `proposals`. @param lifetime seconds. */
export function phase2Proposal(
  proposals: readonly EspProposal[],
  mode: number,
  lifetime: number,
  spi: number,
): SaProposal {
  const transforms = proposals.map((proposal, index) => {
    const ah = childProtocol(proposal) === 'ah';
    const cipher = ah ? undefined : transform('encryption', proposal.encryption);
    const integrity = proposal.integrity === undefined ? undefined : transform('integrity', proposal.integrity).phase2;
    const attributes: DataAttribute[] = [
      { type: Attribute.lifeType, value: LifeType.seconds },
      { type: Attribute.lifeDuration, value: lifetime },
      { type: Attribute.encapsulation, value: mode },
    ];
    if (integrity !== undefined) attributes.push({ type: Attribute.authentication, value: integrity });
    if (cipher?.keyLengthAttribute) attributes.push({ type: Attribute.keyLength, value: cipher.keyOctets * 8 });
    if (proposal.group !== undefined) {
      attributes.push({ type: Attribute.group, value: transform('group', proposal.group).v2 });
    }
    return makeTransform(index + 1, (ah ? AH_TRANSFORMS.get(integrity ?? 0) : cipher?.phase2) ?? 0, attributes);
  });
  return { number: 1, protocol: phase2Protocol(proposals), spi: spiOctets(spi), transforms };
}

/** The answer of a responder: the chosen transform as it came, with this side's SPI. */
export function chosenEspProposal({ proposal, transform: chosen }: Phase2Offer, spi: number): SaProposal {
  return { ...proposal, spi: spiOctets(spi), transforms: [chosen] };
}
