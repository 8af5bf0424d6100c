/** Whether users proved themselves with the password that the decoder was given; challenges wait here for responses. */
import { utf8Bytes } from '../../protocol/bytes.ts';
import { secretsEqual } from '../../protocol/ppp/authentication.ts';
import { methodTitle } from '../../protocol/ppp/authentication-methods.ts';
import type { ChapAlgorithm } from '../../protocol/ppp/chap.ts';
import { CHAP_MD5 } from '../../protocol/ppp/chap-md5.ts';
import { MSCHAP_V1 } from '../../protocol/ppp/mschapv1.ts';
import { MSCHAP_V2 } from '../../protocol/ppp/mschapv2.ts';
import { BoundedMap } from './bounded-map.ts';

/** Challenges, and responses that wait for the other side's proof, at a time. */
const MAX_WAITING = 4096;

/** Octets of a response, by which methods are told apart (RFC 1994, RFC 2433 section 4, RFC 2759 section 4). */
const MD5_RESPONSE = 16;
const MSCHAP_RESPONSE = 49;
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
  /** What a server that knows the password says next (RFC 2759 section 5). */
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
    const algorithm = algorithmOf(challenge, proof.value);
    if (algorithm === undefined) return 'response: of an unknown method';
    const { identifier, name, value } = proof;
    const method = methodTitle(algorithm.method);
    for (const password of this.#passwords) {
      const { ok, successMessage } = algorithm.verify({ identifier, challenge, name, password }, value);
      if (!ok) continue;
      if (algorithm === MSCHAP_V2) this.#expected.set(asked, successMessage.slice(0, AUTHENTICATOR_RESPONSE));
      return `${method} response: correct`;
    }
    return `${method} response: wrong for this password`;
  }

  /** The server's own proof in a Success of MS-CHAPv2. */
  judgeSuccess(speaker: Speaker, key: string, message: Uint8Array): string | undefined {
    const expected = this.#expected.get(`${speaker.conversation} ${speaker.direction} ${key}`);
    if (expected === undefined) return undefined;
    const said = Buffer.from(message.subarray(0, AUTHENTICATOR_RESPONSE)).toString('latin1').toUpperCase();
    const right = secretsEqual(utf8Bytes(said), utf8Bytes(expected));
    return right ? "server's proof: correct" : "server's proof: wrong for this password";
  }
}

/** The three methods have responses, or challenges, of different lengths. */
function algorithmOf(challenge: Uint8Array, response: Uint8Array): ChapAlgorithm | undefined {
  if (response.length === MD5_RESPONSE) return CHAP_MD5;
  if (response.length !== MSCHAP_RESPONSE) return undefined;
  return [MSCHAP_V1, MSCHAP_V2].find(({ challengeLength }) => challengeLength === challenge.length);
}
