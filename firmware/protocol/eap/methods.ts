/** The methods that are spoken here, and what each is made of on both sides. */
import type { Failure, RandomSource } from '../machine.ts';
import { EAP_MD5, EAP_MSCHAPV2 } from './packet.ts';

export type EapMethodName = 'mschapv2' | 'md5';

/** The best first: MSCHAPv2 proves the server, too. */
export const ALL_EAP_METHODS: readonly EapMethodName[] = ['mschapv2', 'md5'];

const TYPES: Readonly<Record<EapMethodName, number>> = { mschapv2: EAP_MSCHAPV2, md5: EAP_MD5 };
const TITLES: Readonly<Record<EapMethodName, string>> = { mschapv2: 'EAP-MSCHAPv2', md5: 'EAP-MD5' };

export function eapMethodType(name: EapMethodName): number {
  return TYPES[name];
}

/** `EAP-MSCHAPv2`, `EAP-MD5`: for people. */
export function eapMethodTitle(name: EapMethodName): string {
  return TITLES[name];
}

export function findEapMethod(type: number, among: readonly EapMethodName[]): EapMethodName | undefined {
  return among.find((name) => TYPES[name] === type);
}

/** Who we are, as a method proves it. */
export interface EapCredentials {
  readonly user: string;
  readonly password: string;
}

/** One method on the side of the peer, for one conversation. */
export interface PeerMethod {
  /**
   * A Request of this method. @returns the Type-Data of the Response; `undefined`: discard it silently.
   * @throws DecodeError when the Type-Data cannot be read.
   */
  request(identifier: number, typeData: Uint8Array): Uint8Array | undefined;
  /** Whether this side is content: a Success may be believed (RFC 3748 section 4.2). */
  readonly content: boolean;
  /** Master Session Key, 64 octets, once this side is content; a method without one makes none (RFC 3748 section 7.10). */
  readonly masterSessionKey?: Uint8Array | undefined;
  /** What the method knows about why it went wrong. */
  readonly failure: Failure | undefined;
}

/** What an authenticator's method says to a Response. */
export type MethodStep =
  | { readonly kind: 'request'; readonly typeData: Uint8Array }
  /** @param user who is proved. */
  | { readonly kind: 'success'; readonly user: string }
  | { readonly kind: 'failure'; readonly name: Uint8Array }
  | { readonly kind: 'discard' };

/** One method on the side of the authenticator, for one conversation. */
export interface AuthenticatorMethod {
  /** What the peer is challenged with. */
  readonly challenge: Uint8Array;
  /** As {@link PeerMethod.masterSessionKey}, once the peer is proved. */
  readonly masterSessionKey?: Uint8Array | undefined;
  /** Type-Data of the first Request. @param identifier of the packet that will carry it. */
  begin(identifier: number): Uint8Array;
  /**
   * A Response to the last Request, with that one's identifier.
   * @throws DecodeError when the Type-Data cannot be read.
   */
  response(identifier: number, typeData: Uint8Array): MethodStep;
}

/** What the methods of an authenticator are given. */
export interface AuthenticatorSettings {
  /** Name of this side in challenges. */
  readonly name: string;
  /** Who the peer said it was (Identity), as it came. */
  readonly identity: Uint8Array;
  /** The password of a user, by a name as it came; looking up somebody who does not exist costs the same. */
  readonly find: (name: Uint8Array) => { readonly user: string; readonly password: string; readonly exists: boolean };
  readonly random: RandomSource;
}
