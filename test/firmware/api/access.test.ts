import { type FastifyInstance, fastify } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ACCESS, may, routeName } from '../../../firmware/api/access.ts';
import { installProblems } from '../../../firmware/api/problem.ts';
import { installWebRoutes } from '../../../firmware/api/web-server.ts';
import { createLogger } from '../../../firmware/log/logger.ts';
import { FakeAccounts, IDENTITIES } from './fake-accounts.ts';
import { FakeConfiguration } from './fake-configuration.ts';
import { FakeRouter } from './fake-router.ts';

/** Status of a request that was let through, before its body is looked at or anything is done. */
const LET_THROUGH = 299;

let app: FastifyInstance;
let routes: { readonly method: string; readonly url: string }[];

beforeEach(async () => {
  app = fastify();
  routes = [];
  app.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat()) routes.push({ method: one, url });
  });
  installProblems(app, createLogger({ secrets: () => [], destination: { write: () => undefined } }));
  installWebRoutes(app, { control: new FakeRouter(), config: new FakeConfiguration(), accounts: new FakeAccounts() });
  app.addHook('preParsing', async (_request, reply) => reply.code(LET_THROUGH).send());
  await app.ready();
});
afterEach(() => app.close());

async function statusOf(route: { readonly method: string; readonly url: string }, token?: string): Promise<number> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const method = route.method as 'GET';
  return (await app.inject({ method, url: route.url.replaceAll(/:\w+/g, '1'), headers })).statusCode;
}

describe('the table of who may do what', () => {
  it('has an entry for every route, and a route for every entry', () => {
    const found = new Set(routes.map(({ method, url }) => routeName(method, url)));
    expect([...found].sort()).toEqual(Object.keys(ACCESS).sort());
    expect(found.size).toBeGreaterThan(35);
  });

  it('decides for every role and every route', async () => {
    let cells = 0;
    for (const route of routes) {
      const name = routeName(route.method, route.url);
      const access = ACCESS[name] ?? 'nobody';
      for (const token of ['viewer', 'operator', 'admin'] as const) {
        const allowed = access === 'open' || (access !== 'nobody' && may(token, access));
        expect(await statusOf(route, token), `${name} for ${token}`).toBe(allowed ? LET_THROUGH : 403);
        cells += 1;
      }
      const stranger = access === 'open' ? LET_THROUGH : 401;
      expect(await statusOf(route), `${name} for nobody`).toBe(stranger);
      expect(await statusOf(route, 'invented'), `${name} for an invented token`).toBe(stranger);
    }
    expect(cells).toBe(routes.length * 3);
  });

  it('says that roles contain each other, and that some things are for the router itself', () => {
    const allowed = (role: 'viewer' | 'operator' | 'admin') =>
      Object.keys(ACCESS).filter((route) => may(role, ACCESS[route] ?? 'nobody'));
    for (const route of allowed('viewer')) expect(allowed('operator')).toContain(route);
    for (const route of allowed('operator')) expect(allowed('admin')).toContain(route);
    for (const route of allowed('operator'))
      expect(route).not.toMatch(/(PUT|POST|DELETE) \/v1\/config|capture|audit|keys/);
    expect(allowed('viewer').filter((route) => !/^GET |password|totp|tokens|sessions/.test(route))).toEqual([]);
    expect(allowed('admin')).not.toContain('POST /v1/ipsec/keys');
  });

  it('leaves nothing but the change of the password to whoever has the initial one', async () => {
    const open: string[] = [];
    for (const route of routes)
      if ((await statusOf(route, 'initial')) === LET_THROUGH) open.push(routeName(route.method, route.url));
    expect([...new Set(open)].sort()).toEqual([
      'DELETE /v1/sessions/current',
      'GET /v1/sessions/current',
      'POST /v1/password',
      'POST /v1/sessions',
    ]);
  });

  it('lets no API token make or change that by which somebody comes in', async () => {
    for (const route of routes) {
      const name = routeName(route.method, route.url);
      const refused =
        /password|totp|POST \/v1\/tokens|DELETE \/v1\/sessions\/current/.test(name) || name === 'POST /v1/ipsec/keys';
      expect(await statusOf(route, 'admin-token'), name).toBe(refused ? 403 : LET_THROUGH);
    }
  });

  it('refuses a route that nobody entered', async () => {
    const other = fastify();
    installWebRoutes(other, {
      control: new FakeRouter(),
      config: new FakeConfiguration(),
      accounts: new FakeAccounts(),
    });
    other.get('/v1/new', async () => 'secret');
    for (const token of Object.keys(IDENTITIES)) {
      const answer = await other.inject({ url: '/v1/new', headers: { authorization: `Bearer ${token}` } });
      expect(answer.statusCode).toBe(403);
    }
    await other.close();
  });
});
