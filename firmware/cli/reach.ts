/** What `ping` and `traceroute` have in common. */
import type { ReachAnswer } from '../api/reach-client.ts';
import type { PingQuery } from '../api/reach-query.ts';
import { REACH_BOUNDS } from '../diagnosis/reach/reach-event.ts';
import { type Context, UsageError } from './command.ts';
import { didYouMean } from './did-you-mean.ts';
import { Ending } from './ending.ts';
import { wholeNumberOption } from './whole-number-option.ts';

/** Letters, digits, hyphens and dots of a name, and what addresses have beside them. */
const HOST = /^[\w.:-]{1,253}$/;

/** @throws UsageError */
export function reachQuery({ positionals, options }: Context): PingQuery {
  const [host = ''] = positionals;
  if (!HOST.test(host))
    throw new UsageError(`${JSON.stringify(host)} is neither a host name nor an address: correct it`);
  const size = wholeNumberOption(options, 'size', REACH_BOUNDS.size);
  const { via, df } = options;
  return {
    host,
    ...(via !== undefined && { via }),
    ...(size !== undefined && { size }),
    ...(df === true && { dontFragment: true }),
  };
}

/** Hands each event to `tell`. @returns the last one; `undefined` where there was none, and why is told. */
export async function takeEvents<Event extends { readonly kind: string }>(
  context: Context,
  start: (gone: AbortSignal) => Promise<ReachAnswer<Event>>,
  tell: (event: Event) => void,
): Promise<Extract<Event, { kind: 'end' }> | undefined> {
  const gone = new AbortController();
  try {
    const answer = await start(gone.signal);
    if (!answer.ok) {
      const { reason, remedy = 'look at "culvert show log"', notFound = [] } = answer;
      context.complain(`${reason}: ${remedy}${didYouMean(context.options.via ?? '', notFound)}`);
      return undefined;
    }
    const ending = new Ending(answer, gone, context.signal);
    try {
      for await (const event of answer.events) {
        tell(event);
        await context.drained();
        if (isEnd(event)) return event;
      }
    } finally {
      ending.done();
    }
    context.complain(
      ending.asked ? 'it was broken off' : 'it was cut short, for the router ended: start it again and repeat this',
    );
    return undefined;
  } finally {
    gone.abort();
  }
}

function isEnd<Event extends { readonly kind: string }>(event: Event): event is Extract<Event, { kind: 'end' }> {
  return event.kind === 'end';
}
