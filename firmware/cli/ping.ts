/** `culvert ping HOST`: whether it answers, how fast, by which way, and how large a packet may be. */
import { startPing } from '../api/reach-client.ts';
import { type PingEvent, REACH_BOUNDS } from '../diagnosis/reach/reach-event.ts';
import type { Context } from './command.ts';
import { stateDirOf } from './options.ts';
import { done, failed } from './output.ts';
import { reachQuery, takeEvents } from './reach.ts';
import { pingLine } from './reach-text.ts';
import { wholeNumberOption } from './whole-number-option.ts';

export async function run(context: Context): Promise<number> {
  const { options } = context;
  const count = wholeNumberOption(options, 'count', REACH_BOUNDS.count);
  const interval = wholeNumberOption(options, 'interval', REACH_BOUNDS.interval);
  const query = {
    ...reachQuery(context),
    ...(count !== undefined && { count }),
    ...(interval !== undefined && { interval }),
  };
  let why = 'nobody answered: see "culvert traceroute" for how far the way goes';
  const tell = (event: PingEvent): void => {
    if (event.kind === 'error') why = event.reason;
    context.out(options.json === true ? JSON.stringify(event) : pingLine(event));
  };
  const end = await takeEvents(context, (gone) => startPing(stateDirOf(options), query, gone), tell);
  if (end === undefined) return failed;
  if (end.received > 0) return done;
  if (end.sent > 0) context.complain(`${query.host} was not reached, ${why}`);
  return failed;
}
