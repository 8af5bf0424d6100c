/**
 * Lines of Wireshark's `ikev1_decryption_table`, `ikev2_decryption_table` and `esp_sa`, as version 4.0 reads and writes
 * them; and of `esp_sa` with the column of later versions that says whether sequence numbers have 64 bits.
 */
import { SPI_OCTETS } from '../../../protocol/ike/message-header.ts';
import { formatIpv6, parseIpv4, parseIpv6 } from '../../../protocol/ip-address.ts';
import { printable } from '../../../protocol/printable.ts';
import type { DecodeCipher, DecodeIntegrity, EspKeys, Ikev1Keys, Ikev2Keys } from './decode-keys.ts';
import { splitUatLine, UatLineError } from './uat-line.ts';
import {
  cipherOf,
  cipherTitles,
  integrityKeyOctets,
  integrityOf,
  integrityTitles,
  type KeyTable,
} from './wireshark-names.ts';

/** Before a line that only this side reads: a comment for Wireshark, which does not know the algorithm. */
export const OWN_LINE = '#culvert ';

export type KeyLine =
  | { readonly table: 'ikev1'; readonly keys: Ikev1Keys }
  | { readonly table: 'ikev2'; readonly keys: Ikev2Keys }
  | { readonly table: 'esp'; readonly keys: EspKeys };

/** Octets of the longest key of any kind. */
const MAX_KEY_OCTETS = 128;

/** Fields of the three tables. Only the last column of `esp_sa` may be missing. */
const FIELDS = { ikev1: 2, ikev2: 8, esp: 8 } as const;

/**
 * One line that is neither empty nor a comment. Which table it is for is told by its shape, or given.
 * @throws UatLineError what is wrong with it; never with a key in its words.
 */
export function parseKeyLine(line: string, table?: KeyLine['table']): KeyLine {
  const fields = splitUatLine(line);
  const kind = table ?? tableOf(fields);
  const expected = FIELDS[kind];
  if (fields.length !== expected && !(kind === 'esp' && fields.length === expected + 1)) {
    throw new UatLineError(`${expected} fields are wanted, and there are ${fields.length}`);
  }
  switch (kind) {
    case 'ikev1':
      return { table: kind, keys: ikev1(fields) };
    case 'ikev2':
      return { table: kind, keys: ikev2(fields) };
    case 'esp':
      return { table: kind, keys: esp(fields) };
  }
}

function tableOf(fields: readonly string[]): KeyLine['table'] {
  const [first = ''] = fields;
  if (fields.length === FIELDS.ikev1) return 'ikev1';
  if (FAMILIES[first] !== undefined) return 'esp';
  if (fields.length === FIELDS.ikev2 && /^(0x)?[0-9a-fA-F]{16}$/.test(first)) return 'ikev2';
  throw new UatLineError(
    'it is no line of ikev1_decryption_table (two fields), of ikev2_decryption_table (eight fields, the first 16 ' +
      'hexadecimal digits) or of esp_sa (eight or nine fields, the first IPv4 or IPv6)',
  );
}

function ikev1([cookie = '', key = '']: readonly string[]): Ikev1Keys {
  const octets = hexField(key, 'the encryption key');
  if (octets.length === 0) throw new UatLineError('the encryption key is missing');
  return { cookieI: spiField(cookie, "the initiator's cookie"), key: octets };
}

function ikev2(fields: readonly string[]): Ikev2Keys {
  const [spiI = '', spiR = '', ei = '', er = '', cipherName = '', ai = '', ar = '', integrityName = ''] = fields;
  const skEi = hexField(ei, 'SK_ei');
  const skEr = hexField(er, 'SK_er');
  const skAi = hexField(ai, 'SK_ai');
  const skAr = hexField(ar, 'SK_ar');
  const cipher = cipherField('ikev2', cipherName, skEi, 'SK_ei');
  cipherField('ikev2', cipherName, skEr, 'SK_er');
  const integrity = integrityField('ikev2', integrityName, skAi, 'SK_ai');
  integrityField('ikev2', integrityName, skAr, 'SK_ar');
  return {
    spiI: spiField(spiI, "the initiator's SPI"),
    spiR: spiField(spiR, "the responder's SPI"),
    cipher,
    skEi,
    skEr,
    integrity,
    skAi,
    skAr,
  };
}

const FAMILIES: Readonly<Record<string, 4 | 6 | undefined>> = { IPv4: 4, IPv6: 6 };

function esp(fields: readonly string[]): EspKeys {
  const [protocol = '', source = '', destination = '', spi = '', cipherName = '', key = ''] = fields;
  const [, , , , , , integrityName = '', integrityText = '', sequence] = fields;
  const family = FAMILIES[protocol];
  if (family === undefined) throw new UatLineError(`"${shown(protocol)}" is neither IPv4 nor IPv6`);
  const encryptionKey = espKeyField(key, 'the encryption key');
  const integrityKey = espKeyField(integrityText, 'the authentication key');
  const cipher = cipherField('esp', cipherName, encryptionKey, 'the encryption key');
  const integrity = integrityField('esp', integrityName, integrityKey, 'the authentication key');
  return {
    family,
    source: addressField(source, family, 'the source'),
    destination: addressField(destination, family, 'the destination'),
    ...espSpi(spi),
    cipher,
    encryptionKey,
    integrity,
    integrityKey,
    ...sequenceNumbers(sequence),
  };
}

function shown(text: string): string {
  return printable(text.slice(0, 60));
}

function hexField(text: string, what: string): Uint8Array {
  const digits = text.replace(/^0x/i, '');
  if (!/^([0-9a-fA-F]{2})*$/.test(digits)) throw new UatLineError(`${what} is not in hexadecimal digits, two an octet`);
  if (digits.length > 2 * MAX_KEY_OCTETS) throw new UatLineError(`${what} is longer than ${MAX_KEY_OCTETS} octets`);
  return Uint8Array.from(Buffer.from(digits, 'hex'));
}

/** Keys of ESP are hexadecimal behind `0x`, and without it the octets of a text. */
function espKeyField(text: string, what: string): Uint8Array {
  if (text === '' || /^0x/i.test(text)) return hexField(text, what);
  if (text.length > MAX_KEY_OCTETS) throw new UatLineError(`${what} is longer than ${MAX_KEY_OCTETS} octets`);
  return Uint8Array.from(Buffer.from(text, 'latin1'));
}

function spiField(text: string, what: string): Uint8Array {
  const octets = hexField(text, what);
  if (octets.length !== SPI_OCTETS) throw new UatLineError(`${what} has ${octets.length} octets instead of 8`);
  return octets;
}

function espSpi(text: string): { readonly spi?: number } {
  if (text === '*') return {};
  if (/^0x[0-9a-f]{1,8}$/i.test(text) || /^[0-9]{1,10}$/.test(text)) {
    const spi = Number(text);
    if (spi <= 0xffffffff) return { spi };
  }
  throw new UatLineError(`"${shown(text)}" is no SPI: it is a number such as 0x12345678, or *`);
}

/** Addresses in their canonical form, so that they can be compared as texts. */
function addressField(text: string, family: 4 | 6, what: string): string {
  if (family === 4 && parseIpv4(text) !== undefined) return text;
  const groups = family === 6 ? parseIpv6(text) : undefined;
  if (groups !== undefined) return formatIpv6(groups);
  if (text.includes('*') && /^[0-9a-fA-F.:*]{1,45}$/.test(text)) return text.toLowerCase();
  throw new UatLineError(`${what} "${shown(text)}" is no IPv${family} address; * stands for any`);
}

function sequenceNumbers(text: string | undefined): { readonly extendedSequenceNumbers?: boolean } {
  if (text === undefined) return {};
  if (/^32-bit/.test(text)) return { extendedSequenceNumbers: false };
  if (/^64-bit/.test(text)) return { extendedSequenceNumbers: true };
  throw new UatLineError(`"${shown(text)}" is no length of sequence numbers: it is 32-bit or 64-bit`);
}

function cipherField(table: KeyTable, title: string, key: Uint8Array, what: string): DecodeCipher {
  const cipher = cipherOf(table, title, key.length);
  if (cipher === undefined) {
    throw new UatLineError(
      `there is no encryption algorithm "${shown(title)}": write one of ${cipherTitles(table).join(', ')}`,
    );
  }
  if (cipher.kind !== 'wrong-key') return cipher;
  throw new UatLineError(`${what} has ${key.length} octets, and ${title} needs ${cipher.octets.join(' or ')}`);
}

function integrityField(table: KeyTable, title: string, key: Uint8Array, what: string): DecodeIntegrity {
  const integrity = integrityOf(table, title);
  if (integrity === undefined) {
    throw new UatLineError(
      `there is no integrity algorithm "${shown(title)}": write one of ${integrityTitles(table).join(', ')}`,
    );
  }
  const octets = integrityKeyOctets(integrity);
  // A key beside an algorithm that takes none harms nobody.
  if (octets === undefined || octets === 0 || octets === key.length) return integrity;
  throw new UatLineError(`${what} has ${key.length} octets, and ${title} needs ${octets}`);
}

/** Whether an outer address is one that the pattern of an entry means. Both in lower case. */
export function addressMatches(pattern: string, address: string): boolean {
  if (!pattern.includes('*')) return pattern === address;
  const [first = '', ...parts] = pattern.split('*');
  const last = parts.pop() ?? '';
  if (!address.startsWith(first) || !address.endsWith(last) || address.length < first.length + last.length)
    return false;
  let at = first.length;
  const end = address.length - last.length;
  for (const part of parts) {
    const found = address.indexOf(part, at);
    if (found === -1 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}
