/** The client's side of ping and traceroute. */
import type { IncomingMessage } from 'node:http';
import type { PingEvent, TracerouteEvent } from '../diagnosis/reach/reach-event.ts';
import { type PingQuery, REACH_ID_HEADER, type TracerouteQuery } from './reach-query.ts';
import type { CommandResult } from './router-control.ts';
import { ControlTransport, commandResult, readAnswer } from './transport.ts';

export interface RemoteReach<Event> {
  readonly ok: true;
  /** As they come. They end without `end` where the router does, or the signal aborts. */
  readonly events: AsyncIterable<Event>;
  /** Asks the router to end it as it should end; the last events follow. */
  stop(): Promise<void>;
}

export type ReachAnswer<Event> = RemoteReach<Event> | (CommandResult & { readonly ok: false });

/** @throws ControlClientError when no router answers, or too many of them run. */
export function startPing(stateDir: string, query: PingQuery, signal: AbortSignal): Promise<ReachAnswer<PingEvent>> {
  return start(stateDir, '/v1/ping', query, signal);
}

/** @throws ControlClientError likewise. */
export function startTraceroute(
  stateDir: string,
  query: TracerouteQuery,
  signal: AbortSignal,
): Promise<ReachAnswer<TracerouteEvent>> {
  return start(stateDir, '/v1/traceroute', query, signal);
}

async function start<Event>(
  stateDir: string,
  path: string,
  query: PingQuery | TracerouteQuery,
  signal: AbortSignal,
): Promise<ReachAnswer<Event>> {
  const transport = new ControlTransport(stateDir);
  const asked = Object.fromEntries(Object.entries(query).map(([key, value]) => [key, String(value)]));
  const response = await transport.open('POST', `${path}?${new URLSearchParams(asked)}`, { signal });
  if (response.statusCode !== 200) {
    const result = commandResult(await readAnswer(response));
    return result.ok ? { ok: false, reason: 'the router said nothing' } : result;
  }
  // Also where nobody reads the events yet.
  response.on('error', () => undefined);
  return {
    ok: true,
    events: eventsOf(response),
    stop: async () => {
      await transport.call('DELETE', `/v1/reaches/${response.headers[REACH_ID_HEADER]}`);
    },
  };
}

/** Lines of JSON. What breaks the stream off, wherever, only ends it: it shows by the event that is missing. */
async function* eventsOf<Event>(response: IncomingMessage): AsyncIterable<Event> {
  let rest = '';
  try {
    for await (const chunk of response.setEncoding('utf8')) {
      const lines = (rest + String(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) yield JSON.parse(line) as Event;
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'ECONNRESET' && code !== 'ABORT_ERR' && code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  }
}
