/** Errors of the control API as RFC 7807 problem details. */
import { STATUS_CODES } from 'node:http';
import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify';
import type { Logger } from '../log/logger.ts';
import type { CommandResult, Problem } from './router-control.ts';

/** Answers with a problem; `type` and `title` follow from the status. */
export function sendProblem(reply: FastifyReply, problem: Omit<Problem, 'type' | 'title'>): FastifyReply {
  return reply
    .code(problem.status)
    .type('application/problem+json')
    .send({ type: 'about:blank', title: STATUS_CODES[problem.status] ?? 'Error', ...problem });
}

/** Answers for a command that failed: 404 when there is no such connection, else 409, the state it is in. */
export function sendCommandFailure(reply: FastifyReply, failure: CommandResult & { readonly ok: false }): FastifyReply {
  return sendProblem(reply, {
    status: failure.notFound === undefined ? 409 : 404,
    detail: failure.reason,
    ...(failure.remedy !== undefined && { remedy: failure.remedy }),
    ...(failure.step !== undefined && { step: failure.step }),
    ...(failure.notFound !== undefined && { names: failure.notFound }),
  });
}

/** Problems for everything that Fastify itself refuses, and for what throws inside a route. */
export function installProblems(app: FastifyInstance, logger: Logger): void {
  app.setNotFoundHandler((request, reply) =>
    sendProblem(reply, {
      status: 404,
      detail: `the control API has no ${request.method} ${request.url.slice(0, 100)}`,
      remedy: 'use a client of the same version as the router',
    }),
  );
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status < 500) return sendProblem(reply, { status, detail: refusal(error), ...refusalRemedy(error) });
    logger.error({ err: error, method: request.method, url: request.url }, 'a request to the control API failed');
    // The message of an unexpected error may hold anything: it belongs into the log, behind the secret filter.
    return sendProblem(reply, {
      status: 500,
      detail: 'the router failed unexpectedly while it handled the request',
      remedy: 'look at "culvert show log" for the cause and report it',
    });
  });
}

function refusal(error: FastifyError): string {
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return 'the configuration is larger than 1 MiB';
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return 'the configuration has to come as text/plain or application/json';
    default:
      return error.message;
  }
}

function refusalRemedy(error: FastifyError): { readonly remedy?: string } {
  return error.code === 'FST_ERR_CTP_BODY_TOO_LARGE' ? { remedy: 'check that it is the right file' } : {};
}
