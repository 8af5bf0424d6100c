/** The routes of the control API that are about configurations. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Static, type TSchema, Type } from 'typebox';
import { Value } from 'typebox/value';
import type {
  CommitResult,
  ConfigurationControl,
  PreviewResult,
  Refused,
  RevisionReference,
} from './configuration-control.ts';
import {
  authorQuery,
  backupBody,
  backupSchema,
  candidateSchema,
  commitFileQuery,
  commitQuery,
  committedSchema,
  compareQuery,
  configurationStateSchema,
  differenceSchema,
  fileQuery,
  historySchema,
  restoreBody,
  rollbackQuery,
  takeoverQuery,
} from './configuration-schemas.ts';
import { sendCommandFailure, sendProblem } from './problem.ts';
import type { CommandResult } from './router-control.ts';
import { doneSchema, problemSchema } from './schemas.ts';

/** Octets of a backup: a configuration of the largest size with its defaults, its secrets sealed. */
const BACKUP_LIMIT = 16 * 1024 * 1024;

const problems = { '4xx': problemSchema, '5xx': problemSchema };

type Query<Schema extends TSchema> = { Querystring: Static<Schema>; Body: unknown };

export function installConfigurationRoutes(app: FastifyInstance, config: ConfigurationControl): void {
  app.get('/v1/config', { schema: { response: { 200: Type.Unknown(), ...problems } } }, (_request, reply) =>
    reply.type('application/json').send(JSON.stringify(config.running())),
  );

  app.get('/v1/config/state', { schema: { response: { 200: configurationStateSchema, ...problems } } }, () =>
    config.state(),
  );

  app.get('/v1/config/history', { schema: { response: { 200: historySchema, ...problems } } }, () => config.history());

  const committing = (querystring: TSchema) => ({
    schema: { querystring, response: { 200: committedSchema, ...problems } },
  });
  const previewing = (querystring?: TSchema) => ({
    schema: { ...(querystring ? { querystring } : {}), response: { 200: differenceSchema, ...problems } },
  });
  const doing = (querystring: TSchema) => ({ schema: { querystring, response: { 200: doneSchema, ...problems } } });

  app.put<Query<typeof commitFileQuery>>('/v1/config', committing(commitFileQuery), async (request, reply) => {
    const { name = 'the configuration', ...commit } = request.query;
    const text = textOf(request, reply);
    return text === undefined ? reply : sendCommit(reply, name, await config.commit(text, name, commit));
  });

  app.post<Query<typeof fileQuery>>('/v1/config/preview', previewing(fileQuery), async (request, reply) => {
    const { name = 'the configuration' } = request.query;
    const text = textOf(request, reply);
    return text === undefined ? reply : sendPreview(reply, name, await config.preview(text, name));
  });

  app.post<Query<typeof authorQuery>>('/v1/config/confirm', doing(authorQuery), async (request, reply) =>
    sendDone(reply, await config.confirm(request.query)),
  );
  app.post<Query<typeof authorQuery>>('/v1/config/revert', doing(authorQuery), async (request, reply) =>
    sendDone(reply, await config.revert(request.query)),
  );

  app.post<Query<typeof rollbackQuery>>('/v1/config/rollback', committing(rollbackQuery), async (request, reply) => {
    const { revision, ...commit } = request.query;
    return sendCommit(reply, `revision ${revision}`, await config.rollback(revision, commit));
  });

  app.get<Query<typeof compareQuery>>('/v1/config/compare', previewing(compareQuery), async (request, reply) => {
    const [from, to] = [referenceOf(request.query.from), referenceOf(request.query.to)];
    return sendPreview(reply, `revision ${to}`, await config.compare(from, to));
  });

  installCandidateRoutes(app, config);

  // By POST, and the passphrase in the body: a URL ends up in logs.
  app.post(
    '/v1/config/backup',
    { schema: { response: { 200: backupSchema, ...problems } } },
    async (request, reply) => {
      const body = bodyOf(backupBody, request, reply);
      if (body === undefined) return reply;
      const backup = await config.backup(body.passphrase);
      return backup.ok ? reply.send({ text: backup.text }) : sendRefused(reply, 'the backup', backup);
    },
  );
  const large = { bodyLimit: BACKUP_LIMIT };
  app.post<Query<typeof commitQuery>>(
    '/v1/config/restore',
    { ...committing(commitQuery), ...large },
    async (request, reply) => {
      const body = bodyOf(restoreBody, request, reply);
      if (body === undefined) return reply;
      return sendCommit(reply, 'the backup', await config.restore(body.text, body.passphrase, request.query));
    },
  );
  app.post('/v1/config/restore/preview', { ...previewing(), ...large }, async (request, reply) => {
    const body = bodyOf(restoreBody, request, reply);
    if (body === undefined) return reply;
    return sendPreview(reply, 'the backup', await config.previewRestore(body.text, body.passphrase));
  });
  app.post<Query<typeof authorQuery>>('/v1/config/factory-reset', doing(authorQuery), async (request, reply) =>
    sendDone(reply, await config.factoryReset(request.query)),
  );
}

function installCandidateRoutes(app: FastifyInstance, config: ConfigurationControl): void {
  const answer = { response: { 200: candidateSchema, ...problems } };
  app.get('/v1/config/candidate', { schema: answer }, async (_request, reply) => {
    const found = await config.candidate();
    return found.ok ? reply.send(found) : sendCommandFailure(reply, found);
  });
  app.put<Query<typeof takeoverQuery>>(
    '/v1/config/candidate',
    { schema: { querystring: takeoverQuery, ...answer } },
    async (request, reply) => {
      const { name = 'the candidate', takeover, ...author } = request.query;
      const text = textOf(request, reply);
      if (text === undefined) return reply;
      const edited = await config.editCandidate(text, name, author, takeover);
      return edited.ok ? reply.send(edited) : sendCommandFailure(reply, edited);
    },
  );
  app.delete<Query<typeof takeoverQuery>>(
    '/v1/config/candidate',
    { schema: { querystring: takeoverQuery, response: { 200: doneSchema, ...problems } } },
    async (request, reply) => {
      const { takeover, who, via } = request.query;
      return sendDone(reply, await config.discardCandidate({ who, via }, takeover));
    },
  );
  app.post<Query<typeof commitQuery>>(
    '/v1/config/candidate/commit',
    { schema: { querystring: commitQuery, response: { 200: committedSchema, ...problems } } },
    async (request, reply) => sendCommit(reply, 'the candidate', await config.commitCandidate(request.query)),
  );
}

function sendCommit(reply: FastifyReply, what: string, result: CommitResult): FastifyReply {
  if (!result.ok) return sendRefused(reply, what, result);
  const { ok: _ok, ...committed } = result;
  return reply.send(committed);
}

function sendPreview(reply: FastifyReply, what: string, result: PreviewResult): FastifyReply {
  if (!result.ok) return sendRefused(reply, what, result);
  const { ok: _ok, ...difference } = result;
  return reply.send(difference);
}

/** 422 for a configuration that is wrong, 409 for a moment that is. */
function sendRefused(reply: FastifyReply, what: string, refused: Refused): FastifyReply {
  if ('reason' in refused) return sendCommandFailure(reply, refused);
  return sendProblem(reply, {
    status: 422,
    detail: `${what} is refused as a whole`,
    remedy: 'correct what is listed and try it again',
    problems: refused.problems,
  });
}

function sendDone(reply: FastifyReply, result: CommandResult): FastifyReply {
  return result.ok ? reply.send({ ok: true }) : sendCommandFailure(reply, result);
}

function referenceOf(text: string): RevisionReference {
  return text === 'running' || text === 'candidate' ? text : Number(text);
}

function textOf(request: FastifyRequest, reply: FastifyReply): string | undefined {
  if (typeof request.body === 'string') return request.body;
  sendProblem(reply, {
    status: 400,
    detail: 'the request has no configuration in it',
    remedy: 'send the configuration as the body',
  });
  return undefined;
}

/** A JSON body of this shape; the answer is given when it has another one. */
function bodyOf<Schema extends TSchema>(
  schema: Schema,
  request: FastifyRequest,
  reply: FastifyReply,
): Static<Schema> | undefined {
  try {
    const value: unknown = JSON.parse(String(request.body));
    if (Value.Check(schema, value)) return value;
  } catch {
    // The same answer: what is not JSON has no such shape.
  }
  const detail = 'the body of the request is not what is wanted here';
  sendProblem(reply, { status: 400, detail, remedy: 'use a client of the same version as the router' });
  return undefined;
}
