/** What is offered, what is acceptable, and what comes of it (RFC 7296 section 3.3, RFC 2408 section 4.2). */
import { type EncryptionTransform, findTransform, isCombinedMode } from './transforms.ts';

/** Algorithms of an IKE SA, one of each kind; names as in the transform table. */
export interface IkeProposal {
  readonly encryption: string;
  /** Absent with a combined-mode cipher. In IKEv1 the negotiated hash, as is `prf`. */
  readonly integrity?: string;
  readonly prf: string;
  readonly group: string;
  /** IKEv2 alone: a key exchange of another kind beside that of the group (RFC 9370). */
  readonly additional?: string;
}

/** Algorithms of a pair of child SAs, of ESP or of AH; names as in the transform table. */
export interface EspProposal {
  /** {@link NONE}: AH (RFC 4302), which has an integrity algorithm alone. */
  readonly encryption: string;
  /** Absent with a combined-mode cipher. */
  readonly integrity?: string;
  /** Perfect forward secrecy: a key exchange of the child's own, in this group. */
  readonly group?: string;
  /** IKEv2 alone: a key exchange of another kind beside that of the group (RFC 9370 section 2.2.4). */
  readonly additional?: string;
  /** Extended (64-bit) sequence numbers. */
  readonly esn: boolean;
}

/** Transform ID 0 of integrity and group, in an offer; and in place of the cipher of AH. */
export const NONE = 'none';

/** By what packets are protected with these algorithms or keys. */
export function childProtocol({ encryption }: { readonly encryption: string }): 'esp' | 'ah' {
  return encryption === NONE ? 'ah' : 'esp';
}

/** Whether a child SA is to be of AH. A list is of one protocol. */
export function isForAh([first]: readonly EspProposal[]): boolean {
  return first !== undefined && childProtocol(first) === 'ah';
}

/**
 * A proposal on the wire: one of each kind is to be chosen. In IKEv1 each transform payload is an offer of its own, with
 * one name of each kind. An algorithm that is not in the table goes by {@link unknownTransform}.
 */
export interface IkeOffer {
  readonly encryption: readonly string[];
  /** Empty or with {@link NONE} where a combined mode is offered. */
  readonly integrity: readonly string[];
  readonly prf: readonly string[];
  readonly group: readonly string[];
  /** Absent, empty or with {@link NONE} where none is insisted on. */
  readonly additional?: readonly string[];
}

/** As {@link IkeOffer}, for child SAs. */
export interface EspOffer {
  readonly encryption: readonly string[];
  /** Empty or with {@link NONE} where a combined mode is offered. */
  readonly integrity: readonly string[];
  /** Empty or with {@link NONE} where no perfect forward secrecy is asked for. */
  readonly group: readonly string[];
  /** As in {@link IkeOffer}. */
  readonly additional?: readonly string[];
  /** Empty: without extended sequence numbers. */
  readonly esn: readonly boolean[];
}

export interface Choice<Proposal> {
  readonly proposal: Proposal;
  /** Which of the offers, from 0. */
  readonly index: number;
}

export interface ChoiceOptions {
  /** 1: an offered `sha256` may be taken as `sha256-96`, which has no number of its own there. Default 2. */
  readonly version?: 1 | 2;
  /** The first child SA of IKEv2: it has no key exchange of its own, so groups do not matter, and the choice has none. */
  readonly ignoreGroup?: boolean;
  /** Nothing without exactly this group, such as the one of the KE payload at hand. */
  readonly onlyGroup?: string;
}

/** A name for an algorithm that the table does not have: matches nothing, and says its number: `encryption#1`. */
export function unknownTransform(kind: string, id: number, keyBits?: number): string {
  return `${kind}#${id}${keyBits === undefined ? '' : `:${keyBits}`}`;
}

/** The first of `acceptable` that an offer allows: the order of our list decides, then the order of the offers. */
export function chooseIkeProposal(
  offered: readonly IkeOffer[],
  acceptable: readonly IkeProposal[],
  options: ChoiceOptions = {},
): Choice<IkeProposal> | undefined {
  const known = offered.map((offer) => ({
    encryption: knownNames('encryption', offer.encryption),
    integrity: knownNames('integrity', offer.integrity),
    prf: knownNames('prf', offer.prf),
    group: knownNames('group', offer.group),
    additional: [...new Set(offer.additional ?? [])],
  }));
  for (const proposal of acceptable) {
    if (options.onlyGroup !== undefined && proposal.group !== options.onlyGroup) continue;
    const index = known.findIndex((offer) => ikeMismatches(offer, proposal, options).length === 0);
    if (index !== -1) return { proposal, index };
  }
  return undefined;
}

/**
 * The first of `acceptable` that an offer allows: the order of our list decides, then the order of the offers.
 *
 * An acceptable proposal without a group takes whatever group the peer insists on (RouterOS asks for PFS unless told
 * otherwise): a key exchange more can only help. The choice names the group then.
 */
export function chooseEspProposal(
  offered: readonly EspOffer[],
  acceptable: readonly EspProposal[],
  options: ChoiceOptions = {},
): Choice<EspProposal> | undefined {
  const known = offered.map((offer) => ({
    encryption: knownNames('encryption', offer.encryption),
    integrity: knownNames('integrity', offer.integrity),
    group: insistedGroups(offer.group),
    additional: [...new Set(offer.additional ?? [])],
    esn: [...new Set(offer.esn)],
  }));
  for (const proposal of acceptable) {
    for (const [index, offer] of known.entries()) {
      if (espMismatches(offer, proposal, options).length > 0) continue;
      const group = options.ignoreGroup === true ? undefined : pfsGroup(offer, proposal, options.onlyGroup);
      if (options.onlyGroup !== undefined && options.ignoreGroup !== true && group !== options.onlyGroup) continue;
      return { proposal: withGroup(proposal, group), index };
    }
  }
  return undefined;
}

/** Each name of the table once: however long a stranger makes its lists, what is searched stays as short as the table. */
function knownNames(kind: 'encryption' | 'integrity' | 'prf' | 'group', names: readonly string[]): readonly string[] {
  return [...new Set(names)].filter((name) => name === NONE || findTransform(kind, name) !== undefined);
}

/** As {@link knownNames}; but unknown groups alone are not the same as no group. */
function insistedGroups(names: readonly string[]): readonly string[] {
  const known = knownNames('group', names);
  return known.length === 0 ? names.slice(0, 1) : known;
}

/** The kinds in which `offer` has nothing for `proposal`; empty when it is allowed. */
export function ikeMismatches(
  offer: IkeOffer,
  proposal: IkeProposal,
  options: ChoiceOptions = {},
): readonly (keyof IkeOffer)[] {
  const mismatches: (keyof IkeOffer)[] = [];
  if (!offer.encryption.includes(proposal.encryption)) mismatches.push('encryption');
  if (!allowsIntegrity(offer.integrity, proposal.integrity, options)) mismatches.push('integrity');
  if (!offer.prf.includes(proposal.prf)) mismatches.push('prf');
  if (!offer.group.includes(proposal.group)) mismatches.push('group');
  if (!allowsAdditional(offer.additional ?? [], proposal.additional)) mismatches.push('additional');
  return mismatches;
}

/** The kinds in which `offer` has nothing for `proposal`; empty when it is allowed. */
export function espMismatches(
  offer: EspOffer,
  proposal: EspProposal,
  options: ChoiceOptions = {},
): readonly (keyof EspOffer)[] {
  const mismatches: (keyof EspOffer)[] = [];
  if (!offer.encryption.includes(proposal.encryption)) mismatches.push('encryption');
  if (!allowsIntegrity(offer.integrity, proposal.integrity, options)) mismatches.push('integrity');
  if (options.ignoreGroup !== true && !allowsGroup(offer, proposal)) mismatches.push('group');
  if (options.ignoreGroup !== true && !allowsAdditional(offer.additional ?? [], proposal.additional)) {
    mismatches.push('additional');
  }
  const esn = offer.esn.length === 0 ? [false] : offer.esn;
  if (!esn.includes(proposal.esn)) mismatches.push('esn');
  return mismatches;
}

/** What the peer insists on is done, or its offer is not taken (RFC 9370 section 2.2.1). */
function allowsAdditional(offered: readonly string[], wanted: string | undefined): boolean {
  return wanted === undefined ? offered.length === 0 || offered.includes(NONE) : offered.includes(wanted);
}

function allowsIntegrity(offered: readonly string[], wanted: string | undefined, options: ChoiceOptions): boolean {
  // A combined mode uses none, whatever else the peer put into the same proposal (RFC 5282 section 8 forbids it to).
  if (wanted === undefined) return true;
  if (options.version === 1 && wanted === 'sha256-96') return offered.includes('sha256') || offered.includes(wanted);
  return offered.includes(wanted);
}

function asksForNoGroup(offer: EspOffer): boolean {
  return offer.group.length === 0 || offer.group.includes(NONE);
}

function allowsGroup(offer: EspOffer, proposal: EspProposal): boolean {
  if (proposal.group !== undefined) return offer.group.includes(proposal.group);
  return asksForNoGroup(offer) || offer.group.some(isKnownGroup);
}

function pfsGroup(offer: EspOffer, proposal: EspProposal, onlyGroup: string | undefined): string | undefined {
  if (proposal.group !== undefined) return proposal.group;
  if (onlyGroup !== undefined && isKnownGroup(onlyGroup) && offer.group.includes(onlyGroup)) return onlyGroup;
  return asksForNoGroup(offer) ? undefined : offer.group.find(isKnownGroup);
}

function isKnownGroup(name: string): boolean {
  return findTransform('group', name) !== undefined;
}

function withGroup(proposal: EspProposal, group: string | undefined): EspProposal {
  const { group: _, additional, ...rest } = proposal;
  if (group === undefined) return rest;
  return additional === undefined ? { ...rest, group } : { ...rest, group, additional };
}

/**
 * For an IKE SA that takes over: with the additional key exchange, and without. Those without are as good: their keys come
 * from those before, and with them from the additional key exchange there.
 */
export function takeoverProposals(proposals: readonly IkeProposal[]): readonly IkeProposal[] {
  const some = proposals.some(({ additional }) => additional !== undefined);
  return some ? [...proposals, ...withoutAdditional(proposals)] : proposals;
}

/** The same with the group alone. */
export function withoutAdditional(proposals: readonly IkeProposal[]): readonly IkeProposal[] {
  return proposals.map(({ additional: _, ...rest }) => rest);
}

/**
 * The fewest proposals on the wire that say exactly `proposals`: those that differ in one kind only become one. The first
 * of a kind keeps its place; IKEv1 has no such lists and sends each proposal by itself.
 */
export function ikeOffers(proposals: readonly IkeProposal[]): readonly IkeOffer[] {
  // One with an additional key exchange stays by itself: who does not know that leaves all of it aside, and takes the next.
  return [...new Set(proposals.map(({ additional }) => additional))].flatMap((additional) => {
    const merged = mergedIkeOffers(proposals.filter((proposal) => proposal.additional === additional));
    return additional === undefined ? merged : merged.map((offer) => ({ ...offer, additional: [additional] }));
  });
}

function mergedIkeOffers(proposals: readonly IkeProposal[]): readonly IkeOffer[] {
  const offers = proposals.map((proposal) => {
    const { encryption, integrity, prf, group } = proposal;
    return {
      encryption: [encryption],
      integrity: integrity === undefined ? [] : [integrity],
      prf: [prf],
      group: [group],
    };
  });
  type Kind = 'group' | 'prf' | 'integrity' | 'encryption';
  return mergeOffers<Kind, Pick<IkeOffer, Kind>>(offers, ['group', 'prf', 'integrity', 'encryption'], (a, b, kind) => ({
    ...a,
    [kind]: union(a[kind], b[kind]),
  }));
}

/** As {@link ikeOffers}, by additional key exchange, too. A mixture with and without perfect forward secrecy holds {@link NONE} among its groups. */
export function espOffers(proposals: readonly EspProposal[]): readonly EspOffer[] {
  return [...new Set(proposals.map(({ additional }) => additional))].flatMap((additional) => {
    const merged = mergedEspOffers(proposals.filter((proposal) => proposal.additional === additional));
    return additional === undefined ? merged : merged.map((offer) => ({ ...offer, additional: [additional] }));
  });
}

function mergedEspOffers(proposals: readonly EspProposal[]): readonly EspOffer[] {
  type Kind = 'esn' | 'group' | 'integrity' | 'encryption';
  const offers = proposals.map((proposal): Pick<EspOffer, Kind> => {
    const { encryption, integrity, group, esn } = proposal;
    return {
      encryption: [encryption],
      integrity: integrity === undefined ? [] : [integrity],
      group: [group ?? NONE],
      esn: [esn],
    };
  });
  const merged = mergeOffers<Kind, Pick<EspOffer, Kind>>(
    offers,
    ['esn', 'group', 'integrity', 'encryption'],
    (a, b, kind) => ({ ...a, [kind]: union<string | boolean>(a[kind], b[kind]) }),
  );
  return merged.map((offer) => (offer.group.some((name) => name !== NONE) ? offer : { ...offer, group: [] }));
}

function union<Name>(a: readonly Name[], b: readonly Name[]): readonly Name[] {
  return [...new Set([...a, ...b])];
}

type Lists<Kind extends string> = Readonly<Record<Kind, readonly (string | boolean)[]>>;

/** Two products that are equal but for one factor are one product with both factors: merges until none are left. */
function mergeOffers<Kind extends string, Offer extends Lists<Kind>>(
  offers: readonly Offer[],
  kinds: readonly Kind[],
  join: (a: Offer, b: Offer, kind: Kind) => Offer,
): readonly Offer[] {
  let merged = offers;
  for (;;) {
    const before = merged.length;
    for (const kind of kinds) {
      const byOthers = new Map<string, Offer>();
      const others = kinds.filter((other) => other !== kind);
      for (const offer of merged) {
        const key = JSON.stringify(others.map((other) => [...offer[other]].sort()));
        const first = byOthers.get(key);
        byOthers.set(key, first === undefined ? offer : join(first, offer, kind));
      }
      merged = [...byOthers.values()];
    }
    if (merged.length === before) return merged;
  }
}

/** Verdicts by version: a hundred connections offer the same lists, and a proposal is never changed. */
const verdicts = { 1: new WeakMap<object, boolean>(), 2: new WeakMap<object, boolean>() } as const;

function remembered<Proposal extends object>(
  version: 1 | 2,
  proposal: Proposal,
  judge: (version: 1 | 2, proposal: Proposal) => boolean,
): boolean {
  const known = verdicts[version].get(proposal);
  if (known !== undefined) return known;
  const verdict = judge(version, proposal);
  verdicts[version].set(proposal, verdict);
  return verdict;
}

/** Whether every algorithm has a number in that version of IKE, and the combination a meaning. */
export function ikeProposalFits(version: 1 | 2, proposal: IkeProposal): boolean {
  return remembered(version, proposal, judgeIke);
}

function judgeIke(version: 1 | 2, proposal: IkeProposal): boolean {
  const { encryption, integrity, prf, group, additional } = proposal;
  if (additional !== undefined && (version === 1 || !findTransform('additional', additional))) return false;
  const cipher = findTransform('encryption', encryption);
  if (cipher === undefined || !findTransform('prf', prf) || !findTransform('group', group)) return false;
  if (version === 1) return cipher.phase1 !== undefined && integrity === prf;
  return cipher.v2 !== undefined && integrityFits(cipher, integrity, version);
}

/** Whether every algorithm has a number in that version of IKE, and the combination a meaning. */
export function espProposalFits(version: 1 | 2, proposal: EspProposal): boolean {
  return remembered(version, proposal, judgeEsp);
}

function judgeEsp(version: 1 | 2, proposal: EspProposal): boolean {
  const { encryption, integrity, group, additional, esn } = proposal;
  if (childProtocol(proposal) === 'ah') return judgeAh(version, proposal);
  if (additional !== undefined) {
    if (version === 1 || group === undefined || !findTransform('additional', additional)) return false;
  }
  const cipher = findTransform('encryption', encryption);
  if (cipher === undefined || (group !== undefined && !isKnownGroup(group))) return false;
  if (!integrityFits(cipher, integrity, version)) return false;
  return version === 1 ? cipher.phase2 !== undefined && !esn : cipher.v2 !== undefined;
}

function judgeAh(version: 1 | 2, { integrity, group, esn }: EspProposal): boolean {
  if (group !== undefined && !isKnownGroup(group)) return false;
  const row = integrity === undefined ? undefined : findTransform('integrity', integrity);
  return row !== undefined && (version === 1 ? !esn : row.v2 !== undefined);
}

function integrityFits(cipher: EncryptionTransform, integrity: string | undefined, version: 1 | 2): boolean {
  if (isCombinedMode(cipher)) return integrity === undefined;
  const row = integrity === undefined ? undefined : findTransform('integrity', integrity);
  return row !== undefined && (version === 1 || row.v2 !== undefined);
}
