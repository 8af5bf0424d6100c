/** The routes of the control API below `/v1/config`. None of them hears of a client that goes away: what began is finished. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Static } from 'typebox';
import { takeObjects, takePatches } from './body-parsers.ts';
import type {
  CandidateResult,
  CommitRequest,
  CommitResult,
  ConfigurationControl,
  PreviewResult,
  RevisionReference,
} from './configuration-control.ts';
import {
  commitCandidate,
  commitConfiguration,
  compareConfigurations,
  confirmCommit,
  discardCandidate,
  factoryReset,
  getCandidate,
  getConfiguration,
  getConfigurationState,
  getHistory,
  makeBackup,
  patchCandidate,
  previewConfiguration,
  previewRestore,
  replaceCandidate,
  restoreBackup,
  revertCommit,
  rollbackConfiguration,
} from './configuration-operations.ts';
import type { authorQuery, backupBody, commitQuery, draftQuery, restoreBody } from './configuration-schemas.ts';
import { expectedDraft, type IfMatch, isCurrent, sendMalformedTags } from './entity-tags.ts';
import { BACKUP_LIMIT } from './limits.ts';
import { JSON_TYPE } from './media-types.ts';
import { noBody, sendCommandFailure, sendProblem, sendRefusal } from './problem.ts';
import type { CommandResult } from './router-control.ts';
import { RunningText } from './running-text.ts';

/** What a configuration is called whose file nobody named. */
const UNNAMED = 'the configuration';

const BACKUP = 'the backup';

type CommitQuery = Static<typeof commitQuery>;
type Author = Static<typeof authorQuery>;
type Draft = Static<typeof draftQuery>;
type Restore = Static<typeof restoreBody>;

export function installConfigurationRoutes(app: FastifyInstance, config: ConfigurationControl): void {
  installCommitRoutes(app, config);
  installHistoryRoutes(app, config);
  installCandidateRoutes(app, config);
  app.register(async (scope) => {
    takePatches(scope);
    installPatchRoute(scope, config);
  });
  app.register(async (scope) => {
    takeObjects(scope);
    installBackupRoutes(scope, config);
  });
}

function installCommitRoutes(app: FastifyInstance, config: ConfigurationControl): void {
  const running = new RunningText(config);
  app.get('/v1/config', { schema: getConfiguration }, (request, reply) => {
    const { text, etag } = running.now();
    if (isCurrent(request, reply, etag)) return reply.code(304).send();
    return reply.type(JSON_TYPE).send(text);
  });

  app.put<{ Querystring: CommitQuery & { name?: string }; Body: unknown }>(
    '/v1/config',
    { schema: commitConfiguration },
    async ({ body, query }, reply) => {
      if (typeof body !== 'string') return sendProblem(reply, noBody);
      const name = query.name ?? UNNAMED;
      return sendCommitted(reply, name, await config.commit(body, name, commitRequest(query)));
    },
  );

  app.post<{ Querystring: { name?: string }; Body: unknown }>(
    '/v1/config/preview',
    { schema: previewConfiguration },
    async ({ body, query }, reply) => {
      if (typeof body !== 'string') return sendProblem(reply, noBody);
      const name = query.name ?? UNNAMED;
      return sendDifference(reply, name, await config.preview(body, name));
    },
  );

  app.post<{ Querystring: Author }>('/v1/config/confirm', { schema: confirmCommit }, async ({ query }, reply) =>
    sendDone(reply, await config.confirm(author(query))),
  );
  app.post<{ Querystring: Author }>('/v1/config/revert', { schema: revertCommit }, async ({ query }, reply) =>
    sendDone(reply, await config.revert(author(query))),
  );
  app.post<{ Querystring: CommitQuery & { revision: number } }>(
    '/v1/config/rollback',
    { schema: rollbackConfiguration },
    async ({ query }, reply) => {
      const result = await config.rollback(query.revision, commitRequest(query));
      return sendCommitted(reply, `revision ${query.revision}`, result);
    },
  );
  app.post<{ Querystring: Author }>('/v1/config/factory-reset', { schema: factoryReset }, async ({ query }, reply) =>
    sendDone(reply, await config.factoryReset(author(query))),
  );
}

function installHistoryRoutes(app: FastifyInstance, config: ConfigurationControl): void {
  app.get('/v1/config/state', { schema: getConfigurationState }, () => config.state());

  app.get('/v1/config/history', { schema: getHistory }, () => config.history());

  app.get<{ Querystring: { from: string; to: string } }>(
    '/v1/config/compare',
    { schema: compareConfigurations },
    async ({ query: { from, to } }, reply) =>
      sendDifference(reply, 'one of the two', await config.compare(reference(from), reference(to))),
  );
}

function installCandidateRoutes(app: FastifyInstance, config: ConfigurationControl): void {
  app.get('/v1/config/candidate', { schema: getCandidate }, async (request, reply) => {
    const result = await config.candidate();
    const etag = result.ok ? result.candidate?.etag : undefined;
    if (etag !== undefined && isCurrent(request, reply, etag)) return reply.code(304).send();
    return sendCandidate(reply, result);
  });

  app.put<{ Querystring: Draft & { name?: string }; Body: unknown; Headers: IfMatch }>(
    '/v1/config/candidate',
    { schema: replaceCandidate },
    async ({ body, query, headers }, reply) => {
      if (typeof body !== 'string') return sendProblem(reply, noBody);
      const match = expectedDraft(headers);
      if (match === 'malformed') return sendMalformedTags(reply);
      const { name = UNNAMED, takeover = false } = query;
      return sendCandidate(reply, await config.editCandidate(body, name, author(query), takeover, match));
    },
  );

  app.delete<{ Querystring: Draft; Headers: IfMatch }>(
    '/v1/config/candidate',
    { schema: discardCandidate },
    async ({ query, headers }, reply) => {
      const match = expectedDraft(headers);
      if (match === 'malformed') return sendMalformedTags(reply);
      const result = await config.discardCandidate(author(query), query.takeover ?? false, match);
      return result.ok ? reply.send({ ok: true }) : sendCandidate(reply, result);
    },
  );

  app.post<{ Querystring: CommitQuery; Headers: IfMatch }>(
    '/v1/config/candidate/commit',
    { schema: commitCandidate },
    async ({ query, headers }, reply) => {
      const match = expectedDraft(headers);
      if (match === 'malformed') return sendMalformedTags(reply);
      return sendCommitted(reply, 'the candidate', await config.commitCandidate(commitRequest(query), match));
    },
  );
}

function installPatchRoute(scope: FastifyInstance, config: ConfigurationControl): void {
  scope.patch<{ Querystring: Draft; Body: unknown; Headers: IfMatch }>(
    '/v1/config/candidate',
    { schema: patchCandidate },
    async ({ body, query, headers }, reply) => {
      if (typeof body !== 'string') return sendProblem(reply, noBody);
      const match = expectedDraft(headers);
      if (match === 'malformed') return sendMalformedTags(reply);
      return sendCandidate(reply, await config.patchCandidate(body, author(query), query.takeover ?? false, match));
    },
  );
}

/** A passphrase stands in the body, never in an address, which logs and lists of processes show. */
function installBackupRoutes(scope: FastifyInstance, config: ConfigurationControl): void {
  scope.post<{ Body: Static<typeof backupBody> }>(
    '/v1/config/backup',
    { schema: makeBackup },
    async ({ body }, reply) => {
      const result = await config.backup(body.passphrase);
      return result.ok ? reply.send({ text: result.text }) : sendRefusal(reply, UNNAMED, result);
    },
  );

  scope.post<{ Body: Restore }>(
    '/v1/config/restore/preview',
    { bodyLimit: BACKUP_LIMIT, schema: previewRestore },
    async ({ body }, reply) => sendDifference(reply, BACKUP, await config.previewRestore(body.text, body.passphrase)),
  );

  scope.post<{ Querystring: CommitQuery; Body: Restore }>(
    '/v1/config/restore',
    { bodyLimit: BACKUP_LIMIT, schema: restoreBackup },
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
  if (result.ok) {
    const { candidate } = result;
    return candidate === undefined ? reply.send({}) : reply.header('etag', candidate.etag).send({ candidate });
  }
  const { reason: detail, remedy, owner, stale } = result;
  const status = stale === true ? 412 : 409;
  return sendProblem(reply, { status, detail, remedy, ...(owner !== undefined && { owner }) });
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
