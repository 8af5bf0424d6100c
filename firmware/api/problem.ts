/** Errors of the control API as RFC 7807 problem details. */
import { STATUS_CODES } from 'node:http';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from '../log/logger.ts';
import type { Refused } from './configuration-control.ts';
import { MERGE_PATCH_TYPE, PROBLEM_TYPE } from './media-types.ts';
import type { CommandResult, Problem } from './router-control.ts';

export const noBody = {
  status: 400,
  detail: 'the request has no configuration in it',
  remedy: 'send the configuration as the body',
} as const;

/** Answers with a problem; `type` and `title` follow from the status. */
export function sendProblem(reply: FastifyReply, problem: Omit<Problem, 'type' | 'title'>): FastifyReply {
  return reply
    .code(problem.status)
    .type(PROBLEM_TYPE)
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

/** Answers for a configuration that did not come into force: 422 with its errors, 412, another draft, or 409, the state things are in. */
export function sendRefusal(reply: FastifyReply, name: string, refusal: Refused): FastifyReply {
  if ('reason' in refusal) {
    const { reason: detail, remedy, stale } = refusal;
    return sendProblem(reply, { status: stale === true ? 412 : 409, detail, remedy });
  }
  return sendProblem(reply, {
    status: 422,
    detail: `${name} is refused as a whole`,
    remedy: 'correct what is listed and apply it again',
    problems: refusal.problems,
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
    if (status < 500) return sendProblem(reply, { status, ...refusal(error, request) });
    logger.error({ err: error, method: request.method, url: request.url }, 'a request to the control API failed');
    // The message of an unexpected error may hold anything: it belongs into the log, behind the secret filter.
    return sendProblem(reply, {
      status: 500,
      detail: 'the router failed unexpectedly while it handled the request',
      remedy: 'look at "culvert show log" for the cause and report it',
    });
  });
}

/** Where the first fault is: the part of the request, and names of members. No value is in it. */
function invalidPath({ validation, validationContext }: FastifyError): string {
  const [first] = validation ?? [];
  const members = first?.instancePath.split('/').filter((part) => part !== '') ?? [];
  const missing = first?.params['missingProperty'];
  return [validationContext ?? 'request', ...members, ...(typeof missing === 'string' ? [missing] : [])].join('.');
}

function refusal(error: FastifyError, request: FastifyRequest): Pick<Problem, 'detail' | 'remedy' | 'path'> {
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE': {
      const mebibytes = Math.floor(request.routeOptions.bodyLimit / (1024 * 1024));
      return { detail: `what was sent is larger than ${mebibytes} MiB`, remedy: 'check that it is the right file' };
    }
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return request.method === 'PATCH'
        ? { detail: `a patch has to come as ${MERGE_PATCH_TYPE}`, remedy: 'name that as its content type' }
        : {
            detail: 'the body has to come as text/plain or application/json',
            remedy: 'name one of the two as its content type',
          };
    case 'FST_ERR_VALIDATION': {
      const path = invalidPath(error);
      const remedy = `correct ${path}: GET /v1/openapi.json says what may stand there`;
      return { detail: error.message, remedy, path };
    }
    default:
      return { detail: error.message };
  }
}
