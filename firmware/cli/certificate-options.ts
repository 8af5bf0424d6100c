/** What the options of `culvert certificate` say. */
import { basename } from 'node:path';
import type { Validity } from '../certificates/authority.ts';
import type { GeneralName } from '../certificates/general-names.ts';
import { KEY_TYPES, type KeyType } from '../certificates/key-types.ts';
import { parseIkeIdentity } from '../config/ike-identity.ts';
import { parseDistinguishedName } from '../protocol/ike/distinguished-name.ts';
import { ipHostPrefix } from '../protocol/ip-prefix.ts';
import { type Context, UsageError } from './command.ts';
import { didYouMean } from './did-you-mean.ts';

const DAY_MS = 86_400_000;
const MOST_DAYS = 36_500;
const MOST_NAMES = 32;

/** From a day ago, since clocks differ, for `--days`. @throws UsageError */
export function validity({ options }: Context, fallback: number): Validity {
  const now = Date.now();
  return { notBefore: now - DAY_MS, notAfter: now + days(options.days, fallback) * DAY_MS };
}

/** @throws UsageError */
export function days(text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  const count = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > MOST_DAYS)
    throw new UsageError(`--days needs whole days, 1 to ${MOST_DAYS}, and not "${text}"`);
  return count;
}

/** @throws UsageError */
export function keyType({ options }: Context): KeyType {
  const text = options['key-type'] ?? KEY_TYPES[0];
  const found = KEY_TYPES.find((type) => type === text);
  if (found !== undefined) return found;
  throw new UsageError(
    `there is no key type "${text}": choose one of ${KEY_TYPES.join(', ')}${didYouMean(text, KEY_TYPES)}`,
  );
}

/** `--subject`, else the last part of the name as CN. @returns a DER Name. @throws UsageError */
export function subject({ options }: Context, name: string): Uint8Array {
  const escaped = basename(name).replace(/[\\,+]/g, '\\$&');
  const text = options.subject ?? `CN=${escaped}`;
  const found = parseDistinguishedName(text);
  if (found !== undefined) return found;
  throw new UsageError(`--subject needs a distinguished name such as "C=DE, O=Acme, CN=hq.example", and not "${text}"`);
}

/** `--names`, else the name itself where it looks like one; none where it does not. @throws UsageError */
export function names({ options }: Context, name: string): readonly GeneralName[] {
  const fallback = basename(name).includes('.') ? basename(name) : '';
  const texts = (options.names ?? fallback).split(',').map((text) => text.trim());
  const given = texts.filter((text) => text !== '');
  if (given.length > MOST_NAMES) throw new UsageError(`--names takes up to ${MOST_NAMES} names: leave some out`);
  return given.map(generalName);
}

/** @throws UsageError when there is none: a certificate without a name speaks for nobody. */
export function atLeastOne(found: readonly GeneralName[], what: string): readonly GeneralName[] {
  if (found.length > 0) return found;
  throw new UsageError(
    `${what} needs a name that the other end expects: write --names hq.example or --names 192.0.2.1`,
  );
}

function generalName(text: string): GeneralName {
  const identity = parseIkeIdentity(text);
  switch (identity?.kind) {
    case 'fqdn':
      return { kind: 'dns', value: identity.value };
    case 'email':
      return { kind: 'email', value: identity.value };
    case 'ipv4':
    case 'ipv6':
      return { kind: 'ip', value: addressOctets(identity.value) };
    default:
      throw new UsageError(`"${text}" in --names is neither a host name, nor an address, nor user@host: correct it`);
  }
}

function addressOctets(text: string): Uint8Array {
  const { family = 4, address = 0n } = ipHostPrefix(text) ?? {};
  const digits = address.toString(16).padStart(family === 4 ? 8 : 32, '0');
  return Uint8Array.from(Buffer.from(digits, 'hex'));
}
