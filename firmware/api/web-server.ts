/**
 * The second socket: the same API for a web process without privileges. Every request but the login has to prove who sends it, so
 * that whoever takes the web process over is no administrator.
 */
import type { FastifyInstance } from 'fastify';
import type { AccountAdministration } from './account-administration.ts';
import { installAccountRoutes } from './account-routes.ts';
import { recordRequests } from './audit-hook.ts';
import { Identities } from './authorisation.ts';
import type { ConfigurationControl } from './configuration-control.ts';
import { sharedSocketMode } from './control-socket.ts';
import type { RouterControl } from './router-control.ts';
import { installRoutes } from './routes.ts';
import { type ControlApi, type ControlApiOptions, serveApi } from './server.ts';
import { installSessionRoutes } from './session-routes.ts';

/** At a time: a web process that was taken over must not use up the files that the router may open. */
export const MAX_WEB_CONNECTIONS = 128;

export interface WebApiOptions extends ControlApiOptions {
  readonly accounts: AccountAdministration;
}

/** @throws ControlSocketError when the socket cannot be had. */
export function startWebApi(options: WebApiOptions): Promise<ControlApi> {
  const mode = sharedSocketMode(options.socketPath);
  return serveApi({ ...options, mode, maxConnections: MAX_WEB_CONNECTIONS }, (app) => installWebRoutes(app, options));
}

export function installWebRoutes(
  app: FastifyInstance,
  parts: {
    readonly control: RouterControl;
    readonly config: ConfigurationControl;
    readonly accounts: AccountAdministration;
  },
): void {
  const { control, config, accounts } = parts;
  const identities = new Identities(accounts);
  identities.install(app);
  recordRequests(app, accounts, identities);
  installRoutes(app, control, config);
  installAccountRoutes(app, accounts, identities);
  installSessionRoutes(app, accounts, identities);
}
