/** Why a login (XAUTH) or an inner address (Mode-Config) was not to be had, for a person. */
import type { Failure } from '../../machine.ts';
import { printable } from '../../printable.ts';
import { formatEndpoint, type UdpEndpoint } from '../../udp-path.ts';

const STEP = 'XAUTH';

/** @param message of the server, printable; empty for none. */
function saying(message: string): string {
  return message === '' ? '' : `; it says "${message}"`;
}

/** The server said no, or asked a second time. */
export function loginRefused(user: string, message: string): Failure {
  return {
    step: STEP,
    reason: `the peer refused the login of user ${printable(user)}${saying(message)}`,
    remedy: 'correct user and password here; a server may lock a user who is wrong too often',
    cause: 'refused',
  };
}

/** The server wants a login, and there is none. */
export function loginNotConfigured(message: string): Failure {
  return {
    step: STEP,
    reason: `the peer asks for a user and a password, and none is configured${saying(message)}`,
    remedy: 'set user and password of the connection, or let the peer do without XAUTH',
    cause: 'refused',
  };
}

/** @param what the server wants, in words. */
export function loginUnsupported(what: string, message: string): Failure {
  return {
    step: STEP,
    reason: `the peer asks for ${what}, which cannot be given here${saying(message)}`,
    remedy: 'let the peer ask for user and password (XAUTH type Generic)',
    cause: 'refused',
  };
}

/** XAUTH was agreed on, and then the server kept silent. */
export function loginNeverAsked(remote: UdpEndpoint): Failure {
  return {
    step: STEP,
    reason: `${formatEndpoint(remote)} agreed to XAUTH and never asked for user and password`,
    remedy: 'read the log of the peer: whether it wants a login from this side at all',
    cause: 'silence',
  };
}

/** User and password went out, and no verdict came. */
export function loginUnanswered(remote: UdpEndpoint): Failure {
  return {
    step: STEP,
    reason: `${formatEndpoint(remote)} was told user and password, and did not say whether it takes them`,
    remedy: 'read the log of the peer: it may wait for a RADIUS server',
    cause: 'silence',
  };
}

export function noAnswerToModeConfig(remote: UdpEndpoint): Failure {
  return {
    step: 'Mode-Config',
    reason: `${formatEndpoint(remote)} was asked for an inner address (Mode-Config) and did not answer`,
    remedy: 'set up a pool of addresses on the peer, or switch off the virtual address here',
    cause: 'silence',
  };
}

/** There was an answer, without an address in it. */
export function noAddress(remote: UdpEndpoint): Failure {
  return {
    step: 'Mode-Config',
    reason: `${formatEndpoint(remote)} answered Mode-Config, but assigned no inner address`,
    remedy: 'set up a pool of addresses on the peer, and see that it is not exhausted',
    cause: 'refused',
  };
}

/** A rekey brought another address: what runs over the old one would be lost without a word. */
export function addressChanged(before: string, now: string): Failure {
  return {
    step: 'Mode-Config',
    reason: `the peer assigned ${now} in place of ${before} while the connection was renewed`,
    remedy:
      'nothing to repair here; the connection is set up anew. A fixed address for this user on the peer avoids it',
  };
}
