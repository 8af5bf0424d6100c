/**
 * CHAP with algorithm 0x80, MS-CHAPv1 (RFC 2433): for peers that have nothing better. It is broken (two DES keys of the
 * three can be found by trying), proves the server by nothing, and is spoken only where it is configured by name.
 */
import { ByteReader, concatBytes, hex } from '../bytes.ts';
import { secretsEqual } from './authentication.ts';
import type { ChapAlgorithm } from './chap.ts';
import { explainFailure } from './mschapv2.ts';
import { challengeResponse, NT_RESPONSE_LENGTH, ntPasswordHash } from './mschapv2-crypto.ts';

/** Octets of a challenge (section 3). */
const CHALLENGE_LENGTH = 8;
/** Octets of the response of LAN Manager, which this side neither sends nor looks at. */
const LM_RESPONSE_LENGTH = 24;
/** Octets of the Response Value: both responses, and the flag that says which counts (section 4). */
const RESPONSE_LENGTH = LM_RESPONSE_LENGTH + NT_RESPONSE_LENGTH + 1;
const USE_NT_RESPONSE = 1;

/** The value field of a Response (section 4). */
export interface MsChapV1Response {
  /** 24 octets. */
  readonly lmResponse: Uint8Array;
  /** 24 octets. */
  readonly ntResponse: Uint8Array;
  /** 1: the NT-Response counts. */
  readonly flags: number;
}

/** @throws DecodeError when the value is not 49 octets. */
export function decodeMsChapV1Response(value: Uint8Array): MsChapV1Response {
  const reader = new ByteReader(value);
  return {
    lmResponse: reader.bytes(LM_RESPONSE_LENGTH, 'LM-Response'),
    ntResponse: reader.bytes(NT_RESPONSE_LENGTH, 'NT-Response'),
    flags: reader.u8('Use-NT flag'),
  };
}

export const MSCHAP_V1: ChapAlgorithm = {
  method: 'mschapv1',
  challengeLength: CHALLENGE_LENGTH,

  respond: ({ challenge, password }) => {
    const ntResponse = challengeResponse(challenge, ntPasswordHash(password));
    const value = concatBytes(new Uint8Array(LM_RESPONSE_LENGTH), ntResponse, Uint8Array.of(USE_NT_RESPONSE));
    return { value, confirm: () => undefined };
  },

  verify: ({ challenge, password }, response) => {
    // A malformed one is filled up, so that it costs what a wrong one costs.
    const whole = new Uint8Array(RESPONSE_LENGTH);
    whole.set(response.subarray(0, RESPONSE_LENGTH));
    const { ntResponse, flags } = decodeMsChapV1Response(whole);
    const matches = secretsEqual(challengeResponse(challenge, ntPasswordHash(password)), ntResponse);
    const ok = matches && flags === USE_NT_RESPONSE && response.length === RESPONSE_LENGTH;
    return { ok, successMessage: 'Welcome' };
  },

  failureMessage: (random) => `E=691 R=0 C=${hex(random.bytes(CHALLENGE_LENGTH)).toUpperCase()} V=2`,

  explain: (user, message) => explainFailure(user, message, 'mschapv1'),
};
