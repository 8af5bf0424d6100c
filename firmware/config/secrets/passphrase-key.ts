/** Keys from passphrases, by scrypt (RFC 7914): each guess costs an attacker time and memory. */
import { scrypt } from 'node:crypto';
import Type, { type Static } from 'typebox';
import type { RandomSource } from '../../protocol/machine.ts';

/** Shorter ones are guessed offline by whoever finds the file. */
export const MIN_PASSPHRASE_CHARACTERS = 8;

const SALT_OCTETS = 16;
const KEY_OCTETS = 32;

/**
 * Cost of one guess (RFC 7914 section 2): 128 r N octets are 32 MiB, which a board of 128 MiB can spare, and p makes up for
 * the 128 MiB that N = 2^17 would take. Some tenths of a second on a board.
 */
const COST = { N: 2 ** 15, r: 8, p: 3 } as const;

/** What a file may ask for: twice the memory above, a few seconds. A hostile file must not take all of either. */
const MAX_N = 2 ** 16;
const MAX_P = 4;
/** Octets. The work area is 64 MiB with {@link MAX_N}; some kilobytes come with p. */
const MAX_MEMORY = 65 * 1024 * 1024;

/** As it stands in a file; the bounds are those of {@link costRefused}. */
export const PASSPHRASE_COST_SCHEMA = Type.Object(
  {
    N: Type.Integer({ minimum: 2 }),
    r: Type.Integer({ minimum: 1 }),
    p: Type.Integer({ minimum: 1 }),
    /** Base64url of 16 octets. */
    salt: Type.String({ pattern: '^[A-Za-z0-9_-]{22}$' }),
  },
  { additionalProperties: false },
);

export type PassphraseCost = Static<typeof PASSPHRASE_COST_SCHEMA>;

/** For a new file: today's cost and a salt of its own. */
export function newPassphraseCost(random: RandomSource): PassphraseCost {
  return { ...COST, salt: Buffer.from(random.bytes(SALT_OCTETS)).toString('base64url') };
}

/** Why a new passphrase is not taken, a sentence without a full stop; `undefined` when it is. */
export function passphraseProblem(passphrase: string): string | undefined {
  if (!passphrase.isWellFormed()) return 'the passphrase is no well-formed text';
  if ([...passphrase.normalize('NFC')].length >= MIN_PASSPHRASE_CHARACTERS) return undefined;
  return `the passphrase is too short: it needs ${MIN_PASSPHRASE_CHARACTERS} characters or more`;
}

/** Whether a file asks for more memory or time than it may have, or for something that scrypt cannot do. */
export function costRefused({ N, r, p }: PassphraseCost): boolean {
  return N > MAX_N || !Number.isInteger(Math.log2(N)) || r !== COST.r || p > MAX_P;
}

/** @returns 32 octets. @throws RangeError for a cost that {@link costRefused} refuses. */
export async function keyFromPassphrase(passphrase: string, cost: PassphraseCost): Promise<Uint8Array> {
  if (costRefused(cost)) throw new RangeError('The cost of the key is out of bounds.');
  const { N, r, p, salt } = cost;
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  // Another keyboard may give the same characters as other code points.
  const normal = passphrase.normalize('NFC');
  scrypt(normal, Buffer.from(salt, 'base64url'), KEY_OCTETS, { N, r, p, maxmem: MAX_MEMORY }, (error, key) =>
    error === null ? resolve(key) : reject(error),
  );
  return await promise;
}
