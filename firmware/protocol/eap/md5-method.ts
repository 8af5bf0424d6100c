/**
 * EAP MD5-Challenge (RFC 3748 section 5.4): CHAP with MD5 in EAP, whose values look the same (RFC 1994 section 4.1). It proves
 * one side only.
 */
import { utf8Bytes } from '../bytes.ts';
import { secretsEqual } from '../ppp/authentication.ts';
import { decodeChapValue, encodeChapValue } from '../ppp/chap.ts';
import { chapMd5 } from '../ppp/chap-md5.ts';
import type { AuthenticatorMethod, AuthenticatorSettings, EapCredentials, MethodStep, PeerMethod } from './methods.ts';

/** Octets of our challenge. */
const CHALLENGE_OCTETS = 16;

export class Md5Peer implements PeerMethod {
  readonly #credentials: EapCredentials;
  readonly #isReflected: (challenge: Uint8Array) => boolean;
  #answered = false;

  /** @param isReflected whether a challenge is one of our own: whoever hands it back wants the answer for himself. */
  constructor(credentials: EapCredentials, isReflected: (challenge: Uint8Array) => boolean) {
    this.#credentials = credentials;
    this.#isReflected = isReflected;
  }

  get content(): boolean {
    return this.#answered;
  }

  get failure(): undefined {
    return undefined;
  }

  request(identifier: number, typeData: Uint8Array): Uint8Array | undefined {
    const { value: challenge } = decodeChapValue(typeData);
    if (challenge.length === 0 || this.#isReflected(challenge)) return undefined;
    this.#answered = true;
    const { user, password } = this.#credentials;
    return encodeChapValue({ value: chapMd5(identifier, utf8Bytes(password), challenge), name: utf8Bytes(user) });
  }
}

export class Md5Authenticator implements AuthenticatorMethod {
  readonly #settings: AuthenticatorSettings;
  readonly challenge: Uint8Array;

  constructor(settings: AuthenticatorSettings) {
    this.#settings = settings;
    this.challenge = settings.random.bytes(CHALLENGE_OCTETS);
  }

  begin(): Uint8Array {
    return encodeChapValue({ value: this.challenge, name: utf8Bytes(this.#settings.name) });
  }

  /** The identity is the user: the Name of the answer is a hint only, and often missing. */
  response(identifier: number, typeData: Uint8Array): MethodStep {
    const { value } = decodeChapValue(typeData);
    const { identity, find } = this.#settings;
    const { user, password, exists } = find(identity);
    const matches = secretsEqual(chapMd5(identifier, utf8Bytes(password), this.challenge), value);
    return matches && exists ? { kind: 'success', user } : { kind: 'failure', name: identity };
  }
}
