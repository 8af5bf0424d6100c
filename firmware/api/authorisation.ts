/** Every request to `web.sock` has to prove who sends it; what it may do follows from {@link ./access.ts}. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { accessOf, allowedBeforeChange, isLasting, may, needsSession, routeName } from './access.ts';
import type { AccountAdministration, Identity } from './account-administration.ts';
import { sendProblem } from './problem.ts';

/** Characters of an Authorization header that are looked at. */
const MAX_HEADER = 256;

/** Who sends the requests that are being answered. */
export class Identities {
  readonly #identities = new WeakMap<FastifyRequest, Identity>();
  readonly #accounts: AccountAdministration;

  constructor(accounts: AccountAdministration) {
    this.#accounts = accounts;
  }

  /** `undefined` for a request that was refused, and for a login. */
  find(request: FastifyRequest): Identity | undefined {
    return this.#identities.get(request);
  }

  /** Of a route that is not open. */
  of(request: FastifyRequest): Identity {
    const identity = this.find(request);
    if (identity === undefined) throw new Error('A request was let through without an identity.');
    return identity;
  }

  /** Before any body is read. To be installed before the routes. */
  install(app: FastifyInstance): void {
    app.addHook('onRequest', async (request, reply) => this.#judge(request, reply));
    // What a client says of who it is counts for nothing here.
    app.addHook('preValidation', async (request) => {
      const identity = this.find(request);
      if (identity === undefined || !takesAuthor(request)) return;
      Object.assign(request.query as object, { who: identity.user, via: identity.via });
    });
  }

  #judge(request: FastifyRequest, reply: FastifyReply): FastifyReply | undefined {
    const { url } = request.routeOptions;
    const route = url === undefined ? undefined : routeName(request.method, url);
    if (route !== undefined && accessOf(route) === 'open') return undefined;
    const token = bearerToken(request);
    const identity = token === undefined ? undefined : this.#accounts.authenticate(token);
    if (identity === undefined) return refuseStranger(reply, token !== undefined);
    // Nothing is there: that may be told to whoever has logged in.
    if (route === undefined) return undefined;
    const refusal = refusalOf(identity, route);
    this.#identities.set(request, identity);
    if (refusal !== undefined) return sendProblem(reply, { status: 403, ...refusal });
    if (isLasting(route)) {
      const cancel = this.#accounts.onEnd(identity, () => reply.raw.destroy());
      reply.raw.once('close', cancel);
    }
    return undefined;
  }
}

/** What the Authorization header has, by the scheme Bearer (RFC 6750 section 2.1). */
export function bearerToken(request: FastifyRequest): string | undefined {
  const header = request.headers.authorization;
  if (header === undefined || header.length > MAX_HEADER) return undefined;
  return /^Bearer +([A-Za-z0-9_-]+)$/i.exec(header)?.[1];
}

function refuseStranger(reply: FastifyReply, known: boolean): FastifyReply {
  reply.header('www-authenticate', 'Bearer');
  return known
    ? sendProblem(reply, { status: 401, detail: 'the session has ended', remedy: 'log in again' })
    : sendProblem(reply, { status: 401, detail: 'nobody is logged in', remedy: 'log in by POST /v1/sessions' });
}

function refusalOf(
  { role, kind, mustChangePassword }: Identity,
  route: string,
): { readonly detail: string; readonly remedy: string } | undefined {
  const access = accessOf(route);
  if (mustChangePassword && !allowedBeforeChange(route))
    return { detail: 'the initial password is still in use', remedy: 'change it first, by POST /v1/password' };
  if (!may(role, access)) {
    const remedy =
      access === 'nobody' ? 'use the "culvert" command on the router' : `ask somebody with the role "${access}"`;
    return { detail: `the role "${role}" may not do that`, remedy };
  }
  if (kind === 'token' && needsSession(route))
    return { detail: 'an API token may not do that', remedy: 'log in by name and password' };
  return undefined;
}

function takesAuthor(request: FastifyRequest): boolean {
  const schema: unknown = request.routeOptions.schema?.querystring;
  if (typeof schema !== 'object' || schema === null || !('properties' in schema)) return false;
  return typeof schema.properties === 'object' && schema.properties !== null && 'who' in schema.properties;
}
