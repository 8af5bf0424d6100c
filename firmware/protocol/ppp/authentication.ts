/** What PAP and CHAP have in common on both sides: the exchange as the link sees it, names, and secrets. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { hex } from '../bytes.ts';
import type { Failure, Instant, RandomSource } from '../machine.ts';
import { printable } from '../printable.ts';
import { methodTitle } from './authentication-methods.ts';
import type { PeerProof, PppAuthentication, Verdict } from './link-types.ts';
import type { ControlPacket } from './packet.ts';

/** Who runs an exchange. */
export interface ExchangeHost {
  /** @param repeated true for a retransmission. */
  send(packet: ControlPacket, repeated: boolean): void;
  /** The proof is complete; called once. @param user who was proved. */
  succeeded(now: Instant, user: string): void;
  failed(now: Instant, failure: Failure): void;
  /** The peer has a word for people. @param text printable. */
  notice(text: string): void;
}

/** One direction of authentication, from LCP's opening to its end: it answers repetitions long after its success. */
export interface Exchange {
  readonly method: PppAuthentication;
  start(now: Instant): void;
  /** @throws DecodeError when the packet cannot be read; nothing has changed then. */
  receive(now: Instant, packet: ControlPacket): void;
  /** The peer goes on as if the exchange were over: its last word was lost, so say ours again. */
  nudge(now: Instant): void;
  tick(now: Instant): void;
  nextDeadline(): Instant | undefined;
  /** What is being waited for, as a clause: the reason if it does not come in time. */
  waitingFor(): string;
}

/** Passwords by user name; `undefined` for a user who does not exist. */
export interface UserDirectory {
  readonly password: (user: string) => string | undefined;
}

/** Judges a proof of the peer. `answer` is called at most once, at once or later. */
export type Judge = (now: Instant, proof: PeerProof, answer: (now: Instant, verdict: Verdict) => void) => void;

/** A user as it was found, and the password to compare with. */
export interface KnownUser {
  readonly user: string;
  readonly password: string;
  /** False: there is no such user, and the password is one that nobody has. The comparison is done all the same. */
  readonly exists: boolean;
}

/**
 * Looks a user up. A name that is not known with its Windows domain (`DOMAIN\user`) is tried without. For an unknown
 * user a random password takes the place of the right one, so that the exchange costs and says the same.
 */
export function findUser(directory: UserDirectory, name: Uint8Array, random: RandomSource): KnownUser {
  const decoy = hex(random.bytes(16));
  const full = decodeName(name);
  const bare = full.slice(full.lastIndexOf('\\') + 1);
  // A set: a name without a domain is looked up once, whether it exists or not.
  for (const user of new Set([full, bare])) {
    const password = directory.password(user);
    if (password !== undefined) return { user, password, exists: true };
  }
  return { user: full, password: decoy, exists: false };
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** A name from the wire: UTF-8, or else Latin-1. Not yet fit to print. */
function decodeName(name: Uint8Array): string {
  try {
    return utf8.decode(name);
  } catch {
    return Buffer.from(name).toString('latin1');
  }
}

/** Compares without telling by the time it takes where the difference is, nor how long either is. */
export function secretsEqual(a: Uint8Array, b: Uint8Array): boolean {
  return timingSafeEqual(createHash('sha256').update(a).digest(), createHash('sha256').update(b).digest());
}

/** The peer did not prove itself. The same words for a wrong password and for a user that does not exist. */
export function unprovedFailure(method: PppAuthentication, name: Uint8Array): Failure {
  return {
    step: 'authentication',
    reason: `the peer did not prove itself as user ${printable(name)} (${methodTitle(method)})`,
    remedy: 'check the user name and password',
  };
}

/** The peer refused us. @param detail what it said, printable, or nothing. */
export function refusedFailure(method: PppAuthentication, user: string, detail: string): Failure {
  return {
    step: 'authentication',
    reason: `the server refused user ${printable(user)} (${methodTitle(method)})${detail}`,
    remedy: 'check the user name and password',
  };
}
