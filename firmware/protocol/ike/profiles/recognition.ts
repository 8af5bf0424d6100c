/**
 * Whose implementation a peer probably is, by the first message that it sends. Nothing of it is authenticated and anybody
 * can imitate it, so it is for words and suggestions, and nothing is decided by it.
 */
import { hex } from '../../bytes.ts';
import { ikeOfferText } from '../no-proposal.ts';
import type { IkeOffer } from '../proposals.ts';
import type { PeerMarks, PeerProfile, ProfileName } from './peer-profile.ts';
import { PEER_PROFILES, profileOf } from './profiles.ts';

/** What a peer's first message says of its sender. */
export interface FirstFlight {
  readonly version: 1 | 2;
  /** Whether the peer calls, or answered a call. */
  readonly role: 'caller' | 'called';
  /** In order. */
  readonly vendorIds: readonly Uint8Array[];
  /** For IKE, in order. */
  readonly offers: readonly IkeOffer[];
  /** Of the first offer, seconds; version 1 only. */
  readonly lifetime?: number;
}

export interface Recognition {
  readonly profile: ProfileName;
  /** Others of which as much can be said. */
  readonly or: readonly ProfileName[];
  /** `its vendor id, and aes256-sha1-ecp384 first`. */
  readonly because: string;
}

/** What is looked at of what a stranger sends; no mark has more. */
const MAX_VENDOR_IDS = 16;
const MAX_VENDOR_ID_OCTETS = 32;
const MAX_OFFERS = 32;
const MAX_NAMES = 8;

/** A vendor id is nobody else's; an order is compiled in, while a list can be configured elsewhere, too. */
const WEIGHT = { vendorId: 8, order: 6, list: 4, detail: 1 } as const;

/** Fewer offers than this are what anybody may have configured. */
const TELLING_OFFERS = 3;

/** Below it nothing is said. */
const ENOUGH = 4;

/** What is compared, as texts. */
interface Texts {
  readonly role: 'caller' | 'called';
  readonly vendorIds: readonly string[];
  readonly offers: readonly string[];
  readonly lifetime: number | undefined;
}

interface Evidence {
  readonly weight: number;
  readonly words: string;
}

/** The profile that the first message fits best; `undefined` when it fits none well enough. */
export function recognisePeer(flight: FirstFlight): Recognition | undefined {
  const texts: Texts = {
    role: flight.role,
    vendorIds: flight.vendorIds.slice(0, MAX_VENDOR_IDS).map((id) => hex(id.subarray(0, MAX_VENDOR_ID_OCTETS))),
    offers: flight.offers.slice(0, MAX_OFFERS + 1).map(offerText),
    lifetime: flight.lifetime,
  };
  const judged = PEER_PROFILES.map((profile) => judge(profile, flight.version, texts));
  const best = Math.max(...judged.map(({ weight }) => weight));
  if (best < ENOUGH) return undefined;
  const [first, ...others] = judged.filter(({ weight }) => weight === best);
  if (first === undefined) return undefined;
  return { profile: first.profile.name, or: others.map(({ profile }) => profile.name), because: first.because };
}

/** What it looks like: `macOS or iOS (its vendor id, and ...)`. */
export function likenessText({ profile, or, because }: Recognition): string {
  const families = new Set([profile, ...or].map((name) => profileOf(name).family));
  return `${[...families].join(' or ')} (${because})`;
}

function judge(profile: PeerProfile, version: 1 | 2, texts: Texts) {
  const marks = profile.versions[version]?.marks;
  const found = marks === undefined ? [] : evidenceOf(marks, texts);
  const weight = found.reduce((sum, evidence) => sum + evidence.weight, 0);
  return { profile, weight, because: found.map(({ words }) => words).join(', and ') };
}

function evidenceOf(marks: PeerMarks, texts: Texts): readonly Evidence[] {
  if (marks.role !== undefined && marks.role !== texts.role) return [];
  const found: Evidence[] = [];
  if (marks.vendorIds?.some((prefix) => texts.vendorIds.some((id) => id.startsWith(prefix)))) {
    found.push({ weight: WEIGHT.vendorId, words: 'its vendor id' });
  }
  if (marks.vendorIdLists?.some((list) => isList(list, texts.vendorIds))) {
    found.push({ weight: WEIGHT.order, words: 'which vendor ids come in which order' });
  }
  const offers = offersEvidence(marks, texts.offers);
  if (offers !== undefined) found.push(offers);
  if (marks.lifetime !== undefined && marks.lifetime === texts.lifetime) {
    found.push({ weight: WEIGHT.detail, words: `a lifetime of ${marks.lifetime} seconds` });
  }
  return found;
}

function isList(prefixes: readonly string[], ids: readonly string[]): boolean {
  return prefixes.length === ids.length && prefixes.every((prefix, index) => ids[index]?.startsWith(prefix));
}

function offersEvidence({ offers = [], offersBegin }: PeerMarks, texts: readonly string[]): Evidence | undefined {
  const [first = ''] = texts;
  const same = offers.find((list) => list.length === texts.length && beginsWith(texts, list));
  if (same !== undefined) {
    const words = same.length === 1 ? `${first} alone` : `${same.length} proposals with ${first} first`;
    return { weight: same.length < TELLING_OFFERS ? WEIGHT.detail : WEIGHT.list, words };
  }
  if (offersBegin === undefined || !beginsWith(texts, offersBegin)) return undefined;
  return { weight: WEIGHT.list, words: `${first} first` };
}

function beginsWith(texts: readonly string[], list: readonly string[]): boolean {
  return list.every((text, index) => texts[index] === text);
}

/** Empty for one that is wider than any mark: its text would be as long as the stranger likes. */
function offerText(offer: IkeOffer): string {
  const wide = [offer.encryption, offer.integrity, offer.prf, offer.group].some(({ length }) => length > MAX_NAMES);
  return wide ? '' : ikeOfferText(offer);
}
