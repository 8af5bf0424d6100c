/** Whether users proved themselves with the password that the decoder was given; challenges wait here for responses. */
import { utf8Bytes } from '../../protocol/bytes.ts';
import { secretsEqual } from '../../protocol/ppp/authentication.ts';
import { chapMd5 } from '../../protocol/ppp/chap-md5.ts';
import { decodeMsChapV2Response } from '../../protocol/ppp/mschapv2.ts';
import {
  challengeResponse,
  generateAuthenticatorResponse,
  generateNtResponse,
  ntPasswordHash,
} from '../../protocol/ppp/mschapv2-crypto.ts';
import { BoundedMap } from './bounded-map.ts';

/** Challenges, and responses that wait for the other side's proof, at a time. */
const MAX_WAITING = 4096;

/** Octets of values by which methods are told apart (RFC 1994, RFC 2433 section 4, RFC 2759 section 4). */
const MSCHAP_RESPONSE = 49;
const MSCHAPV1_CHALLENGE = 8;
const MSCHAPV2_CHALLENGE = 16;
/** NT-Response in a response of MS-CHAPv1, behind the LM-Response; then a flag whether it is to be used. */
const MSCHAPV1_NT = 24;
const MSCHAPV1_FLAG = 48;
/** `S=` and 40 digits. */
const AUTHENTICATOR_RESPONSE = 42;

/** Who speaks: a conversation, and which of its two ends is spoken to. */
export interface Speaker {
  readonly conversation: string;
  readonly direction: 0 | 1;
}

export interface ProofOfPassword {
  readonly identifier: number;
  readonly name: Uint8Array;
  readonly value: Uint8Array;
}

export class PasswordChecker {
  readonly #passwords: readonly string[];
  readonly #challenges = new BoundedMap<string, Uint8Array>(MAX_WAITING);
  /** What a server that knows the password says next (RFC 2759 section 5); empty where the password is wrong. */
  readonly #expected = new BoundedMap<string, string>(MAX_WAITING);

  /** @param passwords tried in turn; with none nothing is judged */
  constructor(passwords: readonly string[]) {
    this.#passwords = passwords;
  }

  /** A password as PAP sends it. */
  judgePassword(password: Uint8Array): string | undefined {
    if (this.#passwords.length === 0) return undefined;
    const right = this.#passwords.some((known) => secretsEqual(utf8Bytes(known), password));
    return right ? 'password: correct' : 'password: not the one given';
  }

  /** @param key of the exchange in its conversation: the protocol and the identifier */
  challenge(speaker: Speaker, key: string, value: Uint8Array): void {
    this.#challenges.set(`${speaker.conversation} ${speaker.direction} ${key}`, value.slice());
  }

  /** A response to a challenge that went the other way. */
  judgeResponse(speaker: Speaker, key: string, proof: ProofOfPassword): string | undefined {
    if (this.#passwords.length === 0) return undefined;
    const asked = `${speaker.conversation} ${speaker.direction === 0 ? 1 : 0} ${key}`;
    const challenge = this.#challenges.get(asked);
    if (challenge === undefined) return 'response: its challenge is not in the capture';
    const verdicts = this.#passwords.map((password) => this.#prove(asked, challenge, password, proof));
    const method = verdicts[0]?.method ?? 'unknown method';
    if (method === 'unknown method') return 'response: of an unknown method';
    return verdicts.some(({ right }) => right)
      ? `${method} response: correct`
      : `${method} response: wrong for this password`;
  }

  /** The server's own proof in a Success of MS-CHAPv2. */
  judgeSuccess(speaker: Speaker, key: string, message: Uint8Array): string | undefined {
    const expected = this.#expected.get(`${speaker.conversation} ${speaker.direction} ${key}`);
    if (expected === undefined || expected === '') return undefined;
    const said = Buffer.from(message.subarray(0, AUTHENTICATOR_RESPONSE)).toString('latin1').toUpperCase();
    const right = secretsEqual(utf8Bytes(said), utf8Bytes(expected));
    return right ? "server's proof: correct" : "server's proof: wrong for this password";
  }

  #prove(
    asked: string,
    challenge: Uint8Array,
    password: string,
    { identifier, name, value }: ProofOfPassword,
  ): { readonly method: string; readonly right: boolean } {
    if (value.length === 16) {
      return { method: 'CHAP-MD5', right: secretsEqual(chapMd5(identifier, utf8Bytes(password), challenge), value) };
    }
    if (value.length !== MSCHAP_RESPONSE) return { method: 'unknown method', right: false };
    const hash = ntPasswordHash(password);
    if (challenge.length === MSCHAPV1_CHALLENGE) {
      const right =
        value[MSCHAPV1_FLAG] === 1 &&
        secretsEqual(challengeResponse(challenge, hash), value.subarray(MSCHAPV1_NT, MSCHAPV1_FLAG));
      return { method: 'MS-CHAPv1', right };
    }
    if (challenge.length !== MSCHAPV2_CHALLENGE) return { method: 'unknown method', right: false };
    const { peerChallenge, ntResponse } = decodeMsChapV2Response(value);
    const right = secretsEqual(generateNtResponse(challenge, peerChallenge, name, hash), ntResponse);
    if (right) {
      this.#expected.set(asked, generateAuthenticatorResponse(hash, ntResponse, peerChallenge, challenge, name));
    }
    return { method: 'MS-CHAPv2', right };
  }
}
