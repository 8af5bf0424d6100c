/** Names in certificates beside the subject (RFC 5280 section 4.2.1.6), and which of them are allowed (section 4.2.1.10). */
import { DecodeError } from '../protocol/bytes.ts';
import { derValue } from '../protocol/ike/crypto/der.ts';
import { distinguishedNameKey, distinguishedNameText } from '../protocol/ike/distinguished-name.ts';
import { formatIpv4 } from '../protocol/ip-address.ts';
import { ipv6Text } from '../protocol/ipv6-address.ts';
import { context, DerReader, TAG } from './der-reader.ts';

/** Names in one certificate that are read. */
const MAX_NAMES = 256;

export type GeneralName =
  | { readonly kind: 'dns'; readonly value: string }
  | { readonly kind: 'email'; readonly value: string }
  /** Octets of an address, 4 or 16; of a constraint, address and mask. */
  | { readonly kind: 'ip'; readonly value: Uint8Array }
  /** A DER Name. */
  | { readonly kind: 'directory'; readonly value: Uint8Array }
  /** A form that is not known here: URI, UPN ... */
  | { readonly kind: 'other' };

export interface NameConstraints {
  readonly permitted: readonly GeneralName[];
  readonly excluded: readonly GeneralName[];
}

/** Contents of the extension subjectAltName. @throws DecodeError */
export function readGeneralNames(reader: DerReader): readonly GeneralName[] {
  const names: GeneralName[] = [];
  while (!reader.done) {
    if (names.length >= MAX_NAMES) throw new DecodeError(`more than ${MAX_NAMES} names`);
    names.push(readGeneralName(reader));
  }
  return names;
}

function readGeneralName(reader: DerReader): GeneralName {
  const { tag, contents } = reader.any('GeneralName');
  switch (tag) {
    case context(1, 'primitive'):
      return { kind: 'email', value: ascii(contents) };
    case context(2, 'primitive'):
      return { kind: 'dns', value: ascii(contents) };
    case context(4, 'constructed'):
      return { kind: 'directory', value: new DerReader(contents).next(TAG.sequence, 'directoryName').whole };
    case context(7, 'primitive'):
      return { kind: 'ip', value: contents };
    default:
      return { kind: 'other' };
  }
}

/** IA5String. What is no printable ASCII could look like another name. @throws DecodeError */
function ascii(contents: Uint8Array): string {
  const text = Buffer.from(contents).toString('latin1');
  if (!/^[\x20-\x7e]*$/.test(text)) throw new DecodeError('a name with characters that no name has');
  return text;
}

/** @throws DecodeError */
export function readNameConstraints(reader: DerReader): NameConstraints {
  const permitted = reader.optional(context(0, 'constructed'), 'permittedSubtrees');
  const excluded = reader.optional(context(1, 'constructed'), 'excludedSubtrees');
  reader.end('nameConstraints');
  return { permitted: subtrees(permitted?.contents), excluded: subtrees(excluded?.contents) };
}

function subtrees(contents: Uint8Array | undefined): readonly GeneralName[] {
  const names: GeneralName[] = [];
  const reader = new DerReader(contents ?? new Uint8Array(0));
  while (!reader.done) {
    if (names.length >= MAX_NAMES) throw new DecodeError(`more than ${MAX_NAMES} names`);
    const subtree = reader.inside(TAG.sequence, 'GeneralSubtree');
    const base = readGeneralName(subtree);
    // RFC 5280: minimum is zero and left out, and maximum is absent.
    names.push(subtree.done ? base : { kind: 'other' });
  }
  return names;
}

/** Why a certificate may not have this name, in words; `undefined`: it may. */
export function forbiddenName(name: GeneralName, { permitted, excluded }: NameConstraints): string | undefined {
  if (name.kind === 'other') {
    const unclear = [...permitted, ...excluded].some(({ kind }) => kind === 'other');
    return unclear ? 'a name of a kind that cannot be compared here' : undefined;
  }
  const allowed = permitted.filter(({ kind }) => kind === name.kind);
  if (allowed.length > 0 && !allowed.some((base) => isWithin(name, base))) return generalNameText(name);
  return excluded.some((base) => isWithin(name, base)) ? generalNameText(name) : undefined;
}

function isWithin(name: GeneralName, base: GeneralName): boolean {
  if (name.kind === 'dns' && base.kind === 'dns') return isBelow(name.value, base.value);
  if (name.kind === 'email' && base.kind === 'email') return isMailWithin(name.value, base.value);
  if (name.kind === 'directory' && base.kind === 'directory') return startsWith(name.value, base.value);
  if (name.kind !== 'ip' || base.kind !== 'ip' || base.value.length !== 2 * name.value.length) return false;
  const mask = base.value.subarray(name.value.length);
  return name.value.every((octet, at) => ((octet ^ (base.value[at] ?? 0)) & (mask[at] ?? 0)) === 0);
}

/** A DNS name is within another when labels were put in front of it. A leading dot, which some write, changes nothing. */
function isBelow(name: string, base: string): boolean {
  const host = name.toLowerCase();
  const domain = base.toLowerCase().replace(/^\./, '');
  return domain === '' || host === domain || host.endsWith(`.${domain}`);
}

function isMailWithin(name: string, base: string): boolean {
  if (base.includes('@')) return sameMail(name, base);
  const host = name.slice(name.lastIndexOf('@') + 1).toLowerCase();
  return base.startsWith('.') ? host.endsWith(base.toLowerCase()) : host === base.toLowerCase();
}

/** Whether the first of the relative names in `name` are those of `base`. */
function startsWith(name: Uint8Array, base: Uint8Array): boolean {
  const parts = relativeNames(name);
  const wanted = relativeNames(base);
  return wanted.every((part, at) => part === parts[at]);
}

function relativeNames(name: Uint8Array): readonly string[] {
  const parts: string[] = [];
  const reader = new DerReader(name).inside(TAG.sequence, 'Name');
  while (!reader.done) {
    const { whole } = reader.any('RelativeDistinguishedName');
    // The key of a name with this one part in it.
    parts.push(distinguishedNameKey(derValue(TAG.sequence, whole)));
  }
  return parts;
}

/** The part before the @ is the host's own business: there capitals count (RFC 5280 section 7.5). */
export function sameMail(a: string, b: string): boolean {
  const at = a.lastIndexOf('@');
  const other = b.lastIndexOf('@');
  return a.slice(0, at) === b.slice(0, other) && a.slice(at).toLowerCase() === b.slice(other).toLowerCase();
}

/** The address as text; `undefined` when it has another length than addresses have. */
export function ipText(octets: Uint8Array): string | undefined {
  if (octets.length === 16) return ipv6Text(octets);
  return octets.length === 4 ? formatIpv4(octets.reduce((sum, octet) => sum * 256 + octet, 0)) : undefined;
}

/** For people: `hq.example`, `192.0.2.1`. Not yet safe to print. */
export function generalNameText(name: GeneralName): string {
  switch (name.kind) {
    case 'dns':
    case 'email':
      return name.value;
    case 'ip':
      return ipText(name.value) ?? 'an address of the wrong length';
    case 'directory':
      return distinguishedNameText(name.value);
    case 'other':
      return 'a name of another kind';
  }
}
