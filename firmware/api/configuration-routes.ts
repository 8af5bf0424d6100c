/** The routes of the control API below `/v1/config`. None of them hears of a client that goes away: what began is finished. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import { type Static, type TSchema, Type } from 'typebox';
import { takeObjects } from './body-parsers.ts';
import type {
  CandidateResult,
  CommitRequest,
  CommitResult,
  ConfigurationControl,
  PreviewResult,
  RevisionReference,
} from './configuration-control.ts';
import {
  authorQuery,
  backupBody,
  backupSchema,
  candidateAnswerSchema,
  commitQuery,
  committedSchema,
  compareQuery,
  configurationStateSchema,
  differenceSchema,
  draftQuery,
  historySchema,
  restoreBody,
  rollbackQuery,
} from './configuration-schemas.ts';
import { BACKUP_LIMIT } from './limits.ts';
import { noBody, sendCommandFailure, sendProblem, sendRefusal } from './problem.ts';
import type { CommandResult } from './router-control.ts';
import { doneSchema, nameQuery, problems } from './schemas.ts';

/** What a configuration is called whose file nobody named. */
const UNNAMED = 'the configuration';

const BACKUP = 'the backup';

const commitNamedQuery = Type.Object({ ...commitQuery.properties, ...nameQuery.properties });
const draftNamedQuery = Type.Object({ ...draftQuery.properties, ...nameQuery.properties });

type CommitQuery = Static<typeof commitQuery>;
type Author = Static<typeof authorQuery>;
type Draft = Static<typeof draftQuery>;
type Restore = Static<typeof restoreBody>;

const answers = (schema: TSchema) => ({ response: { 200: schema, ...problems } });
const committing = (querystring: TSchema) => ({ schema: { querystring, ...answers(committedSchema) } });
const commanding = (querystring: TSchema) => ({ schema: { querystring, ...answers(doneSchema) } });

export function installConfigurationRoutes(app: FastifyInstance, config: ConfigurationControl): void {
  installCommitRoutes(app, config);
  installHistoryRoutes(app, config);
  installCandidateRoutes(app, config);
  app.register(async (scope) => {
    takeObjects(scope);
    installBackupRoutes(scope, config);
  });
}

function installCommitRoutes(app: FastifyInstance, config: ConfigurationControl): void {
  app.get('/v1/config', { schema: answers(Type.Unknown()) }, (_request, reply) =>
    reply.type('application/json').send(JSON.stringify(config.running() ?? null)),
  );

  app.put<{ Querystring: CommitQuery & { name?: string }; Body: unknown }>(
    '/v1/config',
    committing(commitNamedQuery),
    async ({ body, query }, reply) => {
      if (typeof body !== 'string') return sendProblem(reply, noBody);
      const name = query.name ?? UNNAMED;
      return sendCommitted(reply, name, await config.commit(body, name, commitRequest(query)));
    },
  );

  app.post<{ Querystring: { name?: string }; Body: unknown }>(
    '/v1/config/preview',
    { schema: { querystring: nameQuery, ...answers(differenceSchema) } },
    async ({ body, query }, reply) => {
      if (typeof body !== 'string') return sendProblem(reply, noBody);
      const name = query.name ?? UNNAMED;
      return sendDifference(reply, name, await config.preview(body, name));
    },
  );

  app.post<{ Querystring: Author }>('/v1/config/confirm', commanding(authorQuery), async ({ query }, reply) =>
    sendDone(reply, await config.confirm(author(query))),
  );
  app.post<{ Querystring: Author }>('/v1/config/revert', commanding(authorQuery), async ({ query }, reply) =>
    sendDone(reply, await config.revert(author(query))),
  );
  app.post<{ Querystring: CommitQuery & { revision: number } }>(
    '/v1/config/rollback',
    committing(rollbackQuery),
    async ({ query }, reply) => {
      const result = await config.rollback(query.revision, commitRequest(query));
      return sendCommitted(reply, `revision ${query.revision}`, result);
    },
  );
  app.post<{ Querystring: Author }>('/v1/config/factory-reset', commanding(authorQuery), async ({ query }, reply) =>
    sendDone(reply, await config.factoryReset(author(query))),
  );
}

function installHistoryRoutes(app: FastifyInstance, config: ConfigurationControl): void {
  app.get('/v1/config/state', { schema: answers(configurationStateSchema) }, () => config.state());

  app.get('/v1/config/history', { schema: answers(historySchema) }, () => config.history());

  app.get<{ Querystring: { from: string; to: string } }>(
    '/v1/config/compare',
    { schema: { querystring: compareQuery, ...answers(differenceSchema) } },
    async ({ query: { from, to } }, reply) =>
      sendDifference(reply, 'one of the two', await config.compare(reference(from), reference(to))),
  );
}

function installCandidateRoutes(app: FastifyInstance, config: ConfigurationControl): void {
  app.get('/v1/config/candidate', { schema: answers(candidateAnswerSchema) }, async (_request, reply) =>
    sendCandidate(reply, await config.candidate()),
  );

  app.put<{ Querystring: Draft & { name?: string }; Body: unknown }>(
    '/v1/config/candidate',
    { schema: { querystring: draftNamedQuery, ...answers(candidateAnswerSchema) } },
    async ({ body, query }, reply) => {
      if (typeof body !== 'string') return sendProblem(reply, noBody);
      const { name = UNNAMED, takeover = false } = query;
      return sendCandidate(reply, await config.editCandidate(body, name, author(query), takeover));
    },
  );

  app.delete<{ Querystring: Draft }>('/v1/config/candidate', commanding(draftQuery), async ({ query }, reply) =>
    sendDone(reply, await config.discardCandidate(author(query), query.takeover ?? false)),
  );

  app.post<{ Querystring: CommitQuery }>(
    '/v1/config/candidate/commit',
    committing(commitQuery),
    async ({ query }, reply) =>
      sendCommitted(reply, 'the candidate', await config.commitCandidate(commitRequest(query))),
  );
}

/** A passphrase stands in the body, never in an address, which logs and lists of processes show. */
function installBackupRoutes(scope: FastifyInstance, config: ConfigurationControl): void {
  scope.post<{ Body: Static<typeof backupBody> }>(
    '/v1/config/backup',
    { schema: { body: backupBody, ...answers(backupSchema) } },
    async ({ body }, reply) => {
      const result = await config.backup(body.passphrase);
      return result.ok ? reply.send({ text: result.text }) : sendRefusal(reply, UNNAMED, result);
    },
  );

  scope.post<{ Body: Restore }>(
    '/v1/config/restore/preview',
    { bodyLimit: BACKUP_LIMIT, schema: { body: restoreBody, ...answers(differenceSchema) } },
    async ({ body }, reply) => sendDifference(reply, BACKUP, await config.previewRestore(body.text, body.passphrase)),
  );

  scope.post<{ Querystring: CommitQuery; Body: Restore }>(
    '/v1/config/restore',
    {
      bodyLimit: BACKUP_LIMIT,
      schema: { querystring: commitQuery, body: restoreBody, ...answers(committedSchema) },
    },
    async ({ body, query }, reply) => {
      const result = await config.restore(body.text, body.passphrase, commitRequest(query));
      return sendCommitted(reply, BACKUP, result);
    },
  );
}

function sendCommitted(reply: FastifyReply, name: string, result: CommitResult): FastifyReply {
  return result.ok ? reply.send(result) : sendRefusal(reply, name, result);
}

function sendDifference(reply: FastifyReply, name: string, result: PreviewResult): FastifyReply {
  return result.ok ? reply.send(result) : sendRefusal(reply, name, result);
}

function sendDone(reply: FastifyReply, result: CommandResult): FastifyReply {
  return result.ok ? reply.send({ ok: true }) : sendCommandFailure(reply, result);
}

function sendCandidate(reply: FastifyReply, result: CandidateResult): FastifyReply {
  if (result.ok) return reply.send(result.candidate === undefined ? {} : { candidate: result.candidate });
  const { reason: detail, remedy, owner } = result;
  return sendProblem(reply, { status: 409, detail, remedy, ...(owner !== undefined && { owner }) });
}

/** The members of a query that the configuration control knows, and no others. */
function commitRequest({ who, via, comment = '', confirmWithin, check, base }: CommitQuery): CommitRequest {
  return {
    who,
    via,
    comment,
    ...(confirmWithin !== undefined && { confirmWithin }),
    ...(check !== undefined && { check }),
    ...(base !== undefined && { base }),
  };
}

function author({ who, via }: Author): Author {
  return { who, via };
}

function reference(text: string): RevisionReference {
  return text === 'running' || text === 'candidate' ? text : Number(text);
}
