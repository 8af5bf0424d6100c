/** `culvert connect NAME`: bring it up, and tell the steps while waiting. */
import { setImmediate } from 'node:timers/promises';
import { ControlClient } from '../api/client.ts';
import type { RouterEvent } from '../api/router-control.ts';
import type { Context } from './command.ts';
import { failureText } from './failure-text.ts';
import { stateDirOf } from './options.ts';
import { done, failed } from './output.ts';

export async function run(context: Context): Promise<number> {
  const [name = ''] = context.positionals;
  const client = new ControlClient(stateDirOf(context.options));
  const end = new AbortController();
  const tell = (event: RouterEvent) => {
    if (event.connection === name) context.out(eventText(event));
  };
  // The steps are a courtesy: where they cannot be had, connecting works all the same, or says why it does not.
  await client.events(tell, end.signal).catch(() => undefined);
  try {
    const result = await client.connect(name, context.signal);
    // The steps before the answer are in their socket by now; one full turn of the event loop hands them over.
    await setImmediate();
    await setImmediate();
    if (!result.ok) {
      context.complain(failureText(name, 'connected', result));
      return failed;
    }
    context.out(`${name} is up`);
    return done;
  } finally {
    end.abort();
  }
}

/** `   0.042 s  sent SCCRQ`. */
function eventText(event: RouterEvent): string {
  const since = event.sinceStartMs === undefined ? '' : `${(event.sinceStartMs / 1000).toFixed(3)} s`;
  const words = [event.kind === 'warning' ? 'warning:' : undefined, event.direction, event.step, event.state];
  const detail = event.detail === undefined ? '' : ` (${event.detail})`;
  return `${since.padStart(10)}  ${words.filter((word) => word !== undefined).join(' ')}${detail}`;
}
