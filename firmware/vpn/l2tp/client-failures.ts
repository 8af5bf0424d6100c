/** Why an attempt of a client failed, in words of its own, and which failures were a refusal. */

import type { Failure } from '../../protocol/machine.ts';
import { errorText } from '../steps.ts';

/** The user hung up; not a failure, but it has the shape of one. */
export const HUNG_UP: Failure = {
  step: 'disconnect',
  reason: 'disconnected on request',
  remedy: 'connect again when wanted',
};

/** Steps at which the other side answered and said no: insisting quickly helps nobody. */
const REFUSALS = new Set(['authentication', 'StopCCN', 'CDN', 'IPCP', 'SCCRP', 'SCCCN']);

/** Whether the other side answered, and will say no again if asked again soon. */
export function isRefusal({ cause, step }: Failure): boolean {
  return cause === 'refused' || cause === 'no-proposal' || REFUSALS.has(step);
}

/** Nobody at all answered the SCCRQ. */
export function isSilence({ cause, step }: Failure): boolean {
  return cause === 'silence' && step === 'SCCRQ';
}

/** This side has another address on the way to the server, which knows it by the old one. */
export function movedAway(before: string, after: string): Failure {
  return {
    step: 'address',
    reason: `this side goes out from ${after} instead of ${before} now, and the server knows it by the old address`,
    remedy: 'nothing needs to be done; the connection is dialled anew from there',
    cause: 'moved',
  };
}

export function noAddress(server: string): Failure {
  return { step: 'resolve', reason: `${server} has no address`, remedy: 'check the name of the server' };
}

/** Many servers hang up on a wrong password without a PPP word; then the moment at which they do so is what tells. */
export function hungUpWhileAuthenticating(user: string, reason: string): Failure {
  return {
    step: 'authentication',
    reason: `the server hung up while user ${user} was being authenticated: ${reason}`,
    remedy: 'check the user name and password',
  };
}

/**
 * The SAs stand, and not one protected packet has come back.
 * @param server address of the outer header.
 */
export function muteChannel(server: string, udpEncapsulation: boolean): Failure {
  const so =
    'the key exchange succeeded, but nothing came back through the protected channel, so something between here';
  if (!udpEncapsulation) {
    return {
      step: 'ESP',
      reason: `${so} and ${server} drops ESP (IP protocol 50)`,
      remedy: 'let ESP pass through every firewall on the way, or put it in UDP with "encapsulation": "always"',
      cause: 'silence',
    };
  }
  return {
    step: 'ESP',
    reason: `${so} and ${server} drops UDP port 4500, or the server has no L2TP service behind IPsec`,
    remedy: 'let UDP port 4500 pass both ways, and check that the server takes L2TP calls inside IPsec',
    cause: 'silence',
  };
}

/** The last of so many failed attempts. */
export function gaveUp({ step, reason, remedy }: Failure, attempts: number): Failure {
  const times = attempts === 1 ? '1 failed attempt' : `${attempts} failed attempts in a row`;
  return { step, reason: `${reason}; given up after ${times}`, remedy: `${remedy}, then connect again` };
}

/** The TUN, or the addresses and routes of it. */
export function interfaceFailure(device: string, error: unknown): Failure {
  return {
    step: 'interface',
    reason: `${device} could not be set up: ${errorText(error)}`,
    remedy: 'see the log for the command that failed',
  };
}
