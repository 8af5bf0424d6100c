/** Every request that changes something, or shows what is secret, leaves a line in the audit log. */
import { STATUS_CODES } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isRecorded, routeName } from './access.ts';
import type { AccountAdministration } from './account-administration.ts';
import type { Identities } from './authorisation.ts';

/** @param identities of `web.sock`, where whoever has none leaves no line; absent: the local administrator asks. */
export function recordRequests(app: FastifyInstance, accounts: AccountAdministration, identities?: Identities): void {
  app.addHook('onResponse', async (request, reply) => {
    const { url } = request.routeOptions;
    if (url === undefined || !isRecorded(routeName(request.method, url))) return;
    const author = identities === undefined ? localAuthor(request) : identities.find(request);
    if (author === undefined) return;
    const { statusCode: status } = reply;
    const result = status < 400 ? 'done' : `refused: ${status} ${STATUS_CODES[status] ?? ''}`.trim();
    const who = 'user' in author ? author.user : author.who;
    // Who may not do it, and tries again and again, pushes out no line of what was done.
    const kind = status === 403 ? 'login' : 'change';
    // The query may hold a comment; nothing of it belongs here.
    const what = `${request.method} ${request.url.split('?')[0]}`;
    accounts.record(kind, { who, via: author.via, from: author.from, what, result });
  });
}

function localAuthor({ query }: FastifyRequest): { readonly who: string; readonly via: string; readonly from: string } {
  const said: Readonly<Record<string, unknown>> = typeof query === 'object' && query !== null ? { ...query } : {};
  const text = (value: unknown) => (typeof value === 'string' ? value : 'local');
  return { who: text(said['who']), via: text(said['via']), from: 'local' };
}
