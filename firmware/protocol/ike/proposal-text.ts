/**
 * Proposals as text, as other implementations write them: `aes256-sha256-modp2048`, `aes128gcm16-prfsha256-ecp256`,
 * `aes256-sha1`, `aes128gcm16-x25519-esn`.
 *
 * An additional key exchange is written `ke1_mlkem768`, in ESP beside a group. Several names of one kind mean every combination of them. The truncated `sha256-96` is written `sha256_96`.
 */
import { printable } from '../printable.ts';
import { blowfishRefusal } from './blowfish.ts';
import { type EspProposal, type IkeProposal, NONE } from './proposals.ts';
import { findTransform, isCombinedMode, TRANSFORMS } from './transforms.ts';

export type ParsedProposals<Proposal> =
  | { readonly ok: true; readonly proposals: readonly Proposal[] }
  /** `reason`: one sentence without a full stop. */
  | { readonly ok: false; readonly reason: string };

/** Combinations that one text may stand for: more would not fit a datagram. */
const MAX_COMBINATIONS = 256;

/** What else people write for a name of the table. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['aes', 'aes128'],
  ['sha', 'sha1'],
  ['sha2_256', 'sha256'],
  ['sha2_384', 'sha384'],
  ['sha2_512', 'sha512'],
  ['prfsha', 'prfsha1'],
  ['curve25519', 'x25519'],
  ['blowfish', 'blowfish128'],
]);

/** ICV of a combined mode in bits, as some write it, or left out. */
const COMBINED_MODE = /^(aes(?:128|192|256)(?:gcm|ccm))(64|96|128)?$/;

const PRF_PREFIX = 'prf';

/** Of the first additional key exchange, which is the only one here. */
export const ADDITIONAL_PREFIX = 'ke1_';

interface Names {
  readonly encryption: string[];
  readonly integrity: string[];
  readonly prf: string[];
  readonly group: string[];
  readonly additional: string[];
  readonly esn: boolean[];
}

class ProposalError extends Error {}

/** The IKE proposals that `text` stands for, in order. The prf is the hash of the integrity algorithm if not named. */
export function parseIkeProposal(text: string): ParsedProposals<IkeProposal> {
  return caught(() => {
    const names = readNames(text);
    if (names.esn.length > 0) throw new ProposalError('extended sequence numbers belong to ESP, not to IKE');
    if (names.group.length === 0) throw new ProposalError('a group is missing, such as modp2048 or x25519');
    const additional = additionalOf(names);
    const out: IkeProposal[] = [];
    for (const cipher of ciphersWithIntegrity(names, true)) {
      for (const prf of names.prf.length > 0 ? names.prf : [prfOf(cipher)]) {
        for (const group of names.group) out.push({ ...withoutSource(cipher), prf, group, ...additional });
      }
    }
    return bounded(out);
  });
}

/** The ESP proposals that `text` stands for, in order. Without `esn` or `noesn`: without extended sequence numbers. */
export function parseEspProposal(text: string): ParsedProposals<EspProposal> {
  return caught(() => {
    const names = readNames(text);
    if (names.prf.length > 0) throw new ProposalError('a prf belongs to IKE, not to ESP');
    const additional = additionalOf(names);
    if (additional.additional !== undefined && names.group.length === 0) {
      throw new ProposalError('an additional key exchange needs a group beside it, such as x25519');
    }
    const groups = names.group.length > 0 ? names.group : [undefined];
    const out: EspProposal[] = [];
    for (const cipher of ciphersWithIntegrity(names, false)) {
      for (const group of groups) {
        for (const esn of names.esn.length > 0 ? names.esn : [false]) {
          out.push({ ...withoutSource(cipher), ...(group === undefined ? {} : { group }), ...additional, esn });
        }
      }
    }
    return bounded(out);
  });
}

function additionalOf({ additional }: Names): { readonly additional?: string } {
  const [method, ...others] = additional;
  if (others.length > 0) throw new ProposalError('one additional key exchange is enough');
  return method === undefined ? {} : { additional: method };
}

/** The AH proposals that `text` stands for, in order. Without `esn` or `noesn`: without extended sequence numbers. */
export function parseAhProposal(text: string): ParsedProposals<EspProposal> {
  return caught(() => {
    const names = readNames(text);
    if (names.encryption.length > 0) throw new ProposalError('a cipher belongs to ESP: AH encrypts nothing');
    if (names.prf.length > 0) throw new ProposalError('a prf belongs to IKE, not to AH');
    if (names.additional.length > 0) throw new ProposalError('an additional key exchange belongs to IKE, not to AH');
    if (names.integrity.length === 0) throw new ProposalError('an integrity algorithm is missing, such as sha256');
    const groups = names.group.length > 0 ? names.group : [undefined];
    const sizes = names.esn.length > 0 ? names.esn : [false];
    return bounded(
      names.integrity.flatMap((integrity) =>
        groups.flatMap((group) =>
          sizes.map((esn) => ({ encryption: NONE, integrity, ...(group === undefined ? {} : { group }), esn })),
        ),
      ),
    );
  });
}

/** The text that {@link parseIkeProposal} reads as this proposal alone. */
export function formatIkeProposal(proposal: IkeProposal): string {
  const { encryption, integrity, prf, group, additional } = proposal;
  const parts = [encryption];
  if (integrity !== undefined) parts.push(integrityText(integrity));
  if (integrity === undefined || findTransform('integrity', integrity)?.hash !== prf) parts.push(`${PRF_PREFIX}${prf}`);
  if (additional === undefined) return [...parts, group].join('-');
  return [...parts, group, `${ADDITIONAL_PREFIX}${additional}`].join('-');
}

/** The text that {@link parseEspProposal}, or of AH {@link parseAhProposal}, reads as this proposal alone. */
export function formatEspProposal(proposal: EspProposal): string {
  const { encryption, integrity, group, additional, esn } = proposal;
  const parts = encryption === NONE ? [] : [encryption];
  if (integrity !== undefined) parts.push(integrityText(integrity));
  if (group !== undefined) parts.push(group);
  if (additional !== undefined) parts.push(`${ADDITIONAL_PREFIX}${additional}`);
  if (esn) parts.push('esn');
  return parts.join('-');
}

/** An integrity algorithm as it stands in such a text: a hyphen would end it. */
export function integrityText(name: string): string {
  return name.replaceAll('-', '_');
}

interface CipherChoice {
  readonly encryption: string;
  readonly integrity?: string;
  /** What the prf follows when it is not named. */
  readonly source?: string;
}

function withoutSource(choice: CipherChoice): { readonly encryption: string; readonly integrity?: string } {
  const { source: _, ...rest } = choice;
  return rest;
}

/** Beside a combined mode, `sha256` in an IKE proposal can only mean the prf. */
function ciphersWithIntegrity(names: Names, integrityNamesPrf: boolean): readonly CipherChoice[] {
  if (names.encryption.length === 0) throw new ProposalError('a cipher is missing, such as aes256 or aes128gcm16');
  const out: CipherChoice[] = [];
  for (const encryption of names.encryption) {
    const row = findTransform('encryption', encryption);
    if (row !== undefined && isCombinedMode(row)) {
      if (names.integrity.length === 0 || names.prf.length > 0) {
        if (names.integrity.length > 0) throw new ProposalError(`${encryption} takes no integrity algorithm`);
        out.push({ encryption });
        continue;
      }
      if (!integrityNamesPrf) throw new ProposalError(`${encryption} takes no integrity algorithm`);
      for (const source of names.integrity) out.push({ encryption, source });
      continue;
    }
    if (names.integrity.length === 0) {
      throw new ProposalError(`${encryption} needs an integrity algorithm, such as sha256 or sha1`);
    }
    for (const integrity of names.integrity) out.push({ encryption, integrity, source: integrity });
  }
  return out;
}

function prfOf({ encryption, source }: CipherChoice): string {
  const hash = source === undefined ? undefined : findTransform('integrity', source)?.hash;
  if (hash === undefined) throw new ProposalError(`${encryption} needs a prf, such as prfsha256`);
  return hash;
}

function readNames(text: string): Names {
  const names: Names = { encryption: [], integrity: [], prf: [], group: [], additional: [], esn: [] };
  for (const raw of text.trim().toLowerCase().split('-')) {
    const [, mode, icvBits] = COMBINED_MODE.exec(raw) ?? [];
    const word = mode === undefined ? (ALIASES.get(raw) ?? raw) : `${mode}${Number(icvBits ?? 128) / 8}`;
    if (place(word, names)) continue;
    const refusal = blowfishRefusal(word);
    if (refusal !== undefined) throw new ProposalError(`${raw} ${refusal}`);
    throw new ProposalError(`there is no algorithm called "${printable(raw)}"${hint(raw)}`);
  }
  return names;
}

/** False when no kind knows the word. */
function place(word: string, names: Names): boolean {
  if (word === 'esn' || word === 'noesn') return add(names.esn, word === 'esn');
  if (findTransform('encryption', word)) return add(names.encryption, word);
  if (findTransform('group', word)) return add(names.group, word);
  const additional = word.startsWith(ADDITIONAL_PREFIX) ? word.slice(ADDITIONAL_PREFIX.length) : '';
  if (findTransform('additional', additional)) return add(names.additional, additional);
  const integrity = word.replaceAll('_', '-');
  if (findTransform('integrity', integrity)) return add(names.integrity, integrity);
  const prf = word.startsWith(PRF_PREFIX) ? word.slice(PRF_PREFIX.length) : '';
  if (findTransform('prf', prf)) return add(names.prf, prf);
  return false;
}

function add<Name>(list: Name[], name: Name): true {
  if (!list.includes(name)) list.push(name);
  return true;
}

/** Names that begin alike, for whoever left the size out. */
function hint(word: string): string {
  if (word === '') return ': two hyphens in a row, or one at an end';
  const alike = TRANSFORMS.filter((row) => row.kind !== 'prf' && row.name.startsWith(word)).map((row) => row.name);
  return alike.length === 0 ? '' : `: did you mean ${alike.slice(0, 3).join(' or ')}`;
}

function bounded<Proposal>(proposals: readonly Proposal[]): readonly Proposal[] {
  if (proposals.length > MAX_COMBINATIONS) {
    throw new ProposalError(`these are ${proposals.length} combinations, and ${MAX_COMBINATIONS} are the limit`);
  }
  return proposals;
}

function caught<Proposal>(parse: () => readonly Proposal[]): ParsedProposals<Proposal> {
  try {
    return { ok: true, proposals: parse() };
  } catch (error) {
    if (error instanceof ProposalError) return { ok: false, reason: error.message };
    throw error;
  }
}
