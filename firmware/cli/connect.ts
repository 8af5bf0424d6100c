/** `culvert connect NAME`: bring it up, and tell the steps while waiting. */
import { setImmediate } from 'node:timers/promises';
import { ControlClient } from '../api/client.ts';
import type { RouterEvent } from '../api/router-control.ts';
import type { Context } from './command.ts';
import { eventText } from './event-text.ts';
import { failureText } from './failure-text.ts';
import { stateDirOf } from './options.ts';
import { done, failed } from './output.ts';

export async function run(context: Context): Promise<number> {
  const [name = ''] = context.positionals;
  const client = new ControlClient(stateDirOf(context.options));
  const json = context.options.json === true;
  const end = new AbortController();
  const tell = (event: RouterEvent) => {
    if (event.connection === name) context.out(json ? JSON.stringify(event) : eventText(event));
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
    context.out(json ? JSON.stringify({ name, state: 'up' }) : `${name} is up`);
    return done;
  } finally {
    end.abort();
  }
}
