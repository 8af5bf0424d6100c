/** What the messages of a call say: AVPs from options (RFC 2661 sections 6.6 to 6.11), and options from AVPs. */
import { printable } from '../printable.ts';
import { accessLineFields } from './access-line.ts';
import type { AvpFields } from './control-message.ts';
import type { CallRequest, L2tpOutput, OpenCallOptions, OpenSessionOptions, ProxyAvps } from './endpoint-types.ts';

/** (Tx) Connect Speed where the caller tells none, bit/s. */
const DEFAULT_CONNECT_SPEED = 100_000_000;
/** Bearer Type of a call that came over no physical line (section 4.4.4). */
const NO_BEARER = 0;
/** Both kinds of line: whoever asks for a call does not mind. */
const ANY_BEARER = 3;
const U32_MAX = 0xffffffff;

/** How a call that the peer had us place was connected. */
export interface Answer {
  /** Bit/s. Default 100,000,000. */
  readonly connectSpeed?: number;
  /** Sequencing Required AVP. Default false. */
  readonly sequencing?: boolean;
}

/** Without the id and the serial number. */
export function icrqFields({ callingNumber, calledNumber, subAddress, accessLine }: OpenSessionOptions): AvpFields {
  return {
    bearerType: NO_BEARER,
    ...(callingNumber === undefined ? {} : { callingNumber }),
    ...(calledNumber === undefined ? {} : { calledNumber }),
    ...(subAddress === undefined ? {} : { subAddress }),
    ...(accessLine === undefined ? {} : accessLineFields(accessLine)),
  };
}

/** Without the id and the serial number. */
export function ocrqFields(options: OpenCallOptions, framingType: number): AvpFields {
  const { calledNumber, subAddress, minimumBps = 0, maximumBps = U32_MAX } = options;
  return {
    minimumBps: u32(minimumBps),
    maximumBps: u32(maximumBps),
    bearerType: ANY_BEARER,
    framingType,
    calledNumber,
    ...(subAddress === undefined ? {} : { subAddress }),
  };
}

/** ICCN and OCCN: how the call is connected. */
export function connectedFields({ connectSpeed, sequencing }: Answer, framingType: number): AvpFields {
  return {
    txConnectSpeed: u32(connectSpeed ?? DEFAULT_CONNECT_SPEED),
    framingType,
    ...(sequencing === true ? { sequencingRequired: true as const } : {}),
  };
}

/** The proxy AVPs of an ICCN. */
export function proxyFields(proxy: ProxyAvps): AvpFields {
  const { authenType, authenName, authenChallenge, authenId, authenResponse, ...lcp } = proxy;
  return {
    ...lcp,
    ...(authenType === undefined ? {} : { proxyAuthenType: authenType }),
    ...(authenName === undefined ? {} : { proxyAuthenName: authenName }),
    ...(authenChallenge === undefined ? {} : { proxyAuthenChallenge: authenChallenge }),
    ...(authenId === undefined ? {} : { proxyAuthenId: authenId }),
    ...(authenResponse === undefined ? {} : { proxyAuthenResponse: authenResponse }),
  };
}

/** The proxy AVPs that an ICCN has; `undefined` when it has none. */
export function proxyOf(fields: AvpFields): ProxyAvps | undefined {
  const { initialReceivedLcpConfreq, lastSentLcpConfreq, lastReceivedLcpConfreq } = fields;
  const { proxyAuthenType, proxyAuthenName, proxyAuthenChallenge, proxyAuthenId, proxyAuthenResponse } = fields;
  const proxy: ProxyAvps = {
    ...(initialReceivedLcpConfreq === undefined ? {} : { initialReceivedLcpConfreq }),
    ...(lastSentLcpConfreq === undefined ? {} : { lastSentLcpConfreq }),
    ...(lastReceivedLcpConfreq === undefined ? {} : { lastReceivedLcpConfreq }),
    ...(proxyAuthenType === undefined ? {} : { authenType: proxyAuthenType }),
    ...(proxyAuthenName === undefined ? {} : { authenName: proxyAuthenName }),
    ...(proxyAuthenChallenge === undefined ? {} : { authenChallenge: proxyAuthenChallenge }),
    ...(proxyAuthenId === undefined ? {} : { authenId: proxyAuthenId }),
    ...(proxyAuthenResponse === undefined ? {} : { authenResponse: proxyAuthenResponse }),
  };
  return Object.keys(proxy).length === 0 ? undefined : proxy;
}

/** What an OCRQ asks for. */
export function requestOf({ calledNumber = '', subAddress, minimumBps = 0, maximumBps = 0 }: AvpFields): CallRequest {
  return { calledNumber, ...(subAddress === undefined ? {} : { subAddress }), minimumBps, maximumBps };
}

/** What a `session-up` tells of the messages that made it. @param request the ICRQ, where the call is the peer's. */
export function connectionOf(
  connected: AvpFields,
  request: AvpFields,
): Pick<
  Extract<L2tpOutput, { kind: 'session-up' }>,
  'sequencing' | 'connectSpeed' | 'callingNumber' | 'calledNumber' | 'proxy'
> {
  const proxy = proxyOf(connected);
  return {
    sequencing: connected.sequencingRequired ?? false,
    ...(connected.txConnectSpeed === undefined ? {} : { connectSpeed: connected.txConnectSpeed }),
    ...(request.callingNumber === undefined ? {} : { callingNumber: printable(request.callingNumber) }),
    ...(request.calledNumber === undefined ? {} : { calledNumber: printable(request.calledNumber) }),
    ...(proxy === undefined ? {} : { proxy }),
  };
}

function u32(value: number): number {
  return Math.min(Math.max(0, Math.floor(value)), U32_MAX);
}
