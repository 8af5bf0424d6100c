/** The Result Code AVP in words (RFC 2661 section 4.4.2): every result code, every general error code. */
import { utf8Bytes } from '../bytes.ts';
import { printable } from '../printable.ts';
import type { ResultCode } from './avp-value.ts';
import type { CloseCause } from './endpoint-types.ts';

/** Result codes of StopCCN. */
export const StopResult = {
  generalRequest: 1,
  generalError: 2,
  alreadyExists: 3,
  notAuthorized: 4,
  versionNotSupported: 5,
  shuttingDown: 6,
  stateMachineError: 7,
} as const;

/** Result codes of CDN. */
export const CallResult = {
  lossOfCarrier: 1,
  generalError: 2,
  administrative: 3,
  noFacilitiesNow: 4,
  noFacilitiesEver: 5,
  invalidDestination: 6,
  noCarrier: 7,
  busy: 8,
  noDialTone: 9,
  notEstablishedInTime: 10,
  noFraming: 11,
} as const;

/** General error codes, with result code 2 of either message. */
export const GeneralError = {
  none: 0,
  noControlConnection: 1,
  length: 2,
  range: 3,
  insufficientResources: 4,
  invalidSessionId: 5,
  vendorSpecific: 6,
  tryAnother: 7,
  unknownMandatoryAvp: 8,
} as const;

const STOP_WORDS: ReadonlyMap<number, string> = new Map([
  [0, 'reserved result code'],
  [1, 'general request to clear the control connection'],
  [2, 'general error'],
  [3, 'the control channel already exists'],
  [4, 'the requester is not authorized to establish a control channel'],
  [5, 'the protocol version of the requester is not supported'],
  [6, 'the requester is being shut down'],
  [7, 'finite state machine error'],
]);

const CALL_WORDS: ReadonlyMap<number, string> = new Map([
  [0, 'reserved result code'],
  [1, 'call disconnected due to loss of carrier'],
  [2, 'call disconnected for a general error'],
  [3, 'call disconnected for administrative reasons'],
  [4, 'call failed for lack of facilities at the moment'],
  [5, 'call failed for lack of facilities, permanently'],
  [6, 'invalid destination'],
  [7, 'call failed because no carrier was detected'],
  [8, 'call failed because the line was busy'],
  [9, 'call failed for lack of a dial tone'],
  [10, 'the call was not established in the time the LAC allows'],
  [11, 'the call was connected but no framing was detected'],
]);

const ERROR_WORDS: ReadonlyMap<number, string> = new Map([
  [0, 'no general error'],
  [1, 'no control connection exists yet for this pair of LAC and LNS'],
  [2, 'a length is wrong'],
  [3, 'a field was out of range, or a reserved field was not zero'],
  [4, 'insufficient resources to handle this operation now'],
  [5, 'the session id is invalid in this context'],
  [6, 'a vendor-specific error occurred in the LAC'],
  [7, 'try another LNS'],
  [8, 'an unknown AVP with the M bit set was received'],
]);

/** Longest Error Message that is sent, octets. */
const MAX_MESSAGE_OCTETS = 255;

/** The Result Code AVP for a cause: a message that is too long is cut. */
export function resultOf(cause: CloseCause): ResultCode {
  const { resultCode, errorCode } = cause;
  let message = cause.message?.slice(0, MAX_MESSAGE_OCTETS) ?? '';
  while (utf8Bytes(message).length > MAX_MESSAGE_OCTETS) message = message.slice(0, -1);
  if (message === '') return errorCode === undefined ? { resultCode } : { resultCode, errorCode };
  return { resultCode, errorCode: errorCode ?? GeneralError.none, message };
}

/** The message that carried the Result Code AVP: the same number means different things in the two. */
export type ResultBearer = 'StopCCN' | 'CDN';

/**
 * The result code that was meant. Some peers send it with its octets swapped (1 as 0x0100): a code that is no code of
 * the message, but is one the other way round, is taken that way.
 */
export function meantResultCode(bearer: ResultBearer, resultCode: number): number {
  const words = wordsOf(bearer);
  if (words.has(resultCode)) return resultCode;
  const swapped = ((resultCode & 0xff) << 8) | (resultCode >>> 8);
  return swapped !== 0 && words.has(swapped) ? swapped : resultCode;
}

/**
 * A Result Code AVP as one phrase for a person, such as `general error, insufficient resources to handle this
 * operation now (StopCCN result 2, error 4): "too many tunnels"`. The peer's message is made printable.
 */
export function describeResult(bearer: ResultBearer, result: ResultCode | undefined): string {
  if (result === undefined) return `no reason given (${bearer} without a Result Code)`;
  const code = meantResultCode(bearer, result.resultCode);
  const words = wordsOf(bearer).get(code) ?? 'a result code that RFC 2661 does not know';
  const numbers = [`${bearer} result ${code}`];
  let detail = '';
  if (result.errorCode !== undefined && result.errorCode !== 0) {
    numbers.push(`error ${result.errorCode}`);
    if (code === StopResult.generalError) {
      detail = `, ${ERROR_WORDS.get(result.errorCode) ?? 'an error code that RFC 2661 does not know'}`;
    } else if (bearer === 'StopCCN' && code === StopResult.versionNotSupported) {
      detail = `, the highest that is supported is ${result.errorCode >>> 8}.${result.errorCode & 0xff}`;
    }
  }
  const message = result.message ? `: "${printable(result.message)}"` : '';
  return `${words}${detail} (${numbers.join(', ')})${message}`;
}

function wordsOf(bearer: ResultBearer): ReadonlyMap<number, string> {
  return bearer === 'StopCCN' ? STOP_WORDS : CALL_WORDS;
}
