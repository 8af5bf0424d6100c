/** NO_PROPOSAL_CHOSEN in words: what was offered, what is acceptable, what would have matched nearest. */
import type { Failure } from '../machine.ts';
import { ADDITIONAL_PREFIX, formatEspProposal, formatIkeProposal, integrityText } from './proposal-text.ts';
import {
  type ChoiceOptions,
  type EspOffer,
  type EspProposal,
  espMismatches,
  espOffers,
  type IkeOffer,
  type IkeProposal,
  ikeMismatches,
  ikeOffers,
  isForAh,
  NONE,
} from './proposals.ts';

/** Offers shown and compared. A stranger may send hundreds, and the words have to stay readable and cheap. */
const MAX_OFFERS = 8;
/** Names shown of one kind. */
const MAX_NAMES = 12;

const KIND_WORDS = {
  encryption: 'the cipher',
  integrity: 'the integrity algorithm',
  prf: 'the prf',
  group: 'the group',
  additional: 'the additional key exchange',
  esn: 'the size of sequence numbers',
} as const;

type Kind = keyof typeof KIND_WORDS;

/** As responder: nothing of what the peer offered for the IKE SA is acceptable. */
export function noIkeProposal(step: string, offered: readonly IkeOffer[], acceptable: readonly IkeProposal[]): Failure {
  return noProposal(step, {
    what: 'IKE',
    offered: list(offered.map(ikeOfferText)),
    acceptable: list(ikeOffers(acceptable).map(ikeOfferText)),
    nearest: nearest(offered, acceptable, ikeMismatches),
    format: formatIkeProposal,
  });
}

/** As responder: nothing of what the peer offered for a child SA is acceptable. */
export function noEspProposal(
  step: string,
  offered: readonly EspOffer[],
  acceptable: readonly EspProposal[],
  options: ChoiceOptions = {},
): Failure {
  return noProposal(step, {
    what: isForAh(acceptable) ? 'AH' : 'ESP',
    offered: list(offered.map(espOfferText)),
    acceptable: list(espOffers(acceptable).map(espOfferText)),
    nearest: nearest(offered, acceptable, (offer, proposal) => espMismatches(offer, proposal, options)),
    format: formatEspProposal,
  });
}

/** As initiator: the peer answered NO_PROPOSAL_CHOSEN to these. */
export function ikeOfferRefused(step: string, offered: readonly IkeProposal[]): Failure {
  return offerRefused(step, 'IKE', list(ikeOffers(offered).map(ikeOfferText)));
}

/** As initiator: the peer answered NO_PROPOSAL_CHOSEN to these. */
export function espOfferRefused(step: string, offered: readonly EspProposal[]): Failure {
  return offerRefused(step, isForAh(offered) ? 'AH' : 'ESP', list(espOffers(offered).map(espOfferText)));
}

/** `aes256/aes128-sha256/sha1-prfsha256/prfsha1-modp2048/modp1024`: an offer in one word. */
export function ikeOfferText(offer: IkeOffer): string {
  const prf = sameNames(offer.prf, offer.integrity) ? [] : offer.prf.map((name) => `prf${name}`);
  return words([
    offer.encryption,
    integrityWords(offer.integrity),
    prf,
    offer.group,
    additionalWords(offer.additional),
  ]);
}

function additionalWords(names: readonly string[] = []): readonly string[] {
  return names.map((name) => (name === NONE ? name : `${ADDITIONAL_PREFIX}${name}`));
}

/** `aes256/aes128-sha1-modp1024`: an offer in one word; `AH sha256`: in two. */
export function espOfferText(offer: EspOffer): string {
  const group = sameNames(offer.group, [NONE]) ? [] : offer.group;
  const esn = offer.esn.includes(true) ? [offer.esn.includes(false) ? 'esn/noesn' : 'esn'] : [];
  const text = words([
    offer.encryption.filter((name) => name !== NONE),
    integrityWords(offer.integrity),
    group,
    additionalWords(offer.additional),
    esn,
  ]);
  return sameNames(offer.encryption, [NONE]) ? `AH ${text}` : text;
}

interface Nearest<Proposal> {
  readonly proposal: Proposal;
  readonly mismatches: readonly Kind[];
}

function nearest<Offer, Proposal>(
  offered: readonly Offer[],
  acceptable: readonly Proposal[],
  mismatchesOf: (offer: Offer, proposal: Proposal) => readonly Kind[],
): Nearest<Proposal> | undefined {
  let best: Nearest<Proposal> | undefined;
  for (const offer of offered.slice(0, MAX_OFFERS)) {
    for (const proposal of acceptable) {
      const mismatches = mismatchesOf(offer, proposal);
      // Nothing missing: a match that another rule forbade, which words about algorithms cannot explain.
      if (mismatches.length === 0) continue;
      if (best === undefined || mismatches.length < best.mismatches.length) best = { proposal, mismatches };
    }
  }
  return best;
}

function noProposal<Proposal>(
  step: string,
  seen: {
    readonly what: 'IKE' | 'ESP' | 'AH';
    readonly offered: string;
    readonly acceptable: string;
    readonly nearest: Nearest<Proposal> | undefined;
    readonly format: (proposal: Proposal) => string;
  },
): Failure {
  const head = `no common ${seen.what} proposal: the peer offered ${seen.offered}; acceptable here is ${seen.acceptable}`;
  if (seen.nearest === undefined) {
    const remedy = `configure ${seen.what} proposals that both ends have`;
    return { step, reason: head, remedy, cause: 'no-proposal' };
  }
  const text = seen.format(seen.nearest.proposal);
  const differing = seen.nearest.mismatches.map((kind) => KIND_WORDS[kind]).join(' and ');
  return {
    step,
    reason: `${head}; nearest comes ${text}, of which the peer did not offer ${differing}`,
    remedy: `let the peer offer ${text}, or add one of the peer's to the ${seen.what} proposals here`,
    cause: 'no-proposal',
  };
}

function offerRefused(step: string, what: 'IKE' | 'ESP' | 'AH', offered: string): Failure {
  return {
    step,
    reason: `the peer accepts no ${what} proposal of ours (NO_PROPOSAL_CHOSEN); offered was ${offered}`,
    remedy: `find out which ${what} algorithms the peer is set to and configure one of them here`,
    cause: 'no-proposal',
  };
}

function list(offers: readonly string[]): string {
  if (offers.length === 0) return 'nothing';
  const more = offers.length > MAX_OFFERS ? ` and ${offers.length - MAX_OFFERS} more` : '';
  return `${offers.slice(0, MAX_OFFERS).join(', ')}${more}`;
}

function words(kinds: readonly (readonly string[])[]): string {
  return kinds
    .filter((names) => names.length > 0)
    .map((names) => `${names.slice(0, MAX_NAMES).join('/')}${names.length > MAX_NAMES ? '/...' : ''}`)
    .join('-');
}

function integrityWords(names: readonly string[]): readonly string[] {
  return names.filter((name) => name !== NONE).map(integrityText);
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name) => b.includes(name));
}
