/** `culvert identify`: the LEDs blink, so that somebody finds the router. */

import { ControlClient } from '../api/client.ts';
import { MOST_IDENTIFY_SECONDS } from '../api/limits.ts';
import { type Context, UsageError } from './command.ts';
import { stateDirOf } from './options.ts';
import { done, failed } from './output.ts';

const USUAL_SECONDS = 30;

export async function run(context: Context): Promise<number> {
  const [word = String(USUAL_SECONDS)] = context.positionals;
  const seconds = /^\d{1,4}$/.test(word) ? Number(word) : Number.NaN;
  if (!(seconds <= MOST_IDENTIFY_SECONDS))
    throw new UsageError(`"${word}" is no number of seconds from 0 to ${MOST_IDENTIFY_SECONDS}`);
  const result = await new ControlClient(stateDirOf(context.options)).identify(seconds);
  if (!result.ok) {
    context.complain(`the LEDs do not blink: ${result.reason}; ${result.remedy ?? 'look at "culvert show log"'}`);
    return failed;
  }
  const text = seconds === 0 ? 'the LEDs tell of the router again' : `all LEDs blink for ${seconds} s`;
  context.out(context.options.json === true ? JSON.stringify({ ok: true, seconds }) : text);
  return done;
}
