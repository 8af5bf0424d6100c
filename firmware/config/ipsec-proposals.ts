/** The lists of algorithms of an IPsec connection: what they stand for, what is wrong with them, what is old in them. */
import {
  type ParsedProposals,
  parseAhProposal,
  parseEspProposal,
  parseIkeProposal,
} from '../protocol/ike/proposal-text.ts';
import { type EspProposal, espProposalFits, type IkeProposal, ikeProposalFits } from '../protocol/ike/proposals.ts';
import { findTransform, TRANSFORMS } from '../protocol/ike/transforms.ts';
import type { IpsecConnectionConfiguration } from './ipsec-schema.ts';
import { nearest } from './spelling.ts';

type Version = IpsecConnectionConfiguration['version'];

export type CheckedProposals<Proposal> =
  | { readonly ok: true; readonly proposals: readonly Proposal[] }
  | {
      readonly ok: false;
      /** What is wrong, to follow the text and a comma. */
      readonly reason: string;
      /** The whole text as it was probably meant. */
      readonly suggestion?: string;
    };

/** What the text stands for in that version of IKE. */
export function checkIkeProposal(version: Version, text: string): CheckedProposals<IkeProposal> {
  return checked(text, parseIkeProposal, (proposal) => ikeProposalFits(version, proposal), `IKEv${version}`);
}

/** What the text stands for under that version of IKE. */
export function checkEspProposal(version: Version, text: string): CheckedProposals<EspProposal> {
  const where = `ESP under IKEv${version}`;
  return checked(text, parseEspProposal, (proposal) => espProposalFits(version, proposal), where);
}

/** What the text stands for under that version of IKE. */
export function checkAhProposal(version: Version, text: string): CheckedProposals<EspProposal> {
  return checked(text, parseAhProposal, (proposal) => espProposalFits(version, proposal), `AH under IKEv${version}`);
}

/** Names, as people know them, of what in these proposals is for old peers only; each once. */
export function legacyAlgorithms(proposals: readonly (IkeProposal | EspProposal)[]): string[] {
  const titles = proposals.flatMap(({ encryption, integrity, group }) => {
    const rows = [
      findTransform('encryption', encryption),
      integrity === undefined ? undefined : findTransform('integrity', integrity),
      group === undefined ? undefined : findTransform('group', group),
    ];
    return rows.flatMap((row) => (row?.legacy ? [row.title] : []));
  });
  return [...new Set(titles)];
}

function checked<Proposal>(
  text: string,
  parse: (text: string) => ParsedProposals<Proposal>,
  fits: (proposal: Proposal) => boolean,
  where: string,
): CheckedProposals<Proposal> {
  const parsed = parse(text);
  if (!parsed.ok) {
    const meant = corrected(text);
    const suggestion = meant !== undefined && parse(meant).ok ? { suggestion: meant } : {};
    return { ok: false, reason: parsed.reason, ...suggestion };
  }
  if (parsed.proposals.every(fits)) return parsed;
  return { ok: false, reason: `which ${where} has no numbers for` };
}

const WORDS: readonly string[] = TRANSFORMS.flatMap(({ kind, name }) => {
  if (kind === 'prf') return [`prf${name}`];
  return [kind === 'integrity' ? name.replaceAll('-', '_') : name];
});

/** The text with every unknown word replaced by the nearest known one; `undefined` when nothing is near. */
function corrected(text: string): string | undefined {
  const words = text.toLowerCase().split('-');
  const near = words.map((word) => (WORDS.includes(word) ? word : nearest(word, WORDS)));
  return near.every((word) => word !== undefined) ? near.join('-') : undefined;
}
