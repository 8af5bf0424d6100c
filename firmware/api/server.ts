/** The control API: HTTP on a Unix socket in the state directory. CLI, serial console and web UI are its clients. */
import { createServer, type Server } from 'node:http';
import { type FastifyInstance, fastify } from 'fastify';
import type { Clock } from '../../hal/clock.ts';
import type { Logger } from '../log/logger.ts';
import type { ConfigurationControl } from './configuration-control.ts';
import { listenOnControlSocket } from './control-socket.ts';
import { BODY_LIMIT, MAX_NAME } from './limits.ts';
import { installProblems } from './problem.ts';
import type { RouterControl } from './router-control.ts';
import { installRoutes } from './routes.ts';

/** Time within which a request has to have arrived whole, ms. The answer of `connect` may take as long as it likes. */
const REQUEST_ARRIVAL_MS = 30_000;

export interface ControlApiOptions {
  /** See `controlSocketPath`. */
  readonly socketPath: string;
  readonly control: RouterControl;
  readonly config: ConfigurationControl;
  readonly logger: Logger;
  /** For the event stream; default: the machine's. */
  readonly clock?: Clock;
}

export interface ControlApi {
  /** Ends every request and stream and removes the socket. Harmless when repeated. */
  close(): Promise<void>;
}

/** @throws ControlSocketError when the socket cannot be had, another router with this state directory among the causes. */
export async function startControlApi(options: ControlApiOptions): Promise<ControlApi> {
  const { control, config, clock } = options;
  const app = await apiApp(options.logger, (bare) => installRoutes(bare, control, config, clock));
  const listening = app.server;
  await listenOnControlSocket(listening, options.socketPath);
  listening.on('error', (error) => options.logger.error({ err: error }, 'the control socket failed'));
  options.logger.debug({ socket: options.socketPath }, 'the control API listens');

  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    listening.close(() => resolve());
    listening.closeAllConnections();
    await promise;
    await app.close();
  };
  return { close: () => (closed ??= close()) };
}

/** What `install` installs, ready to be asked, with nothing that listens. */
export async function apiApp(
  logger: Logger,
  install: (app: FastifyInstance) => void | Promise<void>,
): Promise<FastifyInstance<Server>> {
  const app = fastify({
    logger: false,
    // A stream has no head without a body, and nobody asks for one.
    exposeHeadRoutes: false,
    bodyLimit: BODY_LIMIT,
    routerOptions: { maxParamLength: MAX_NAME },
    // Fastify would bind before the mode could be set: the socket is opened by listenOnControlSocket.
    serverFactory: (handler) => createServer({ requestTimeout: REQUEST_ARRIVAL_MS }, handler),
  });
  installProblems(app, logger);
  await install(app);
  await app.ready();
  return app;
}
