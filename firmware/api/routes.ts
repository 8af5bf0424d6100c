/** The routes of the control API. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Clock } from '../../hal/clock.ts';
import { LinuxClock } from '../../hal/linux/clock.ts';
import { installBoardRoutes } from './board-routes.ts';
import { takeText } from './body-parsers.ts';
import type { CaptureQuery } from './capture-query.ts';
import { streamCapture } from './capture-stream.ts';
import type { ConfigurationControl } from './configuration-control.ts';
import { installConfigurationRoutes } from './configuration-routes.ts';
import { EventStreams, topicsOf } from './event-stream.ts';
import { installMachineRoutes } from './machine-routes.ts';
import { serveOpenApi } from './openapi-route.ts';
import { sendCommandFailure, sendProblem } from './problem.ts';
import { installReachRoutes } from './reach-stream.ts';
import type { RouterControl, TrafficRingName } from './router-control.ts';
import {
  connectConnection,
  diagnoseConnection,
  disconnectConnection,
  getEvents,
  getIpsecKeys,
  getLimits,
  getLog,
  getOpenApi,
  getStatus,
  getTraffic,
  getTrafficHistory,
  startCapture,
  stopCapture,
} from './router-operations.ts';

export function installRoutes(
  app: FastifyInstance,
  control: RouterControl,
  config: ConfigurationControl,
  clock: Clock = new LinuxClock(),
): void {
  takeText(app);

  app.get('/v1/openapi.json', { schema: getOpenApi }, serveOpenApi);

  app.get('/v1/status', { schema: getStatus }, () => control.status());

  app.get('/v1/limits', { schema: getLimits }, () => control.limits());

  installConfigurationRoutes(app, config);

  app.post<{ Params: { name: string } }>(
    '/v1/connections/:name/connect',
    { schema: connectConnection },
    async (request, reply) => {
      const result = await control.connect(request.params.name, callerGone(reply));
      return result.ok ? reply.send({ ok: true }) : sendCommandFailure(reply, result);
    },
  );
  app.post<{ Params: { name: string } }>(
    '/v1/connections/:name/disconnect',
    { schema: disconnectConnection },
    async (request, reply) => {
      const result = await control.disconnect(request.params.name);
      return result.ok ? reply.send({ ok: true }) : sendCommandFailure(reply, result);
    },
  );

  // By POST: it asks DNS servers, and nothing that reads ahead shall do that.
  app.post<{ Params: { name: string } }>(
    '/v1/connections/:name/diagnose',
    { schema: diagnoseConnection },
    async (request, reply) => {
      const result = await control.diagnose(request.params.name);
      return result.ok ? reply.send(result.diagnosis) : sendCommandFailure(reply, result);
    },
  );

  // By POST, so that nothing that follows links or reads ahead gets them.
  app.post<{ Querystring: { name?: string } }>('/v1/ipsec/keys', { schema: getIpsecKeys }, (request, reply) => {
    const result = control.ipsecKeys(request.query.name);
    return result.ok ? reply.send({ keys: result.keys }) : sendCommandFailure(reply, result);
  });

  app.get('/v1/traffic', { schema: getTraffic }, () => ({ totals: [...control.traffic()] }));
  app.get<{ Params: { name: string }; Querystring: { ring: TrafficRingName } }>(
    '/v1/traffic/:name',
    { schema: getTrafficHistory },
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
    { schema: startCapture },
    (request, reply) => streamCapture(control, request.params.name, request.query, reply),
  );
  app.delete<{ Params: { id: number } }>('/v1/captures/:id', { schema: stopCapture }, (request, reply) => {
    if (control.stopCapture(request.params.id)) return reply.send({ ok: true });
    const detail = `there is no capture ${request.params.id} any more`;
    return sendProblem(reply, { status: 404, detail, remedy: 'nothing has to be done' });
  });

  app.get('/v1/log', { schema: getLog }, () => ({ lines: control.log() }));

  const events = new EventStreams(control, clock);
  app.addHook('onClose', async () => events.close());
  app.get<{ Querystring: { topics?: string }; Headers: { 'last-event-id'?: string } }>(
    '/v1/events',
    { schema: getEvents },
    ({ query, headers }, reply) => {
      const lastEventId = headers['last-event-id'];
      return events.open(reply, { topics: topicsOf(query.topics), ...(lastEventId !== undefined && { lastEventId }) });
    },
  );

  installReachRoutes(app, control);
  installMachineRoutes(app, control);
  installBoardRoutes(app, control);
}

/** Aborted when the caller closes the connection before it has its answer. */
function callerGone(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort();
  });
  return gone.signal;
}
