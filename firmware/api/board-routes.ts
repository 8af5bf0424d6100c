/** The board, by the control API. */
import type { FastifyInstance } from 'fastify';
import type { Static } from 'typebox';
import { getBoard, identifyBoard, type identifyQuery } from './board-operations.ts';
import { sendCommandFailure } from './problem.ts';
import type { RouterControl } from './router-control.ts';

export function installBoardRoutes(app: FastifyInstance, control: RouterControl): void {
  app.get('/v1/board', { schema: getBoard }, () => control.board());
  app.post<{ Querystring: Static<typeof identifyQuery> }>(
    '/v1/board/identify',
    { schema: identifyBoard },
    (request, reply) => {
      const result = control.identify(request.query.seconds);
      return result.ok ? reply.send({ ok: true }) : sendCommandFailure(reply, result);
    },
  );
}
