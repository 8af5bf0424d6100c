/**
 * Dialogues with a modem as sequential code without hands: a generator says what it wants next, and is gone on with when that is there.
 */
import type { Failure } from '../machine.ts';
import type { AtCommand } from './engine.ts';
import type { AtChannel, ModemOutput } from './modem-types.ts';
import type { AtReply } from './results.ts';

export type ScriptStep =
  | { readonly want: 'answer'; readonly channel: AtChannel; readonly command: AtCommand }
  | { readonly want: 'escape'; readonly channel: AtChannel }
  /** So many ms, or less when something happens. */
  | { readonly want: 'time'; readonly ms: number }
  /** The driver decides or does something. */
  | { readonly want: 'decision'; readonly output: ModemOutput };

/** What the steps give back: a reply to `answer` and `escape`, a boolean to `decision`, nothing to `time`. */
export type Script<Result = void> = Generator<ScriptStep, Result, AtReply | boolean | undefined>;

/** Ends a script: what is in the way, and whether the modem or only the person at it can do something about it. */
export class ModemFault extends Error {
  readonly failure: Failure;
  /** `person`: nothing that the machine does would help. `recover`: the next rung of the ladder. `silent`: no answer at all. */
  readonly kind: 'person' | 'recover' | 'silent';

  constructor(failure: Failure, kind: ModemFault['kind']) {
    super(failure.reason);
    this.failure = failure;
    this.kind = kind;
  }
}

/** One command. Whatever it answers is a value. */
export function* ask(
  text: string,
  more: Omit<AtCommand, 'text'> = {},
  channel: AtChannel = 'control',
): Script<AtReply> {
  return (yield { want: 'answer', channel, command: { text, ...more } }) as AtReply;
}

/** A question that is asked again once when its answer was eaten. @returns the lines, none when it was refused or not answered. */
export function* lines(text: string, expect: string, timeoutMs?: number): Script<readonly string[]> {
  const more = { again: 1, ...(expect !== '' && { expect }), ...(timeoutMs !== undefined && { timeoutMs }) };
  const reply = yield* ask(text, more);
  return reply.result === 'OK' ? reply.lines : [];
}

export function* pause(ms: number): Script {
  yield { want: 'time', ms };
}

export function* decide(output: ModemOutput): Script<boolean> {
  return (yield { want: 'decision', output }) === true;
}
