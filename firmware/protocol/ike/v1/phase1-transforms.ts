/** Phase 1 transforms (RFC 2409 appendix A): what they say, and how ours are said. */
import { DecodeError } from '../../bytes.ts';
import type { IkeConnection } from '../ike-types.ts';
import { chooseIkeProposal, type IkeOffer, type IkeProposal, unknownTransform } from '../proposals.ts';
import { findGroupV1, findPhase1Encryption, findPhase1Hash, transform } from '../transforms.ts';
import { methodOf } from './authentication-method.ts';
import { agreedLifetime, DEFAULT_IKE_LIFETIME } from './lifetimes.ts';
import { Phase1Attribute as Attribute, KEY_IKE, LifeType, ProtocolId } from './numbers.ts';
import { type DataAttribute, decodeSa, makeTransform, type SaProposal, type SaTransform } from './sa-payload.ts';

/** What an attribute class that is not there counts as: no number of any table. */
const ABSENT = -1;

export interface Phase1Offer {
  readonly offer: IkeOffer;
  /** Authentication Method. */
  readonly method: number;
  /** Seconds; absent when none was named. */
  readonly lifetime?: number;
  readonly proposal: SaProposal;
  readonly transform: SaTransform;
}

/** The value of the first attribute of a class. */
export function attributeOf(attributes: readonly DataAttribute[], type: number): number | undefined {
  return attributes.find((attribute) => attribute.type === type)?.value;
}

/**
 * Seconds that the attributes name: a Life Type says what the Life Duration behind it counts, and seconds are what is
 * meant without one.
 */
export function secondsOf(
  attributes: readonly DataAttribute[],
  classes: { readonly lifeType: number; readonly lifeDuration: number },
): number | undefined {
  let lifeType: number = LifeType.seconds;
  for (const { type, value } of attributes) {
    if (type === classes.lifeType) lifeType = value;
    else if (type === classes.lifeDuration && lifeType === LifeType.seconds) return value;
  }
  return undefined;
}

/** Every transform of an SA payload. @throws DecodeError when the payload is malformed. */
export function phase1Offers(saBody: Uint8Array): readonly Phase1Offer[] {
  return decodeSa(saBody)
    .filter(({ protocol }) => protocol === ProtocolId.isakmp)
    .flatMap((proposal) => proposal.transforms.map((item) => offerOf(proposal, item)));
}

/** The one transform of a responder's answer. @throws DecodeError when there is another number of them. */
export function phase1Answer(saBody: Uint8Array): Phase1Offer {
  const [answer, ...others] = phase1Offers(saBody);
  if (answer === undefined || others.length > 0) throw new DecodeError('the answer holds not one transform');
  return answer;
}

/** What a responder chose of a connection's proposals. @throws DecodeError when that is not one of them. */
export function acceptedAnswer(
  connection: IkeConnection,
  saBody: Uint8Array,
): { readonly proposal: IkeProposal; readonly lifetime: number } {
  const answer = phase1Answer(saBody);
  const choice = chooseIkeProposal([answer.offer], connection.ikeProposals, { version: 1 });
  if (choice === undefined || answer.method !== methodOf(connection)) {
    throw new DecodeError('the answer was not among the proposals');
  }
  const lifetime = agreedLifetime(connection.ikeLifetime ?? DEFAULT_IKE_LIFETIME, answer.lifetime);
  return { proposal: choice.proposal, lifetime };
}

function offerOf(proposal: SaProposal, item: SaTransform): Phase1Offer {
  const { attributes } = item;
  const keyBits = attributeOf(attributes, Attribute.keyLength);
  const cipher = attributeOf(attributes, Attribute.encryption) ?? ABSENT;
  const hash = attributeOf(attributes, Attribute.hash) ?? ABSENT;
  const group = attributeOf(attributes, Attribute.group) ?? ABSENT;
  const known = item.id === KEY_IKE ? findPhase1Encryption(cipher, keyBits)?.name : undefined;
  const hashName = findPhase1Hash(hash)?.name ?? unknownTransform('hash', hash);
  const lifetime = secondsOf(attributes, Attribute);
  return {
    offer: {
      encryption: [known ?? unknownTransform('encryption', cipher, keyBits)],
      integrity: [hashName],
      prf: [hashName],
      group: [findGroupV1(group)?.name ?? unknownTransform('group', group)],
    },
    method: attributeOf(attributes, Attribute.authentication) ?? ABSENT,
    ...(lifetime === undefined ? {} : { lifetime }),
    proposal,
    transform: item,
  };
}

/** One proposal with a transform for each of `proposals`. @param lifetime seconds. @param method Authentication Method. */
export function phase1Proposal(proposals: readonly IkeProposal[], lifetime: number, method: number): SaProposal {
  const transforms = proposals.map((proposal, index) => {
    const cipher = transform('encryption', proposal.encryption);
    const attributes: DataAttribute[] = [
      { type: Attribute.encryption, value: cipher.phase1 ?? 0 },
      { type: Attribute.hash, value: transform('prf', proposal.prf).phase1 },
      { type: Attribute.authentication, value: method },
      { type: Attribute.group, value: transform('group', proposal.group).v2 },
      { type: Attribute.lifeType, value: LifeType.seconds },
      { type: Attribute.lifeDuration, value: lifetime },
    ];
    if (cipher.keyLengthAttribute) attributes.push({ type: Attribute.keyLength, value: cipher.keyOctets * 8 });
    return makeTransform(index + 1, KEY_IKE, attributes);
  });
  return { number: 1, protocol: ProtocolId.isakmp, spi: new Uint8Array(0), transforms };
}

/** The answer of a responder: the chosen transform as it came. */
export function chosenProposal({ proposal, transform: chosen }: Phase1Offer): SaProposal {
  return { ...proposal, spi: new Uint8Array(0), transforms: [chosen] };
}
