/** The routes of accounts: what the local administrator and the administrators over `web.sock` have in common. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Static } from 'typebox';
import type { AccountAdministration, AccountRefusal } from './account-administration.ts';
import {
  beginUserTotp,
  confirmUserTotp,
  createUserToken,
  endSession,
  getAudit,
  listSessions,
  listTokens,
  revokeToken,
} from './account-operations.ts';
import type { auditQuery, codeBody, tokenBody } from './account-schemas.ts';
import type { Identities } from './authorisation.ts';
import { takeObjects } from './body-parsers.ts';
import type { authorQuery } from './configuration-schemas.ts';
import { sendProblem } from './problem.ts';

/** @param identities of `web.sock`; absent: the local administrator asks, and sees all tokens. */
export function installAccountRoutes(
  app: FastifyInstance,
  accounts: AccountAdministration,
  identities?: Identities,
): void {
  app.get('/v1/sessions', { schema: listSessions }, () => ({ sessions: [...accounts.sessions()] }));

  app.delete<{ Params: { id: string } }>('/v1/sessions/:id', { schema: endSession }, async ({ params }, reply) =>
    (await accounts.endSession(params.id)) ? reply.send({ ok: true }) : sendGone(reply, 'session', params.id),
  );

  app.get('/v1/tokens', { schema: listTokens }, (request) => ({
    tokens: [...accounts.tokens(ownerOf(identities?.of(request)))],
  }));

  app.delete<{ Params: { id: string } }>('/v1/tokens/:id', { schema: revokeToken }, async (request, reply) => {
    const { id } = request.params;
    const revoked = await accounts.revokeToken(id, ownerOf(identities?.of(request)));
    return revoked ? reply.send({ ok: true }) : sendGone(reply, 'token', id);
  });

  app.get<{ Querystring: Static<typeof auditQuery> }>('/v1/audit', { schema: getAudit }, async ({ query }) => ({
    entries: [...(await accounts.audit(query.count))],
  }));
}

/** What the local administrator alone may ask. */
export function installLocalAccountRoutes(app: FastifyInstance, accounts: AccountAdministration): void {
  installAccountRoutes(app, accounts);
  app.register(async (scope) => {
    takeObjects(scope);
    installLocalTotp(scope, accounts);
    scope.post<{ Params: { user: string }; Body: Static<typeof tokenBody> }>(
      '/v1/users/:user/tokens',
      { schema: createUserToken },
      async ({ params: { user }, body: { name, role, days } }, reply) => {
        const made = await accounts.createToken({ user, name, role, days });
        return made.ok ? reply.send({ token: made.token, info: made.info }) : sendAccountRefusal(reply, made);
      },
    );
  });
}

/** A second factor is set up on the router, by whoever stands there with the app. */
function installLocalTotp(scope: FastifyInstance, accounts: AccountAdministration): void {
  scope.post<{ Params: { user: string } }>(
    '/v1/users/:user/totp',
    { schema: beginUserTotp },
    async ({ params }, reply) => {
      const begun = accounts.beginTotpFor(params.user);
      return begun.ok ? reply.send({ secret: begun.secret, uri: begun.uri }) : sendAccountRefusal(reply, begun);
    },
  );
  scope.post<{ Params: { user: string }; Querystring: Static<typeof authorQuery>; Body: Static<typeof codeBody> }>(
    '/v1/users/:user/totp/confirm',
    { schema: confirmUserTotp },
    async ({ params, query: { who, via }, body }, reply) => {
      const done = await accounts.confirmTotpFor(params.user, body.code, { who, via });
      return done.ok ? reply.send({ ok: true }) : sendAccountRefusal(reply, done);
    },
  );
}

/** 429 where it is only too early, else 409. */
export function sendAccountRefusal(reply: FastifyReply, refusal: AccountRefusal): FastifyReply {
  const { reason: detail, remedy, retryAfterSeconds } = refusal;
  if (retryAfterSeconds === undefined) return sendProblem(reply, { status: 409, detail, remedy });
  reply.header('retry-after', String(retryAfterSeconds));
  return sendProblem(reply, { status: 429, detail, remedy, retryAfterSeconds });
}

/** An administrator has to do with everybody's. */
function ownerOf(identity: { readonly user: string; readonly role: string } | undefined): string | undefined {
  return identity === undefined || identity.role === 'admin' ? undefined : identity.user;
}

function sendGone(reply: FastifyReply, what: string, id: string): FastifyReply {
  return sendProblem(reply, { status: 404, detail: `there is no ${what} ${id}`, remedy: 'look at the list again' });
}
