/** Why a modem does not carry data, in words. Steps are what somebody would look at: the modem, the SIM, the network, the call. */
import type { Failure } from '../machine.ts';
import { printable } from '../printable.ts';

export const NO_ANSWER: Failure = {
  step: 'modem',
  reason: 'the modem does not answer AT commands',
  remedy: 'see that its port and speed are right, and unplug it once if it stays so',
  cause: 'silence',
};

export const NO_SIM: Failure = {
  step: 'SIM',
  reason: 'there is no SIM in the modem',
  remedy: 'put one in, contacts and notch as the slot shows',
  cause: 'refused',
};

export const PIN_WANTED: Failure = {
  step: 'SIM',
  reason: 'the SIM wants a PIN, and none is configured',
  remedy: 'set the PIN of this modem, or switch the PIN off with a telephone',
  cause: 'refused',
};

export const PIN_BLOCKED: Failure = {
  step: 'SIM',
  reason: 'the configured PIN was tried once on this SIM and was wrong; it is not tried again',
  remedy: 'set the right PIN',
  cause: 'refused',
};

export const PUK_WANTED: Failure = {
  step: 'SIM',
  reason: 'the SIM is blocked and wants its PUK: a wrong PIN was tried too often',
  remedy: 'put it into a telephone, give the PUK that came with it and a new PIN, and set that PIN here',
  cause: 'refused',
};

export function lastTry(tries: number): Failure {
  return {
    step: 'SIM',
    reason: `the SIM takes ${tries === 1 ? 'only one more try' : 'no more tries'} of its PIN: someone tried wrong ones, and this router leaves it alone`,
    remedy: 'unlock it once in a telephone, then put it back',
    cause: 'refused',
  };
}

export function simFailed(words: string): Failure {
  return {
    step: 'SIM',
    reason: `the SIM cannot be used: ${words}`,
    remedy: 'take it out, clean its contacts and put it in again, or try another one',
  };
}

/** @param words of the network, empty when there are none. */
export function registrationDenied(words: string): Failure {
  return {
    step: 'registration',
    reason: `the network refuses the SIM${words === '' ? '' : `: ${words}`}`,
    remedy: 'ask the operator whether the SIM is active and allowed in this modem',
    cause: 'refused',
  };
}

export function noNetwork(bars: number): Failure {
  return {
    step: 'registration',
    reason: bars === 0 ? 'there is no network: the modem hears none' : 'there is no network that takes the modem',
    remedy:
      bars === 0
        ? 'see that the antennas are screwed on, and move them to a window'
        : 'see whether this operator has coverage here for the bands of the modem',
    cause: 'silence',
  };
}

export function roamingRefused(operator: string): Failure {
  return {
    step: 'registration',
    reason: `only the network of another operator${operator === '' ? '' : ` (${printable(operator)})`} is there, and roaming is not allowed`,
    remedy: 'allow roaming for this modem, which may cost a great deal, or use another SIM',
    cause: 'refused',
  };
}

/** @param said `NO CARRIER`, `BUSY` ... @param cause of AT+CEER, empty when it gave none. @param apn empty when none is set. */
export function callFailed(said: string, cause: string, apn: string): Failure {
  const words = cause === '' ? '' : ` (the network says: ${printable(cause)})`;
  return {
    step: 'call',
    reason: `the data call does not come about: ${said}${words}`,
    remedy:
      apn === ''
        ? 'set the APN that the operator gives for this SIM'
        : `see that the APN "${apn}" is the one that the operator gives for this SIM`,
  };
}

export const CALL_LOST: Failure = {
  step: 'call',
  reason: 'the modem has lost the connection (NO CARRIER)',
  remedy: 'nothing; it is dialled again by itself',
};

export function moduleReset(line: string): Failure {
  return {
    step: 'modem',
    reason: `the modem began anew by itself (${printable(line)})`,
    remedy: 'nothing the first time; if it does so often, see that its power supply is strong enough',
  };
}

export function portLost(reason: string): Failure {
  return {
    step: 'modem',
    reason: `the modem is gone: ${reason}`,
    remedy: 'nothing; it is used again as soon as it is back',
  };
}
