/** The words for ends that belong to no single protocol. */
import type { Failure } from '../machine.ts';
import { printable } from '../printable.ts';
import { protocolName } from './protocol-numbers.ts';

/** RFC 1994 section 4.2: when the Failure is lost, the Terminate-Request is what tells of it. */
export function terminatedWhileAuthenticating(user: string, failure: Failure): Failure {
  return {
    step: 'authentication',
    reason: `while user ${printable(user)} was authenticating, ${failure.reason}`,
    remedy: 'check the user name and password',
  };
}

/** A server that insists on MPPE gives up when its CCP is rejected, and often says nothing about it. */
export function terminatedAfterCcp(failure: Failure): Failure {
  return { ...failure, remedy: `${failure.remedy}; if it requires MPPE encryption, switch that off there` };
}

/** The peer Protocol-Rejects what it had agreed to. */
export function authenticationRejected(protocol: number): Failure {
  return {
    step: 'authentication',
    reason: `the peer agreed to ${protocolName(protocol)} and then rejected it`,
    remedy: 'allow another authentication method on one of the two sides',
  };
}

/** LCP was negotiated over and over, and authentication never came to its end. */
export function neverAuthenticated(limitMs: number): Failure {
  return {
    step: 'authentication',
    reason: `the peer kept renegotiating the link for ${Math.round(limitMs / 1000)} s before it was authenticated`,
    remedy: "look into the peer's log for its reason",
  };
}
