/** Why a login (XAUTH) or an inner address (Mode-Config) was not to be had, for a person at either end. */
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

/** As the one that asks: user or password are wrong; which of them is nobody's business. @param name as it came. */
export function userRefused(name: Uint8Array): Failure {
  return {
    step: STEP,
    reason: `the caller gave no good password for user ${printable(name)}`,
    remedy: 'check the user name and the password at the caller',
    cause: 'refused',
  };
}

/** The caller answered, and user or password were not in it. */
export function loginMissing(): Failure {
  return {
    step: STEP,
    reason: 'the caller was asked for user and password and gave none',
    remedy: 'set user name and password at the caller',
    cause: 'refused',
  };
}

/** Nobody from there is let in for a while. @param name as it came. */
export function tooManyWrong(name: Uint8Array, address: string): Failure {
  return {
    step: STEP,
    reason: `the login of user ${printable(name)} was not looked at, for too many wrong passwords came from ${address}`,
    remedy: 'wait half a minute for each further attempt, and find out who guesses passwords there',
    cause: 'refused',
  };
}

/** The caller took a method with a login, and does not answer the question. */
export function loginNotGiven(remote: UdpEndpoint): Failure {
  return {
    step: STEP,
    reason: `${formatEndpoint(remote)} was asked for user and password and did not answer`,
    remedy: 'set the caller to log in by XAUTH, and see whether it waits for somebody to type a password',
    cause: 'silence',
  };
}

/** The caller went away instead of logging in. */
export function hungUpBeforeLogin(): Failure {
  return {
    step: STEP,
    reason: 'the caller hung up before it had given user and password',
    remedy: 'read the log of the caller: whether it has a user name and a password to give',
    cause: 'refused',
  };
}

/** The login was good, and the caller does not go on. */
export function verdictUnheard(user: string, remote: UdpEndpoint): Failure {
  return {
    step: STEP,
    reason: `user ${printable(user)} is let in, and ${formatEndpoint(remote)} did not acknowledge it`,
    remedy: 'check the path to the caller, and read its log',
    cause: 'silence',
  };
}
