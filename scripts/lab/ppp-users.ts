/** Users of the lab's L2TP servers, and how their names and passwords are written in the files of pppd. */
import { LabError } from './shell.ts';

/** How a PPP user proves who it is. */
export type PppAuthentication = 'pap' | 'chap' | 'mschapv1' | 'mschapv2' | 'eap';

export interface PppUser {
  readonly name: string;
  readonly password: string;
  /** A fixed IPv4 address for this user. Default: one of the pool. */
  readonly address?: string;
}

/**
 * A word of a pppd options or secrets file, in double quotes.
 * @throws LabError for a line break, which such a file cannot hold
 */
export function quotePppWord(word: string): string {
  if (/[\r\n]/.test(word)) throw new LabError('a name or a password of the lab has a line break in it; choose another');
  return `"${word.replaceAll(/["\\]/g, '\\$&')}"`;
}

/** The content of pap-secrets or chap-secrets, for a server: client, any server, password, allowed addresses. */
export function pppSecrets(users: readonly PppUser[]): string {
  return users
    .map(({ name, password, address = '*' }) => `${quotePppWord(name)} * ${quotePppWord(password)} ${address}\n`)
    .join('');
}
