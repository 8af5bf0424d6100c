/** Ping and traceroute as answers to requests: a line of JSON for each thing that is found, as it is found. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import { REACH_BOUNDS, VIA_TUNNEL } from '../diagnosis/reach/reach-event.ts';
import { NDJSON_TYPE } from './media-types.ts';
import { sendCommandFailure, sendProblem } from './problem.ts';
import { ping, stopReach, traceroute } from './reach-operations.ts';
import { type PingQuery, REACH_ID_HEADER, type TracerouteQuery } from './reach-query.ts';
import type { ReachResult, RouterControl } from './router-control.ts';

/** Octets that may wait for a reader beyond the kernel's buffer. A reader that is further behind is cut off. */
const MAX_BACKLOG = 256 * 1024;

/** By POST: they send packets, and nothing that reads ahead shall do that. */
export function installReachRoutes(app: FastifyInstance, control: RouterControl): void {
  app.post<{ Querystring: PingQuery }>('/v1/ping', { schema: ping }, async ({ query }, reply) => {
    const { host, via = VIA_TUNNEL, dontFragment = false } = query;
    const [count, size, interval] = [value(query, 'count'), value(query, 'size'), value(query, 'interval')];
    return answer(await control.ping({ host, via, count, size, interval, dontFragment }), reply);
  });
  app.post<{ Querystring: TracerouteQuery }>('/v1/traceroute', { schema: traceroute }, async ({ query }, reply) => {
    const { host, via = VIA_TUNNEL, dontFragment = false } = query;
    const [hops, size] = [value(query, 'hops'), value(query, 'size')];
    return answer(await control.traceroute({ host, via, hops, size, dontFragment }), reply);
  });
  app.delete<{ Params: { id: number } }>('/v1/reaches/:id', { schema: stopReach }, (request, reply) => {
    if (control.stopReach(request.params.id)) return reply.send({ ok: true });
    const detail = `there is no ping or traceroute ${request.params.id} any more`;
    return sendProblem(reply, { status: 404, detail, remedy: 'nothing has to be done' });
  });
}

function value(query: Partial<Record<keyof typeof REACH_BOUNDS, number>>, key: keyof typeof REACH_BOUNDS): number {
  return query[key] ?? REACH_BOUNDS[key].default;
}

function answer<Event>(result: ReachResult<Event>, reply: FastifyReply): FastifyReply {
  if (!result.ok && result.busy !== true) return sendCommandFailure(reply, result);
  if (!result.ok)
    return sendProblem(reply, { status: 503, detail: result.reason, remedy: result.remedy ?? 'try again later' });
  reply.hijack();
  const response = reply.raw;
  response.on('error', () => response.destroy());
  response.writeHead(200, {
    'content-type': NDJSON_TYPE,
    'cache-control': 'no-store',
    [REACH_ID_HEADER]: String(result.id),
  });
  const write = (event: unknown): void => {
    if (response.destroyed) return;
    response.write(`${JSON.stringify(event)}\n`);
    if (response.writableLength > MAX_BACKLOG) response.destroy();
  };
  write(result.began);
  const run = result.begin({ tell: write, end: () => void response.end() });
  // Harmless when it has ended: then it is what has closed the response.
  if (response.destroyed) run.abandon();
  else response.once('close', () => run.abandon());
  return reply;
}
