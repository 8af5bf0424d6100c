/** CHAP with algorithm 0x81, MS-CHAPv2 (RFC 2759 sections 3 to 6): both sides prove that they know the password. */
import { ByteReader, concatBytes, hex, utf8Bytes } from '../bytes.ts';
import type { Failure } from '../machine.ts';
import { printable } from '../printable.ts';
import { refusedFailure, secretsEqual } from './authentication.ts';
import type { ChapAlgorithm, ChapInput } from './chap.ts';
import type { PppAuthentication } from './link-types.ts';
import {
  CHALLENGE_LENGTH,
  generateAuthenticatorResponse,
  generateNtResponse,
  NT_RESPONSE_LENGTH,
  ntPasswordHash,
} from './mschapv2-crypto.ts';

/** Reserved octets between Peer-Challenge and NT-Response. */
const RESERVED_LENGTH = 8;
/** Octets of the Response Value: challenge, reserved, NT-Response and one of flags (section 4). */
export const RESPONSE_LENGTH = CHALLENGE_LENGTH + RESERVED_LENGTH + NT_RESPONSE_LENGTH + 1;

/** `S=` and 40 digits, octets. */
const AUTHENTICATOR_RESPONSE_LENGTH = 42;

/** Section 6, the error codes, and what to do about each. */
const ERRORS: ReadonlyMap<number, { readonly meaning: string; readonly remedy: string }> = new Map([
  [
    646,
    {
      meaning: 'the account may not log on at this hour',
      remedy: 'change the logon hours of the account at the server',
    },
  ],
  [647, { meaning: 'the account is disabled', remedy: 'enable the account at the server' }],
  [
    648,
    { meaning: 'the password has expired', remedy: 'set a new password at the server and configure it on this side' },
  ],
  [649, { meaning: 'the account has no dial-in permission', remedy: 'allow dial-in for the account at the server' }],
  [691, { meaning: 'wrong user name or password', remedy: 'check the user name and password' }],
  [709, { meaning: 'changing the password failed', remedy: 'set the password at the server' }],
]);

/** The value field of a Response (section 4). */
export interface MsChapV2Response {
  /** 16 octets. */
  readonly peerChallenge: Uint8Array;
  /** 24 octets. */
  readonly ntResponse: Uint8Array;
}

/** @throws DecodeError when the value is not 49 octets. */
export function decodeMsChapV2Response(value: Uint8Array): MsChapV2Response {
  const reader = new ByteReader(value);
  const peerChallenge = reader.bytes(CHALLENGE_LENGTH, 'Peer-Challenge');
  reader.skip(RESERVED_LENGTH, 'Reserved');
  const ntResponse = reader.bytes(NT_RESPONSE_LENGTH, 'NT-Response');
  // Flags must be zero and mean nothing: not worth a refusal.
  reader.u8('Flags');
  return { peerChallenge, ntResponse };
}

export function encodeMsChapV2Response({ peerChallenge, ntResponse }: MsChapV2Response): Uint8Array {
  return concatBytes(peerChallenge, new Uint8Array(RESERVED_LENGTH), ntResponse, new Uint8Array(1));
}

/** What a Failure message says (section 6). */
export interface MsChapV2Failure {
  /** The `E=` code; `undefined` where there is none. */
  readonly error: number | undefined;
  readonly retryAllowed: boolean;
  /** The `M=` text as it came, not yet fit to print; the whole message where there is no `E=`. */
  readonly text: string;
}

export function parseFailureMessage(message: Uint8Array): MsChapV2Failure {
  const all = Buffer.from(message).toString('latin1');
  const error = /(?:^|\s)E=(\d{1,10})/.exec(all)?.[1];
  const retry = /(?:^|\s)R=(\d)/.exec(all)?.[1];
  const text = /(?:^|\s)M=([\s\S]*)$/.exec(all)?.[1] ?? (error === undefined ? all : '');
  return { error: error === undefined ? undefined : Number(error), retryAllowed: retry === '1', text };
}

/** The words for a Failure packet. */
export function explainFailure(user: string, message: Uint8Array, method: PppAuthentication = 'mschapv2'): Failure {
  const { error, text } = parseFailureMessage(message);
  const known = error === undefined ? undefined : ERRORS.get(error);
  const code = error === undefined ? '' : `: error ${error}${known === undefined ? '' : `, ${known.meaning}`}`;
  const said = text.trim() === '' ? '' : `: "${printable(text.trim())}"`;
  const failure = refusedFailure(method, user, `${code}${said}`);
  return known === undefined ? failure : { ...failure, remedy: known.remedy };
}

function unprovedServer(user: string): Failure {
  return {
    step: 'authentication',
    reason: `the server accepted user ${printable(user)} but did not prove that it knows the password itself`,
    remedy: 'make sure that this is the right server: something may be posing as it',
  };
}

/** Parts of a response of any length: what is missing is zero, so that a malformed one costs what a wrong one costs. */
function partsOf(value: Uint8Array): MsChapV2Response {
  const whole = new Uint8Array(RESPONSE_LENGTH);
  whole.set(value.subarray(0, RESPONSE_LENGTH));
  return decodeMsChapV2Response(whole);
}

export const MSCHAP_V2: ChapAlgorithm = {
  method: 'mschapv2',
  challengeLength: CHALLENGE_LENGTH,

  respond: ({ challenge, name, password }: ChapInput, random) => {
    const peerChallenge = random.bytes(CHALLENGE_LENGTH);
    const passwordHash = ntPasswordHash(password);
    const ntResponse = generateNtResponse(challenge, peerChallenge, name, passwordHash);
    const expected = generateAuthenticatorResponse(passwordHash, ntResponse, peerChallenge, challenge, name);
    return {
      value: encodeMsChapV2Response({ peerChallenge, ntResponse }),
      confirm: (message) => {
        // The digits are to be upper case; lower case proves as much.
        const proof = Buffer.from(message.subarray(0, AUTHENTICATOR_RESPONSE_LENGTH)).toString('latin1').toUpperCase();
        const proved = secretsEqual(utf8Bytes(proof), utf8Bytes(expected));
        return proved ? undefined : unprovedServer(Buffer.from(name).toString('utf8'));
      },
    };
  },

  verify: ({ challenge, name, password }: ChapInput, response) => {
    const passwordHash = ntPasswordHash(password);
    const { peerChallenge, ntResponse } = partsOf(response);
    const expected = generateNtResponse(challenge, peerChallenge, name, passwordHash);
    const proof = generateAuthenticatorResponse(passwordHash, expected, peerChallenge, challenge, name);
    const ok = secretsEqual(expected, ntResponse) && response.length === RESPONSE_LENGTH;
    return { ok, successMessage: `${proof} M=Welcome` };
  },

  failureMessage: (random) => {
    const challenge = hex(random.bytes(CHALLENGE_LENGTH)).toUpperCase();
    return `E=691 R=0 C=${challenge} V=3 M=Authentication failed`;
  },

  explain: (user, message) => explainFailure(user, message),
};
