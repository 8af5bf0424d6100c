/** What goes wrong at the console of a DSL modem, in words. */
import type { Failure } from '../machine.ts';
import { printable } from '../printable.ts';
import type { DslDialect } from './chipsets.ts';
import { linesOf } from './dsl-text.ts';

const STEP = 'DSL console';

/** Why a look has brought no status. */
export type ConsoleWish = 'no prompt came' | 'its answer has no state of a line';

/** @param heard what it has said, which is no prompt and no login. */
export function silent(heard: string): Failure {
  const last = linesOf(heard).findLast((line) => line.trim() !== '');
  if (last === undefined) {
    return {
      step: STEP,
      reason: 'the console of the modem says nothing',
      remedy: 'check the cable, that the modem is on, and the speed ("baud") of its console',
      cause: 'silence',
    };
  }
  return {
    step: STEP,
    reason: `the console of the modem shows no prompt; it says "${printable(last.trim())}"`,
    remedy:
      'if that looks like noise, correct the speed ("baud"); otherwise log in there by hand and see what it wants',
    cause: 'silence',
  };
}

export function noLogin(missing: 'user' | 'password'): Failure {
  return {
    step: STEP,
    reason: `the console of the modem wants a ${missing}`,
    remedy: `configure the ${missing} for it ("dsl.${missing}")`,
    cause: 'refused',
  };
}

export function refusedLogin(user: string): Failure {
  return {
    step: STEP,
    reason: `the console of the modem refuses the user "${printable(user)}" or the password`,
    remedy: 'correct "dsl.user" and "dsl.password"; it is tried again later, and seldom, so that nobody is locked out',
    cause: 'refused',
  };
}

export function noAnswer(dialects: readonly DslDialect[], what: ConsoleWish): Failure {
  const commands = [...new Set(dialects.map(({ commands: [first = ''] }) => first))].map((command) => `"${command}"`);
  return {
    step: STEP,
    reason: `the modem does not tell how its line is (${what}); it was asked ${commands.join(', ')}`,
    remedy: 'set "dsl.chipset" to the kind of the modem, and try the command on its console by hand',
    cause: 'refused',
  };
}
