/** The routes of the control API. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import { Type } from 'typebox';
import { takeText } from './body-parsers.ts';
import type { CaptureQuery } from './capture-query.ts';
import { captureQuery, streamCapture } from './capture-stream.ts';
import type { ConfigurationControl } from './configuration-control.ts';
import { installConfigurationRoutes } from './configuration-routes.ts';
import { EventStreams } from './event-stream.ts';
import { MAX_NAME } from './limits.ts';
import { limitsSchema } from './limits-schema.ts';
import { installMachineRoutes } from './machine-routes.ts';
import { sendCommandFailure, sendProblem } from './problem.ts';
import { installReachRoutes } from './reach-stream.ts';
import type { RouterControl, TrafficRingName } from './router-control.ts';
import {
  diagnosisSchema,
  doneSchema,
  ipsecKeysSchema,
  logSchema,
  nameQuery,
  problems,
  routerStatusSchema,
  trafficHistorySchema,
  trafficRingSchema,
  trafficSchema,
} from './schemas.ts';

const connectionParameters = Type.Object({ name: Type.String({ minLength: 1, maxLength: MAX_NAME }) });

export function installRoutes(app: FastifyInstance, control: RouterControl, config: ConfigurationControl): void {
  takeText(app);

  app.get('/v1/status', { schema: { response: { 200: routerStatusSchema, ...problems } } }, () => control.status());

  app.get('/v1/limits', { schema: { response: { 200: limitsSchema, ...problems } } }, () => control.limits());

  installConfigurationRoutes(app, config);

  const command = { schema: { params: connectionParameters, response: { 200: doneSchema, ...problems } } };
  app.post<{ Params: { name: string } }>('/v1/connections/:name/connect', command, async (request, reply) => {
    const result = await control.connect(request.params.name, callerGone(reply));
    return result.ok ? reply.send({ ok: true }) : sendCommandFailure(reply, result);
  });
  app.post<{ Params: { name: string } }>('/v1/connections/:name/disconnect', command, async (request, reply) => {
    const result = await control.disconnect(request.params.name);
    return result.ok ? reply.send({ ok: true }) : sendCommandFailure(reply, result);
  });

  // By POST: it asks DNS servers, and nothing that reads ahead shall do that.
  app.post<{ Params: { name: string } }>(
    '/v1/connections/:name/diagnose',
    { schema: { params: connectionParameters, response: { 200: diagnosisSchema, ...problems } } },
    async (request, reply) => {
      const result = await control.diagnose(request.params.name);
      return result.ok ? reply.send(result.diagnosis) : sendCommandFailure(reply, result);
    },
  );

  // By POST, so that nothing that follows links or reads ahead gets them.
  app.post<{ Querystring: { name?: string } }>(
    '/v1/ipsec/keys',
    { schema: { querystring: nameQuery, response: { 200: ipsecKeysSchema, ...problems } } },
    (request, reply) => {
      const result = control.ipsecKeys(request.query.name);
      return result.ok ? reply.send({ keys: result.keys }) : sendCommandFailure(reply, result);
    },
  );

  app.get('/v1/traffic', { schema: { response: { 200: trafficSchema, ...problems } } }, () => ({
    totals: [...control.traffic()],
  }));
  app.get<{ Params: { name: string }; Querystring: { ring: TrafficRingName } }>(
    '/v1/traffic/:name',
    {
      schema: {
        params: connectionParameters,
        querystring: Type.Object({ ring: trafficRingSchema }),
        response: { 200: trafficHistorySchema, ...problems },
      },
    },
    (request, reply) => {
      const { name } = request.params;
      const history = control.trafficHistory(name, request.query.ring);
      if (history !== undefined) return reply.send(history);
      return sendCommandFailure(reply, {
        ok: false,
        reason: `no traffic of ${JSON.stringify(name)} is recorded`,
        notFound: control.traffic().map((one) => one.name),
      });
    },
  );

  // By POST, as the keys: whoever gets it sees the traffic.
  app.post<{ Params: { name: string }; Querystring: CaptureQuery }>(
    '/v1/capture/:name',
    { schema: { params: connectionParameters, querystring: captureQuery, response: problems } },
    (request, reply) => streamCapture(control, request.params.name, request.query, reply),
  );
  app.delete<{ Params: { id: number } }>(
    '/v1/captures/:id',
    {
      schema: {
        params: Type.Object({ id: Type.Integer({ minimum: 1 }) }),
        response: { 200: doneSchema, ...problems },
      },
    },
    (request, reply) => {
      if (control.stopCapture(request.params.id)) return reply.send({ ok: true });
      const detail = `there is no capture ${request.params.id} any more`;
      return sendProblem(reply, { status: 404, detail, remedy: 'nothing has to be done' });
    },
  );

  installReachRoutes(app, control);
  installMachineRoutes(app, control);

  app.get('/v1/log', { schema: { response: { 200: logSchema, ...problems } } }, () => ({ lines: control.log() }));

  const events = new EventStreams(control);
  app.get('/v1/events', (_request, reply) => events.open(reply));
}

/** Aborted when the caller closes the connection before it has its answer. */
function callerGone(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort();
  });
  return gone.signal;
}
