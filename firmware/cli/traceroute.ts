/** `culvert traceroute HOST`: over which routers the way goes, and where it ends. */
import { startTraceroute } from '../api/reach-client.ts';
import { REACH_BOUNDS, type TracerouteEvent } from '../diagnosis/reach/reach-event.ts';
import type { Context } from './command.ts';
import { stateDirOf } from './options.ts';
import { done, failed } from './output.ts';
import { reachQuery, takeEvents } from './reach.ts';
import { tracerouteLine } from './reach-text.ts';
import { wholeNumberOption } from './whole-number-option.ts';

export async function run(context: Context): Promise<number> {
  const { options } = context;
  const hops = wholeNumberOption(options, 'hops', REACH_BOUNDS.hops);
  const query = { ...reachQuery(context), ...(hops !== undefined && { hops }) };
  const tell = (event: TracerouteEvent): void => {
    context.out(options.json === true ? JSON.stringify(event) : tracerouteLine(event));
  };
  const end = await takeEvents(context, (gone) => startTraceroute(stateDirOf(options), query, gone), tell);
  if (end === undefined) return failed;
  if (end.reached) return done;
  context.complain(`${query.host} was not reached: the last line with an address is how far the way goes`);
  return failed;
}
