/** The end of the firmware or of the machine, by the control API. */
import type { FastifyInstance } from 'fastify';
import type { Static } from 'typebox';
import type { authorQuery } from './configuration-schemas.ts';
import { endMachine, keepMachine, type machineParameters, type machineQuery } from './machine-operations.ts';
import { sendCommandFailure } from './problem.ts';
import type { RouterControl } from './router-control.ts';

export function installMachineRoutes(app: FastifyInstance, control: RouterControl): void {
  app.post<{ Params: Static<typeof machineParameters>; Querystring: Static<typeof machineQuery> }>(
    '/v1/machine/:action',
    { schema: endMachine },
    async ({ params: { action }, query }, reply) => {
      const { who, via, minutes = 0, yes = false } = query;
      const result = await control.machine({ action, author: { who, via }, minutes, evenPending: yes });
      return result.ok ? reply.send({ ok: true }) : sendCommandFailure(reply, result);
    },
  );
  app.delete<{ Querystring: Static<typeof authorQuery> }>(
    '/v1/machine',
    { schema: keepMachine },
    async ({ query: { who, via } }, reply) => {
      const result = control.cancelMachine({ who, via });
      return result.ok ? reply.send({ ok: true }) : sendCommandFailure(reply, result);
    },
  );
}
