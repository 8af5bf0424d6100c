/** Bringing a connection up for somebody who wants to see how far it comes. */
import { setImmediate } from 'node:timers/promises';
import type { ControlClient } from '../api/client.ts';
import type { CommandResult, RouterEvent } from '../api/router-control.ts';
import type { Context } from './command.ts';
import { eventText } from './event-text.ts';

/** @returns when it is up or has failed; its steps were told meanwhile. */
export async function connectTelling(
  { options, out, signal }: Pick<Context, 'options' | 'out' | 'signal'>,
  client: ControlClient,
  name: string,
): Promise<CommandResult> {
  const end = new AbortController();
  const tell = (event: RouterEvent) => {
    if (event.connection === name) out(options.json === true ? JSON.stringify(event) : eventText(event));
  };
  // The steps are a courtesy: where they cannot be had, connecting works all the same, or says why it does not.
  await client.events(tell, end.signal).catch(() => undefined);
  try {
    const result = await client.connect(name, signal);
    // The steps before the answer are in their socket by now; one full turn of the event loop hands them over.
    await setImmediate();
    await setImmediate();
    return result;
  } finally {
    end.abort();
  }
}
