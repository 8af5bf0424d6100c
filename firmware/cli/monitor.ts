/** `culvert monitor`: what comes, as it comes, until somebody has had enough. */
import { setTimeout } from 'node:timers/promises';
import { ControlClient } from '../api/client.ts';
import type { RouterEvent, RouterStatus } from '../api/router-control.ts';
import { type Context, UsageError } from './command.ts';
import { didYouMean } from './did-you-mean.ts';
import { eventWords } from './event-text.ts';
import { newLines } from './log-tail.ts';
import { logText } from './log-text.ts';
import { MONITORED } from './monitor-words.ts';
import { stateDirOf } from './options.ts';
import { done, failed } from './output.ts';
import { ratesNamed, ratesOf, ratesText } from './rates.ts';

/** Between two looks at the router, ms. */
const PAUSE_MS = 1000;

/** Lines of the log that stand at the beginning. */
const FIRST_LINES = 10;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Waits until the next look. It ends early, and quietly, with the signal. */
export type Pause = (signal: AbortSignal) => Promise<unknown>;

const aSecond: Pause = (signal) => setTimeout(PAUSE_MS, undefined, { signal }).catch(() => undefined);

export async function run(context: Context, pause: Pause = aSecond): Promise<number> {
  const [topic = '', what] = context.positionals;
  const follow = FOLLOW[topic as keyof typeof MONITORED];
  if (!Object.hasOwn(MONITORED, topic)) {
    const known = Object.keys(MONITORED);
    throw new UsageError(
      `there is no "${topic}" to monitor: choose one of ${known.join(', ')}${didYouMean(topic, known)}`,
    );
  }
  if (topic === 'state' && what !== undefined)
    throw new UsageError(`"${what}" is one argument too many: write "culvert monitor state"`);
  const enough = new AbortController();
  const end = () => enough.abort();
  for (const signal of SIGNALS) process.on(signal, end);
  context.signal?.addEventListener('abort', end);
  if (context.signal?.aborted === true) end();
  try {
    return await follow(context, new ControlClient(stateDirOf(context.options)), enough.signal, pause);
  } finally {
    end();
    for (const signal of SIGNALS) process.off(signal, end);
    context.signal?.removeEventListener('abort', end);
  }
}

type Follow = (context: Context, client: ControlClient, enough: AbortSignal, pause: Pause) => Promise<number>;

const FOLLOW: Readonly<Record<keyof typeof MONITORED, Follow>> = {
  log: async ({ positionals, options, out, drained }, client, enough, pause) => {
    const wanted = positionals[1]?.toLowerCase();
    const shown = (line: string) => (options.json === true ? line : logText(line));
    const matches = (text: string) => wanted === undefined || text.toLowerCase().includes(wanted);
    let before: readonly string[] | undefined;
    while (!enough.aborted) {
      const lines = await client.log();
      const news = (before === undefined ? lines : newLines(before, lines)).map(shown).filter(matches);
      for (const text of before === undefined ? news.slice(-FIRST_LINES) : news) out(text);
      before = lines;
      await drained();
      await pause(enough);
    }
    return done;
  },

  state: async ({ options, out, complain }, client, enough) => {
    const json = options.json === true;
    const ended = Promise.withResolvers<void>();
    const tell = (event: RouterEvent): void => {
      if (event.kind !== 'step')
        out(json ? JSON.stringify(event) : `${clockText(event.at)}  ${event.connection}  ${eventWords(event)}`);
    };
    const early: RouterEvent[] = [];
    let listener = (event: RouterEvent): void => void early.push(event);
    await client.events(
      (event) => listener(event),
      enough,
      () => ended.resolve(),
    );
    // What changes while the status is made comes behind it.
    const now = Date.now();
    for (const { name, state } of connectionsOf(await client.status()))
      tell({ at: now, connection: name, kind: 'state', state });
    for (const event of early) tell(event);
    listener = tell;
    await ended.promise;
    if (enough.aborted) return done;
    complain('the router has ended, or told more than could be read: start it again and repeat this');
    return failed;
  },

  traffic: async ({ positionals, options, out, complain, drained }, client, enough, pause) => {
    const [, name] = positionals;
    for (let first = true; !enough.aborted; first = false) {
      const rates = ratesOf(await client.traffic());
      const meant = name === undefined ? rates : ratesNamed(rates, name);
      if (first && meant.length === 0) {
        const names = rates.map((rate) => rate.name);
        complain(nothingCounted(name, names));
        return failed;
      }
      const at = Date.now();
      if (options.json === true) for (const rate of meant) out(JSON.stringify({ at, ...rate }));
      else for (const line of ratesText(clockText(at), meant)) out(line);
      await drained();
      await pause(enough);
    }
    return done;
  },
};

/** Each name once: an L2TP client and its IPsec are known by one. */
function connectionsOf({ l2tp, ipsec }: RouterStatus): readonly Pick<RouterStatus['l2tp'][number], 'name' | 'state'>[] {
  const names = new Set(l2tp.map(({ name }) => name));
  return [...l2tp, ...ipsec.filter(({ name }) => !names.has(name))];
}

function nothingCounted(name: string | undefined, names: readonly string[]): string {
  if (names.length === 0) return 'nothing is counted yet: configure an interface, and wait for a second';
  return `no traffic of ${JSON.stringify(name)} is counted: name one of ${names.join(', ')}${didYouMean(name ?? '', names)}`;
}

/** `12:03:07`, UTC as in the log. */
function clockText(at: number): string {
  return new Date(at).toISOString().slice(11, 19);
}
