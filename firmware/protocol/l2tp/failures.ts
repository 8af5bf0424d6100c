/** Why a tunnel or a session ended or never came up, for a person: one function for each way to fail. */
import type { Failure } from '../machine.ts';
import { printable } from '../printable.ts';
import { formatEndpoint, type UdpEndpoint } from '../udp-path.ts';
import type { ResultCode } from './avp-value.ts';
import type { CloseCause, PppDisconnect } from './endpoint-types.ts';
import { describePppDisconnect } from './ppp-disconnect.ts';
import { CallResult, describeResult, GeneralError, meantResultCode, StopResult } from './result-code.ts';

const SAME_SECRET = 'set the same tunnel secret on both ends';
const REACHABLE = "check the server's address, that nothing on the way blocks its UDP port, and whether it wants IPsec";

/** What the socket's error names mean. */
const PATH_ERRORS: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'connection refused (nothing listens on that port)'],
  ['EHOSTUNREACH', 'host unreachable'],
  ['ENETUNREACH', 'network unreachable'],
  ['EHOSTDOWN', 'host down'],
  ['EACCES', 'sending was forbidden'],
  ['EPERM', 'sending was forbidden'],
  ['ETIMEDOUT', 'timed out'],
]);

/** No answer at all to the SCCRQ. @param pathError errno name, when the network reported one. */
export function noAnswerToSccrq(remote: UdpEndpoint, seconds: number, pathError: string | undefined): Failure {
  const end = formatEndpoint(remote);
  if (pathError === undefined) {
    const reason = `${end} did not answer the SCCRQ within ${seconds} s: it is unreachable or not an L2TP server`;
    return { step: 'SCCRQ', reason, remedy: REACHABLE, cause: 'silence' };
  }
  const words = PATH_ERRORS.get(pathError) ?? printable(pathError);
  const reason = `${end} did not answer the SCCRQ within ${seconds} s, and the network reported: ${words}`;
  const refused = pathError === 'ECONNREFUSED';
  return {
    step: 'SCCRQ',
    reason,
    remedy: refused ? 'check that an L2TP server runs at that address and listens on that port' : REACHABLE,
    cause: 'silence',
  };
}

/** The SCCRQ was acknowledged, and nothing followed. */
export function noSccrp(remote: UdpEndpoint, seconds: number): Failure {
  return {
    step: 'SCCRQ',
    reason: `${formatEndpoint(remote)} acknowledged the SCCRQ but sent no SCCRP within ${seconds} s`,
    remedy: "look into the server's log: it may be waiting for its own configuration or authentication service",
  };
}

/** The client's SCCCN never came. */
export function noScccn(remote: UdpEndpoint): Failure {
  return {
    step: 'SCCRP',
    reason: `${formatEndpoint(remote)} asked for a tunnel but never completed it with an SCCCN`,
    remedy: 'check that replies reach the client, and that its tunnel secret is the same',
  };
}

/** The SCCCN is not acknowledged: some servers are silent when they dislike the Challenge Response. */
export function scccnIgnored(remote: UdpEndpoint, withSecret: boolean): Failure {
  const guess = withSecret ? ': probably its tunnel secret is another one' : '';
  return {
    step: 'SCCCN',
    reason: `${formatEndpoint(remote)} answered the SCCRQ but went silent at the SCCCN${guess}`,
    remedy: withSecret ? SAME_SECRET : 'check that the server allows this host name, and that the path is not lossy',
  };
}

/** Hellos, or what stood in for them, were not answered. */
export function peerSilent(remote: UdpEndpoint, seconds: number): Failure {
  return {
    step: 'hello',
    reason: `nothing came from ${formatEndpoint(remote)} for ${seconds} s, though it was asked with Hellos`,
    remedy: 'check the path to the peer and whether it is running; the tunnel can be opened again when it answers',
  };
}

/** One message was never acknowledged, though something else may still come from the peer. */
export function notAcknowledged(remote: UdpEndpoint, message: string): Failure {
  return {
    step: message === 'HELLO' ? 'hello' : message,
    reason: `${formatEndpoint(remote)} did not acknowledge the ${message} after all retransmissions`,
    remedy: "check the path to the peer and the peer's log",
  };
}

/** The peer sends requests faster than it acknowledges the answers. */
export function backlogFull(remote: UdpEndpoint): Failure {
  return {
    step: 'StopCCN',
    reason: `${formatEndpoint(remote)} does not acknowledge control messages while it causes ever more of them`,
    remedy: 'look into what the peer is doing: it does not keep to RFC 2661 section 5.8',
  };
}

/** The peer's Challenge Response is wrong or missing. */
export function wrongSecret(step: 'SCCRQ' | 'SCCCN', remote: UdpEndpoint, missing: boolean): Failure {
  const what = missing ? 'did not answer our challenge: it has no tunnel secret' : 'has another tunnel secret than we';
  return { step, reason: `${formatEndpoint(remote)} ${what}`, remedy: SAME_SECRET };
}

/** The peer challenges us, and we have no secret. */
export function secretMissing(step: 'SCCRQ' | 'SCCCN', remote: UdpEndpoint): Failure {
  return {
    step,
    reason: `${formatEndpoint(remote)} asks for a tunnel secret, and none is configured here`,
    remedy: 'configure the tunnel secret that the peer uses',
  };
}

/** The Protocol Version AVP is not 1. */
export function wrongVersion(step: string, remote: UdpEndpoint, version: number): Failure {
  return {
    step,
    reason: `${formatEndpoint(remote)} speaks L2TP protocol version ${version}, and only version 1 (RFC 2661) is known`,
    remedy: 'switch the peer to L2TP version 2 (RFC 2661)',
  };
}

/** Both ends opened a tunnel at once, and the peer's stays. */
export function tieLost(remote: UdpEndpoint): Failure {
  return {
    step: 'SCCRQ',
    reason: `${formatEndpoint(remote)} opened a tunnel at the same moment, and its tie breaker won`,
    remedy: "use the peer's tunnel, or try again",
  };
}

/** A message that is malformed or unacceptable in itself. @param words what is wrong, as told to the peer. */
export function badMessage(step: string, remote: UdpEndpoint, words: string): Failure {
  return {
    step,
    reason: `${formatEndpoint(remote)} sent a control message that cannot be accepted (${printable(words)})`,
    remedy: 'look for a newer firmware of the peer, or switch off the feature that the message belongs to',
  };
}

/** A message at a time when the state table has no place for it. */
export function outOfTurn(message: string, remote: UdpEndpoint): Failure {
  return {
    step: message,
    reason: `${formatEndpoint(remote)} sent ${message} out of turn`,
    remedy: 'open the connection again; if it happens every time, the peer has lost its state',
  };
}

/** General errors by which some servers mean: wrong Challenge Response. */
const VAGUE_ERRORS: ReadonlySet<number> = new Set([
  GeneralError.none,
  GeneralError.noControlConnection,
  GeneralError.range,
  GeneralError.vendorSpecific,
]);

/** How far a tunnel had got when its StopCCN came. */
export type StopPhase = 'wait-reply' | 'wait-connect' | 'unproven' | 'established';

/**
 * The peer's StopCCN.
 * @param phase `unproven`: established on our side, but the peer may be refusing our SCCCN with this.
 */
export function peerStopped(
  phase: StopPhase,
  remote: UdpEndpoint,
  result: ResultCode | undefined,
  withSecret: boolean,
): Failure {
  const end = formatEndpoint(remote);
  const code = result === undefined ? 0 : meantResultCode('StopCCN', result.resultCode);
  const words = describeResult('StopCCN', result);
  const vague = result?.errorCode === undefined || VAGUE_ERRORS.has(result.errorCode);
  const doubtful = code === StopResult.notAuthorized || (code === StopResult.generalError && vague);
  if (phase === 'unproven' && doubtful && withSecret) {
    const reason = `${end} refused the tunnel after our SCCCN, probably for another tunnel secret: ${words}`;
    return { step: 'SCCCN', reason, remedy: SAME_SECRET };
  }
  if (phase === 'wait-connect' && doubtful && withSecret) {
    const reason = `${end} withdrew its tunnel after our SCCRP, probably for another tunnel secret: ${words}`;
    return { step: 'SCCRP', reason, remedy: SAME_SECRET };
  }
  const remedy = stopRemedy(code, result?.errorCode, withSecret);
  if (phase === 'wait-reply') return { step: 'SCCRQ', reason: `${end} refused the tunnel: ${words}`, remedy };
  if (phase === 'wait-connect') return { step: 'SCCRP', reason: `${end} withdrew its tunnel: ${words}`, remedy };
  if (code === StopResult.notAuthorized)
    return { step: 'SCCCN', reason: `${end} refused the tunnel: ${words}`, remedy };
  return { step: 'StopCCN', reason: `${end} closed the tunnel: ${words}`, remedy };
}

function stopRemedy(code: number, errorCode: number | undefined, withSecret: boolean): string {
  switch (code) {
    case StopResult.generalRequest:
      return 'nothing is wrong; open the tunnel again when it is needed';
    case StopResult.shuttingDown:
      return 'wait until the peer is running again';
    case StopResult.notAuthorized:
      return withSecret
        ? 'check that the tunnel secret is the same on both ends and that the peer allows this host name'
        : 'set the tunnel secret that the peer expects, and check that it allows this host name';
    case StopResult.alreadyExists:
      return 'close the other tunnel to this peer, or wait until the peer has noticed that it is dead';
    case StopResult.versionNotSupported:
      return 'let the peer speak L2TP version 2 (RFC 2661)';
    default:
      return errorCode === GeneralError.insufficientResources
        ? 'try again later, or raise the limits of the peer'
        : "look into the peer's log";
  }
}

/** This side closed the tunnel. */
export function weStopped(cause: CloseCause): Failure {
  const words = cause.message ? printable(cause.message) : describeResult('StopCCN', cause);
  return {
    step: 'StopCCN',
    reason: `the tunnel was closed by this side: ${words}`,
    remedy: 'open it again when needed',
  };
}

/** The ICRQ or OCRQ was acknowledged, and nothing followed. @param reply that did not come. */
export function noIcrp(remote: UdpEndpoint, seconds: number, reply: 'ICRP' | 'OCRP' = 'ICRP'): Failure {
  const request = reply === 'ICRP' ? 'ICRQ' : 'OCRQ';
  return {
    step: request,
    reason: `${formatEndpoint(remote)} acknowledged the ${request} but did not answer it within ${seconds} s`,
    remedy: "look into the server's log: it may be out of sessions or waiting for another service",
  };
}

/** The peer placed a call, or was to place one, and never connected it. */
export function noIccn(remote: UdpEndpoint, seconds: number, message: 'ICCN' | 'OCCN' = 'ICCN'): Failure {
  if (message === 'OCCN') {
    return {
      step: 'OCCN',
      reason: `the outgoing call between ${formatEndpoint(remote)} and this side was not connected within ${seconds} s`,
      remedy: 'check that the called line answers, and look into the log of the side that places the call',
    };
  }
  return {
    step: 'ICCN',
    reason: `${formatEndpoint(remote)} placed a call but did not connect it with an ICCN within ${seconds} s`,
    remedy: "look into the client's log",
  };
}

/** The peer's CDN. @param refused the request that it answers, when it came before the call was established. */
export function peerDisconnected(
  remote: UdpEndpoint,
  result: ResultCode | undefined,
  refused: 'ICRQ' | 'OCRQ' | undefined,
  ppp?: PppDisconnect,
): Failure {
  const end = formatEndpoint(remote);
  const cause = ppp === undefined ? '' : `; PPP: ${describePppDisconnect(ppp)}`;
  const words = `${describeResult('CDN', result)}${cause}`;
  const code = result === undefined ? 0 : meantResultCode('CDN', result.resultCode);
  const temporary = code === CallResult.noFacilitiesNow || result?.errorCode === GeneralError.insufficientResources;
  const remedy = temporary ? 'try again later, or raise the limits of the peer' : "look into the peer's log";
  if (refused) return { step: refused, reason: `${end} refused the session: ${words}`, remedy };
  const ordinary = code === CallResult.lossOfCarrier || code === CallResult.administrative;
  return {
    step: 'CDN',
    reason: `${end} ended the session: ${words}`,
    remedy: ordinary ? 'nothing is wrong with the tunnel; connect again when needed' : remedy,
  };
}

/** This side closed the session. */
export function weDisconnected(cause: CloseCause): Failure {
  const words = cause.message ? printable(cause.message) : describeResult('CDN', cause);
  return { step: 'CDN', reason: `the session was closed by this side: ${words}`, remedy: 'open it again when needed' };
}

/** A session was asked for where there cannot be one. */
export function cannotOpen(words: string): Failure {
  return { step: 'ICRQ', reason: `no session can be opened: ${words}`, remedy: 'open another tunnel for it' };
}

/** The peer gave the session's id to a new call. */
export function superseded(remote: UdpEndpoint): Failure {
  return {
    step: 'ICRQ',
    reason: `${formatEndpoint(remote)} placed a new call under the id of this session: it has forgotten the old one`,
    remedy: 'nothing; the new session takes over',
  };
}
