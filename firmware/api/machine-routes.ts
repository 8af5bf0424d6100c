/** The end of the firmware or of the machine, by the control API. */
import type { FastifyInstance } from 'fastify';
import { type Static, Type } from 'typebox';
import { authorQuery } from './configuration-schemas.ts';
import { MOST_MINUTES } from './limits.ts';
import { sendCommandFailure } from './problem.ts';
import type { RouterControl } from './router-control.ts';
import { doneSchema, problems } from './schemas.ts';

const params = Type.Object({ action: Type.Enum(['restart', 'reboot', 'poweroff']) });

const machineQuery = Type.Object({
  ...authorQuery.properties,
  minutes: Type.Optional(
    Type.Integer({ minimum: 0, maximum: MOST_MINUTES, description: 'Until then; without it at once.' }),
  ),
  yes: Type.Optional(
    Type.Boolean({ description: 'Also while a configuration waits for its confirmation, which is taken back by it.' }),
  ),
});

export function installMachineRoutes(app: FastifyInstance, control: RouterControl): void {
  const response = { 200: doneSchema, ...problems };
  app.post<{ Params: Static<typeof params>; Querystring: Static<typeof machineQuery> }>(
    '/v1/machine/:action',
    { schema: { params, querystring: machineQuery, response } },
    async ({ params: { action }, query }, reply) => {
      const { who, via, minutes = 0, yes = false } = query;
      const result = await control.machine({ action, author: { who, via }, minutes, evenPending: yes });
      return result.ok ? reply.send({ ok: true }) : sendCommandFailure(reply, result);
    },
  );
  app.delete<{ Querystring: Static<typeof authorQuery> }>(
    '/v1/machine',
    { schema: { querystring: authorQuery, response } },
    async ({ query: { who, via } }, reply) => {
      const result = control.cancelMachine({ who, via });
      return result.ok ? reply.send({ ok: true }) : sendCommandFailure(reply, result);
    },
  );
}
