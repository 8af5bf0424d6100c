/** What keeps a modem from being used that its machine knows nothing of. */
import type { Failure } from '../../protocol/machine.ts';
import { printable } from '../../protocol/printable.ts';

/** @param named what the configuration names; `undefined`: any modem. */
export function noModem(named: string | undefined): Failure {
  return named === undefined
    ? {
        step: 'modem',
        reason: 'there is no modem of a known kind on USB',
        remedy: 'plug it in, or name its USB id or its device in the configuration of this modem',
      }
    : {
        step: 'modem',
        reason: `the modem ${named} is not there`,
        remedy: 'plug it in, or correct the USB id in the configuration of this modem',
      };
}

/** @param words of the port: what happened, and what to do. */
export function cannotOpen(words: string): Failure {
  return {
    step: 'modem',
    reason: `its serial line cannot be opened: ${printable(words.replace(/\.$/, ''))}`,
    remedy: 'do what is said there; it is tried again by itself',
  };
}

/** @param name of the modem. */
export function capReached(name: string, megabytes: number): Failure {
  return {
    step: 'data cap',
    reason: `this month has carried the ${megabytes} megabytes that are allowed`,
    remedy: `wait for the next month (UTC), or raise modems.${name}.monthlyMegabytes`,
    cause: 'refused',
  };
}

export const ABORTED: Failure = {
  step: 'call',
  reason: 'the call is not wanted any more',
  remedy: 'nothing',
};

export const BUSY: Failure = {
  step: 'call',
  reason: 'the modem is in a call already, or is asked for one',
  remedy: 'let only one uplink use this modem',
};

export const NOT_RUNNING: Failure = {
  step: 'modem',
  reason: 'the modem is not in use: it was stopped',
  remedy: 'nothing',
};
