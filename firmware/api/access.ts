/**
 * Who may ask what over `web.sock`: one table, and it is complete. A route that does not stand here is nobody's, and a test
 * fails for it. Over `control.sock` the local administrator may ask everything.
 */
import type { Role } from './account-control.ts';

/** The least role; `nobody`: the local administrator alone; `open`: who has not logged in yet. */
export type Access = Role | 'nobody' | 'open';

/** By `METHOD route`; HEAD goes with GET. */
export const ACCESS: Readonly<Record<string, Access>> = {
  'GET /v1/status': 'viewer',
  'GET /v1/limits': 'viewer',
  'GET /v1/board': 'viewer',
  'GET /v1/traffic': 'viewer',
  'GET /v1/traffic/:name': 'viewer',
  'GET /v1/log': 'viewer',
  'GET /v1/events': 'viewer',
  'GET /v1/openapi.json': 'viewer',

  'POST /v1/connections/:name/connect': 'operator',
  'POST /v1/connections/:name/disconnect': 'operator',
  'POST /v1/connections/:name/diagnose': 'operator',
  'POST /v1/board/identify': 'operator',
  'POST /v1/ping': 'operator',
  'POST /v1/traceroute': 'operator',
  'DELETE /v1/reaches/:id': 'operator',

  'POST /v1/machine/:action': 'admin',
  'DELETE /v1/machine': 'admin',

  // Whoever has these reads the traffic of the branch: of a capture, what passes from now on.
  'POST /v1/capture/:name': 'admin',
  'DELETE /v1/captures/:id': 'admin',
  'POST /v1/ipsec/keys': 'nobody',

  'GET /v1/config': 'viewer',
  'GET /v1/config/state': 'viewer',
  'GET /v1/config/history': 'viewer',
  'GET /v1/config/compare': 'viewer',
  'GET /v1/config/candidate': 'viewer',
  'PUT /v1/config': 'admin',
  'POST /v1/config/preview': 'admin',
  'POST /v1/config/confirm': 'admin',
  'POST /v1/config/revert': 'admin',
  'POST /v1/config/rollback': 'admin',
  'POST /v1/config/factory-reset': 'admin',
  'PUT /v1/config/candidate': 'admin',
  'PATCH /v1/config/candidate': 'admin',
  'DELETE /v1/config/candidate': 'admin',
  'POST /v1/config/candidate/commit': 'admin',
  'POST /v1/config/backup': 'admin',
  'POST /v1/config/restore/preview': 'admin',
  'POST /v1/config/restore': 'admin',

  'POST /v1/sessions': 'open',
  // Of whoever asks.
  'GET /v1/sessions/current': 'viewer',
  'DELETE /v1/sessions/current': 'viewer',
  'POST /v1/password': 'viewer',
  'POST /v1/totp': 'viewer',
  'POST /v1/totp/confirm': 'viewer',
  'POST /v1/totp/end': 'viewer',
  // One's own, and of others for an administrator.
  'GET /v1/tokens': 'viewer',
  'POST /v1/tokens': 'viewer',
  'DELETE /v1/tokens/:id': 'viewer',
  'GET /v1/sessions': 'admin',
  'DELETE /v1/sessions/:id': 'admin',
  'GET /v1/audit': 'admin',
};

/** What an API token cannot do, whatever its role: what makes or changes that by which somebody comes in. */
const SESSIONS_ONLY: ReadonlySet<string> = new Set([
  'DELETE /v1/sessions/current',
  'POST /v1/password',
  'POST /v1/totp',
  'POST /v1/totp/confirm',
  'POST /v1/totp/end',
  'POST /v1/tokens',
]);

/** All that is allowed with an initial password. */
const BEFORE_CHANGE: ReadonlySet<string> = new Set([
  'GET /v1/sessions/current',
  'DELETE /v1/sessions/current',
  'POST /v1/password',
]);

/** Changes nothing and shows nothing that is secret, or is written into the audit log by the accounts themselves. */
const NOT_RECORDED: ReadonlySet<string> = new Set([
  'POST /v1/connections/:name/diagnose',
  'POST /v1/ping',
  'POST /v1/traceroute',
  'DELETE /v1/reaches/:id',
  'POST /v1/config/preview',
  'POST /v1/config/restore/preview',
  'POST /v1/sessions',
  'DELETE /v1/sessions/current',
  'POST /v1/password',
  'POST /v1/totp',
  'POST /v1/totp/confirm',
  'POST /v1/totp/end',
]);

/** Answers that go on for long: they end with the session. */
const LASTING: ReadonlySet<string> = new Set([
  'GET /v1/events',
  'POST /v1/capture/:name',
  'POST /v1/connections/:name/connect',
  'POST /v1/ping',
  'POST /v1/traceroute',
]);

const RANK: Readonly<Record<Role, number>> = { viewer: 0, operator: 1, admin: 2 };

/** @param url of the route as it was installed, with its parameters' names. */
export function routeName(method: string, url: string): string {
  return `${method === 'HEAD' ? 'GET' : method} ${url}`;
}

export function accessOf(route: string): Access {
  return Object.hasOwn(ACCESS, route) ? (ACCESS[route] ?? 'nobody') : 'nobody';
}

export function may(role: Role, access: Access): boolean {
  if (access === 'open') return true;
  return access !== 'nobody' && RANK[role] >= RANK[access];
}

export const needsSession = (route: string): boolean => SESSIONS_ONLY.has(route);
export const allowedBeforeChange = (route: string): boolean => BEFORE_CHANGE.has(route);
export const isLasting = (route: string): boolean => LASTING.has(route);
/** Whether a request belongs into the audit log. */
export const isRecorded = (route: string): boolean => !route.startsWith('GET ') && !NOT_RECORDED.has(route);
