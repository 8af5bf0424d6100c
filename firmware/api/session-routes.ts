/** The routes of `web.sock` for whoever logs in, about themselves. Secrets stand in bodies, never in addresses. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Static } from 'typebox';
import { isIpAddress } from '../protocol/ip-address.ts';
import type { AccountAdministration } from './account-administration.ts';
import type { LoginResult } from './account-control.ts';
import {
  beginOwnTotp,
  changeOwnPassword,
  confirmOwnTotp,
  createOwnToken,
  endOwnTotp,
  getOwnSession,
  logIn,
  logOut,
} from './account-operations.ts';
import { sendAccountRefusal } from './account-routes.ts';
import type { codeBody, loginBody, ownTokenBody, passwordBody, passwordOnlyBody } from './account-schemas.ts';
import { bearerToken, type Identities } from './authorisation.ts';
import { takeObjects } from './body-parsers.ts';
import { sendProblem } from './problem.ts';

/** Octets of a body from somebody who has not logged in yet: name and password in JSON, and room to spare. */
const LOGIN_LIMIT = 4096;

/** `from` where the web process does not say whence the request came. */
const SOMEWHERE = 'web';

export function installSessionRoutes(
  app: FastifyInstance,
  accounts: AccountAdministration,
  identities: Identities,
): void {
  app.get('/v1/sessions/current', { schema: getOwnSession }, (request) => {
    const { user, role, kind, mustChangePassword } = identities.of(request);
    return { user, role, kind, mustChangePassword };
  });

  app.delete('/v1/sessions/current', { schema: logOut }, async (request) => {
    await accounts.logout(bearerToken(request) ?? '');
    return { ok: true as const };
  });

  app.register(async (scope) => {
    takeObjects(scope);
    installLogin(scope, accounts);
    installOwnSecrets(scope, accounts, identities);
  });
}

function installLogin(scope: FastifyInstance, accounts: AccountAdministration): void {
  scope.post<{ Body: Static<typeof loginBody> }>(
    '/v1/sessions',
    { bodyLimit: LOGIN_LIMIT, schema: logIn },
    async ({ body: { user, password, code, address } }, reply) => {
      if (address !== undefined && !isIpAddress(address))
        return sendProblem(reply, { status: 400, detail: 'the address is no IP address', remedy: 'leave it out' });
      const from = address ?? SOMEWHERE;
      return sendLogin(reply, await accounts.login({ user, password, from, ...(code !== undefined && { code }) }));
    },
  );
}

function sendLogin(reply: FastifyReply, result: LoginResult): FastifyReply {
  reply.header('cache-control', 'no-store');
  if (result.ok) {
    const { token, user, role, mustChangePassword } = result.session;
    return reply.send({ token, user, role, mustChangePassword });
  }
  if ('needs' in result) {
    const detail = 'the password is right, and a code of the second factor is asked for';
    return sendProblem(reply, { status: 401, detail, remedy: 'send it as "code", with the password', needs: 'code' });
  }
  const { reason: detail, retryAfterSeconds } = result;
  if (retryAfterSeconds === undefined) return sendProblem(reply, { status: 401, detail });
  reply.header('retry-after', String(retryAfterSeconds));
  return sendProblem(reply, { status: 429, detail, retryAfterSeconds });
}

function installOwnSecrets(scope: FastifyInstance, accounts: AccountAdministration, identities: Identities): void {
  scope.post<{ Body: Static<typeof passwordBody> }>(
    '/v1/password',
    { schema: changeOwnPassword },
    async (request, reply) => {
      const { current, next } = request.body;
      const words = await accounts.changePassword(bearerToken(request) ?? '', current, next);
      return words === undefined ? reply.send({ ok: true }) : sendProblem(reply, { status: 409, detail: words });
    },
  );

  scope.post<{ Body: Static<typeof ownTokenBody> }>(
    '/v1/tokens',
    { schema: createOwnToken },
    async (request, reply) => {
      const { password, name, role, days } = request.body;
      const { user, from } = identities.of(request);
      const made = await accounts.createToken({ user, name, role, days }, { password, from });
      reply.header('cache-control', 'no-store');
      return made.ok ? reply.send({ token: made.token, info: made.info }) : sendAccountRefusal(reply, made);
    },
  );

  scope.post<{ Body: Static<typeof passwordOnlyBody> }>(
    '/v1/totp',
    { schema: beginOwnTotp },
    async (request, reply) => {
      const begun = await accounts.beginTotp(bearerToken(request) ?? '', request.body.password);
      reply.header('cache-control', 'no-store');
      return begun.ok ? reply.send({ secret: begun.secret, uri: begun.uri }) : sendAccountRefusal(reply, begun);
    },
  );

  scope.post<{ Body: Static<typeof codeBody> }>(
    '/v1/totp/confirm',
    { schema: confirmOwnTotp },
    async (request, reply) => {
      const done = await accounts.confirmTotp(bearerToken(request) ?? '', request.body.code);
      return done.ok ? reply.send({ ok: true }) : sendAccountRefusal(reply, done);
    },
  );

  scope.post<{ Body: Static<typeof passwordOnlyBody> }>(
    '/v1/totp/end',
    { schema: endOwnTotp },
    async (request, reply) => {
      const done = await accounts.endTotp(bearerToken(request) ?? '', request.body.password);
      return done.ok ? reply.send({ ok: true }) : sendAccountRefusal(reply, done);
    },
  );
}
