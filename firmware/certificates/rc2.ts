/**
 * RC2 (RFC 2268), to read with: old PKCS #12 files hide certificates, which are no secrets, under 40 bits of it, and Node's
 * OpenSSL does not have it.
 */
import { DecodeError } from '../protocol/bytes.ts';

const BLOCK = 8;
const WORDS = [3, 2, 1, 0] as const;
/** By how many bits each word is turned (section 3). */
const TURNS = [1, 2, 3, 5] as const;
/** Mixing rounds between the mashing rounds (section 4). */
const ROUNDS = [5, 6, 5] as const;

/** PITABLE (section 2): the digits of pi, as a permutation. */
const PITABLE = Buffer.from(
  [
    'd978f9c419ddb5ed28e9fd794aa0d89dc67e37832b76538e624c6488448bfba2179a59f587b34f1361456d8d09817d32',
    'bd8f40eb86b77b0bf09521225c6b4e8254d66593ce60b21c7356c014a78cf1dc1275ca1f3bbee4d1423dd430a33cb626',
    '6fbf0eda4669075727f21d9bbc944303f811c7f690ef3ee706c3d52fc8661ed708e8eade8052eef784aa72ac354d6a2a',
    '961ad2715a1549744b9fd05e0418a4ecc2e0416e0f51cbcc2491af50a1f47039997c3a8523b8b47afc02365b25559731',
    '2d5dfa98e38a92ae05df2910676cbac9d300e6cfe19ea82c6316013f58e289a90d38341bab33ffb0bb480c5fb9b1cd2e',
    'c5f3db47e5a59c770aa62068fe7fc1ad',
  ].join(''),
  'hex',
);

function pi(index: number): number {
  return PITABLE[index & 0xff] ?? 0;
}

/** CBC with the padding of PKCS #7. @param key all of its bits are effective. @throws DecodeError when the padding is wrong. */
export function rc2CbcDecrypt(key: Uint8Array, iv: Uint8Array, sealed: Uint8Array): Uint8Array {
  if (sealed.length === 0 || sealed.length % BLOCK !== 0) throw new DecodeError('RC2: no whole blocks');
  const words = expandKey(key);
  const out = Buffer.alloc(sealed.length);
  let before = iv;
  for (let at = 0; at < sealed.length; at += BLOCK) {
    const block = sealed.subarray(at, at + BLOCK);
    for (const [index, octet] of decryptBlock(words, block).entries()) out[at + index] = octet ^ (before[index] ?? 0);
    before = block;
  }
  const padding = out.at(-1) ?? 0;
  const tail = out.subarray(out.length - padding);
  if (padding < 1 || padding > BLOCK || tail.some((octet) => octet !== padding)) throw new DecodeError('RC2: padding');
  return out.subarray(0, out.length - padding);
}

/** Section 2. @returns 64 words of 16 bits. */
function expandKey(key: Uint8Array): Uint16Array {
  const octets = new Uint8Array(128);
  const { length } = key;
  octets.set(key);
  const at = (index: number) => octets[index] ?? 0;
  for (let index = length; index < 128; index += 1) octets[index] = pi(at(index - 1) + at(index - length));
  octets[128 - length] = pi(at(128 - length));
  for (let index = 127 - length; index >= 0; index -= 1) octets[index] = pi(at(index + 1) ^ at(index + length));
  return Uint16Array.from({ length: 64 }, (_, index) => at(2 * index) | (at(2 * index + 1) << 8));
}

/** Section 4. */
function decryptBlock(key: Uint16Array, block: Uint8Array): Uint8Array {
  const buffer = Buffer.from(block);
  const r = Uint16Array.from({ length: 4 }, (_, index) => buffer.readUInt16LE(2 * index));
  const word = (index: number) => r[(index + 4) % 4] ?? 0;
  let next = 63;
  for (const [round, mixings] of ROUNDS.entries()) {
    if (round > 0) for (const i of WORDS) r[i] = word(i) - (key[word(i - 1) & 63] ?? 0);
    for (let mixing = 0; mixing < mixings; mixing += 1) {
      for (const i of WORDS) {
        const turn = TURNS[i];
        const turned = (word(i) >>> turn) | (word(i) << (16 - turn));
        r[i] = turned - (key[next] ?? 0) - (word(i - 1) & word(i - 2)) - (~word(i - 1) & word(i - 3));
        next -= 1;
      }
    }
  }
  for (const [index, value] of r.entries()) buffer.writeUInt16LE(value, 2 * index);
  return buffer;
}
