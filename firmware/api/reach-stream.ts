/** Ping and traceroute as answers to requests: a line of JSON for each thing that is found, as it is found. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import { Type } from 'typebox';
import { REACH_BOUNDS, VIA_TUNNEL } from '../diagnosis/reach/reach-event.ts';
import { MAX_HOST, MAX_NAME } from './limits.ts';
import { sendCommandFailure, sendProblem } from './problem.ts';
import { type PingQuery, REACH_ID_HEADER, type TracerouteQuery } from './reach-query.ts';
import type { ReachResult, RouterControl } from './router-control.ts';
import { doneSchema, problems } from './schemas.ts';

/** Octets that may wait for a reader beyond the kernel's buffer. A reader that is further behind is cut off. */
const MAX_BACKLOG = 256 * 1024;

const bounded = (key: keyof typeof REACH_BOUNDS, description: string) => {
  const { least, most, default: usual } = REACH_BOUNDS[key];
  return Type.Optional(
    Type.Integer({ minimum: least, maximum: most, description: `${description} Without it ${usual}.` }),
  );
};

const common = {
  host: Type.String({ minLength: 1, maxLength: MAX_HOST, description: 'A name or an address.' }),
  via: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: MAX_NAME,
      description: '`tunnel` (as the traffic of the branch goes, the default), `uplink`, a connection or an interface.',
    }),
  ),
  size: bounded('size', 'Octets of data in each request.'),
  dontFragment: Type.Optional(Type.Boolean({ description: 'Nobody may fragment it: finds the MTU of the path.' })),
};

const pingQuery = Type.Object({
  ...common,
  count: bounded('count', 'Requests.'),
  interval: bounded('interval', 'Between two of them, ms.'),
});

const tracerouteQuery = Type.Object({ ...common, hops: bounded('hops', 'Hops at most.') });

/** By POST: they send packets, and nothing that reads ahead shall do that. */
export function installReachRoutes(app: FastifyInstance, control: RouterControl): void {
  app.post<{ Querystring: PingQuery }>(
    '/v1/ping',
    { schema: { querystring: pingQuery, response: problems } },
    async ({ query }, reply) => {
      const { host, via = VIA_TUNNEL, dontFragment = false } = query;
      const [count, size, interval] = [value(query, 'count'), value(query, 'size'), value(query, 'interval')];
      return answer(await control.ping({ host, via, count, size, interval, dontFragment }), reply);
    },
  );
  app.post<{ Querystring: TracerouteQuery }>(
    '/v1/traceroute',
    { schema: { querystring: tracerouteQuery, response: problems } },
    async ({ query }, reply) => {
      const { host, via = VIA_TUNNEL, dontFragment = false } = query;
      const [hops, size] = [value(query, 'hops'), value(query, 'size')];
      return answer(await control.traceroute({ host, via, hops, size, dontFragment }), reply);
    },
  );
  const params = Type.Object({ id: Type.Integer({ minimum: 1 }) });
  app.delete<{ Params: { id: number } }>(
    '/v1/reaches/:id',
    { schema: { params, response: { 200: doneSchema, ...problems } } },
    (request, reply) => {
      if (control.stopReach(request.params.id)) return reply.send({ ok: true });
      const detail = `there is no ping or traceroute ${request.params.id} any more`;
      return sendProblem(reply, { status: 404, detail, remedy: 'nothing has to be done' });
    },
  );
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
    'content-type': 'application/x-ndjson',
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
