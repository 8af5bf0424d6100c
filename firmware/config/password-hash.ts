/** Hashes of passwords by Argon2id (RFC 9106), written in the PHC string format: `$argon2id$v=19$m=19456,t=2,p=1$SALT$TAG`. */
import { type Argon2Parameters, argon2, argon2Sync, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import type { RandomSource } from '../protocol/machine.ts';

/** What new hashes cost: about 50 ms on a small server, and not more memory than a small board has to spare. */
export const HASH_COST = { memory: 19_456, passes: 2, parallelism: 1 } as const;

/** Most that a foreign hash may cost, KiB and passes: whoever writes one must not be able to hold a login up for minutes. */
const MAX_COST = { memory: 65_536, passes: 4, parallelism: 4 } as const;

const NONCE_OCTETS = 16;
const TAG_OCTETS = 32;
/** Octets of nonce and tag that are read (RFC 9106 section 3.1 asks for 8 and 4 at least). */
const NONCE_BOUNDS = [8, 64] as const;
const TAG_BOUNDS = [16, 64] as const;

const PHC = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})\$([A-Za-z0-9+/]{1,90})\$([A-Za-z0-9+/]{1,90})$/;

/** A hash that can be computed. */
export interface PasswordHash {
  /** KiB. */
  readonly memory: number;
  readonly passes: number;
  readonly parallelism: number;
  readonly nonce: Buffer;
  readonly tag: Buffer;
}

/** Whether the text is meant as a hash, right or wrong. */
export function isHashText(text: string): boolean {
  return text.startsWith('$argon2');
}

/** `undefined` for what is none, or costs too much. */
export function readHash(text: string): PasswordHash | undefined {
  const parts = PHC.exec(text);
  if (parts === null) return undefined;
  const [memory, passes, parallelism] = [Number(parts[1]), Number(parts[2]), Number(parts[3])];
  const [nonce, tag] = [Buffer.from(parts[4] ?? '', 'base64'), Buffer.from(parts[5] ?? '', 'base64')];
  const affordable =
    parallelism >= 1 &&
    parallelism <= MAX_COST.parallelism &&
    passes >= 1 &&
    passes <= MAX_COST.passes &&
    memory >= 8 * parallelism &&
    memory <= MAX_COST.memory;
  const fits = within(nonce.length, NONCE_BOUNDS) && within(tag.length, TAG_BOUNDS);
  return affordable && fits ? { memory, passes, parallelism, nonce, tag } : undefined;
}

/** Takes about 50 ms, on the thread that calls it. */
export function hashPassword(password: string, random: RandomSource): string {
  const nonce = Buffer.from(random.bytes(NONCE_OCTETS));
  const tag = argon2Sync('argon2id', parameters(password, { ...HASH_COST, nonce }, TAG_OCTETS));
  const { memory, passes, parallelism } = HASH_COST;
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${bare(nonce)}$${bare(tag)}`;
}

/** Takes as long as the hash says, on the thread that calls it. */
export function matchesSync(password: string, hash: PasswordHash): boolean {
  return timingSafeEqual(argon2Sync('argon2id', parameters(password, hash, hash.tag.length)), hash.tag);
}

/** The same on a thread of Node's pool. */
export async function matches(password: string, hash: PasswordHash): Promise<boolean> {
  return timingSafeEqual(await computed('argon2id', parameters(password, hash, hash.tag.length)), hash.tag);
}

const computed = promisify(argon2);

function parameters(
  password: string,
  { memory, passes, parallelism, nonce }: Omit<PasswordHash, 'tag'>,
  tagLength: number,
): Argon2Parameters {
  // A password is the same however a keyboard composes its accents.
  return { message: password.normalize('NFC'), nonce, parallelism, tagLength, memory, passes };
}

function bare(octets: Buffer): string {
  return octets.toString('base64').replaceAll('=', '');
}

function within(value: number, [least, most]: readonly [number, number]): boolean {
  return value >= least && value <= most;
}
