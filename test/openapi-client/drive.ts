/**
 * A session with a running router by a client that is generated from docs/openapi.json and knows nothing else of it. Whatever
 * is read here is read by its generated type: where document and router part, this does not compile, or the report is wrong.
 * Usage: node drive.ts SOCKET; the report comes as JSON.
 */
import createClient from 'openapi-fetch';
import type { components, paths } from '../../build/openapi-client/api.d.ts';
import { socketFetch } from './socket-fetch.ts';

type Problem = components['schemas']['Problem'];
type Configuration = components['schemas']['Configuration'];

const [socketPath = ''] = process.argv.slice(2);
const client = createClient<paths>({ baseUrl: 'http://localhost', fetch: socketFetch(socketPath) });
const author = { who: 'generated', via: 'web' } as const;

/** A problem, as far as people and programs need it. */
function told(problem: Problem | undefined): Pick<Problem, 'status' | 'detail' | 'remedy'> | undefined {
  return (
    problem && { status: problem.status, detail: problem.detail, ...(problem.remedy ? { remedy: problem.remedy } : {}) }
  );
}

const { data: status } = await client.GET('/v1/status');
const { data: log } = await client.GET('/v1/log');
const { data: history } = await client.GET('/v1/traffic/{name}', {
  params: { path: { name: 'interface.wan.sent' }, query: { ring: 'second' } },
});

const draft: Configuration = {
  system: { hostname: 'drafted' },
  l2tp: { clients: { hq: { server: '10.20.0.2', user: 'alice', password: 'correct horse battery' } } },
};
const begun = await client.PUT('/v1/config/candidate', { params: { query: author }, body: draft });
const seen = begun.response.headers.get('etag') ?? '';
const patched = await client.PATCH('/v1/config/candidate', {
  params: { query: author, header: { 'if-match': seen } },
  body: { system: { hostname: 'patched' } },
  headers: { 'content-type': 'application/merge-patch+json' },
});
const refused = await client.POST('/v1/config/candidate/commit', {
  params: { query: author, header: { 'if-match': seen } },
});
const committed = await client.POST('/v1/config/candidate/commit', {
  params: {
    query: { ...author, comment: 'by a generated client' },
    header: { 'if-match': patched.data?.candidate?.etag ?? '' },
  },
});
const { data: running, response } = await client.GET('/v1/config');
const again = await client.GET('/v1/config', {
  params: { header: { 'if-none-match': response.headers.get('etag') ?? '' } },
});
const wrong = await client.PUT('/v1/config', {
  params: { query: author },
  body: '{"systm":{}}',
  bodySerializer: (text) => text,
});
const nowhere = await client.POST('/v1/connections/{name}/connect', { params: { path: { name: 'nowhere' } } });
const afterwards = await client.GET('/v1/config/history');
const document = await client.GET('/v1/openapi.json');

console.log(
  JSON.stringify({
    hostname: status?.hostname,
    tunnels: status?.l2tp.map(({ name, state, sessions }) => `${name} ${state} ${sessions.length}`),
    lines: log?.lines,
    traffic: history?.values,
    begun: begun.data?.candidate?.who,
    refused: told(refused.error),
    committed: committed.data && { revision: committed.data.revision, diff: committed.data.diff },
    running: { hostname: running?.system?.hostname, password: running?.l2tp?.clients?.['hq']?.password },
    again: again.response.status,
    wrong: wrong.error?.problems?.map(({ path, rule }) => `${path} ${rule}`),
    nowhere: { ...told(nowhere.error), names: nowhere.error?.names },
    comments: afterwards.data?.revisions.map(({ comment }) => comment),
    openapi: document.data?.['openapi'],
  }),
);
