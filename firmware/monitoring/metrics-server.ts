import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Clock, Timer } from '../../hal/clock.ts';
import { errorText } from '../vpn/steps.ts';
import { EXPOSITION_TYPE } from './exposition.ts';

/** Octets of the header of a request; one of Prometheus has some 300. */
const MAX_HEADER = 4_096;
/** How long a request may take to arrive, its header first, ms. */
const HEADER_MS = 5_000;
const REQUEST_MS = 10_000;
/** How long a connection may stand without an octet moving, ms: one that reads nothing, too. */
const IDLE_MS = 15_000;
/** Connections at a time; a second Prometheus and a curl have room. */
const MAX_CONNECTIONS = 16;
/** Requests that are being answered at a time; they share one page while it is being made. */
const MAX_REQUESTS = 4;
/** An address that is not here yet may come with an interface, ms. */
const RETRY_MS = 10_000;

const PATH = '/metrics';

export interface MetricsListener {
  readonly listen: string;
  readonly port: number;
  /** Asked of every request. */
  readonly token?: string;
}

export interface MetricsServerParts {
  readonly clock: Clock;
  readonly page: () => Promise<string>;
  readonly log: (level: 'info' | 'warn' | 'error', line: string) => void;
}

/** The listener for Prometheus: HTTP on an address of the LAN, for one page. */
export class MetricsServer {
  readonly #listener: MetricsListener;
  readonly #parts: MetricsServerParts;
  readonly #refused = new Map<string, number>();
  #server: Server | undefined;
  #retry: Timer | undefined;
  #failure: string | undefined;
  #answering = 0;
  #page: Promise<string> | undefined;
  #stopped = false;

  constructor(listener: MetricsListener, parts: MetricsServerParts) {
    this.#listener = listener;
    this.#parts = parts;
  }

  /** Why it does not listen, a sentence without a full stop; `undefined` when it does. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Requests that did not get the page, by reason. */
  get refused(): ReadonlyMap<string, number> {
    return this.#refused;
  }

  /** The port that is listened on, for who asked for any. */
  get port(): number | undefined {
    const address = this.#server?.address();
    return typeof address === 'object' && address !== null ? address.port : undefined;
  }

  /** Listens; when that is not possible it is tried again for ever. Never rejects. */
  async start(): Promise<void> {
    if (this.#stopped) return;
    const server = this.#create();
    const { listen, port } = this.#listener;
    try {
      await new Promise<void>((done, failed) => {
        server.once('error', failed);
        server.listen({ host: listen, port, exclusive: true }, done);
      });
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (this.#stopped) {
      server.close();
      return;
    }
    this.#server = server;
    server.on('error', (error) => this.#parts.log('error', `the metrics listener failed: ${error.message}`));
    if (this.#failure !== undefined) this.#parts.log('info', `metrics are served on ${this.#where}`);
    this.#failure = undefined;
  }

  /** Never rejects. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#retry?.cancel();
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    await new Promise<void>((done) => {
      server.close(() => done());
      server.closeAllConnections();
    });
  }

  get #where(): string {
    return `${this.#listener.listen} port ${this.#listener.port}`;
  }

  #create(): Server {
    const server = createServer(
      {
        maxHeaderSize: MAX_HEADER,
        headersTimeout: HEADER_MS,
        requestTimeout: REQUEST_MS,
        connectionsCheckingInterval: 1_000,
        keepAliveTimeout: IDLE_MS,
      },
      (request, response) => void this.#answer(request, response).catch(() => response.destroy()),
    );
    server.maxConnections = MAX_CONNECTIONS;
    server.timeout = IDLE_MS;
    return server;
  }

  #fail(error: unknown): void {
    const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
    const remedies: Readonly<Record<string, string>> = {
      EADDRINUSE: 'another program has this port: stop it, or choose another one',
      EADDRNOTAVAIL: 'this router does not have the address now: check the interface that should',
      EACCES: 'ports below 1024 need a right that this process lacks: choose another one',
    };
    const remedy = typeof code === 'string' && Object.hasOwn(remedies, code) ? remedies[code] : undefined;
    const failure = `metrics cannot be served on ${this.#where}: ${remedy ?? errorText(error)}`;
    if (failure !== this.#failure) this.#parts.log('warn', failure);
    this.#failure = failure;
    const { clock } = this.#parts;
    if (!this.#stopped) this.#retry = clock.setTimer(clock.now() + RETRY_MS, () => void this.start());
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // What a request carries is of no interest, and is not waited for.
    if (request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined) {
      response.setHeader('connection', 'close');
    }
    const { token } = this.#listener;
    if (token !== undefined && !isToken(request.headers.authorization, token)) {
      this.#refuse(response, 401, 'unauthorized', 'a bearer token is needed', { 'www-authenticate': 'Bearer' });
    } else if (request.url?.split('?')[0] !== PATH) {
      this.#refuse(response, 404, 'not-found', `there is nothing but ${PATH} here`);
    } else if (request.method !== 'GET' && request.method !== 'HEAD') {
      this.#refuse(response, 405, 'method', 'GET is what it takes', { allow: 'GET, HEAD' });
    } else if (this.#answering >= MAX_REQUESTS) {
      this.#refuse(response, 503, 'busy', 'too many requests at a time', { 'retry-after': '5' });
    } else {
      this.#answering += 1;
      // Until it is read: who does not read has one of the places, for a while.
      response.once('close', () => {
        this.#answering -= 1;
      });
      await this.#sendPage(response);
    }
  }

  async #sendPage(response: ServerResponse): Promise<void> {
    try {
      this.#page ??= this.#parts.page().finally(() => {
        this.#page = undefined;
      });
      const page = Buffer.from(await this.#page, 'utf8');
      response.writeHead(200, { 'content-type': EXPOSITION_TYPE, 'content-length': page.length });
      response.end(page);
    } catch (error) {
      this.#parts.log('error', `the metrics could not be gathered: ${errorText(error)}`);
      this.#refuse(response, 500, 'failed', 'the metrics could not be gathered; the log says why');
    }
  }

  #refuse(
    response: ServerResponse,
    status: number,
    reason: string,
    text: string,
    headers: Readonly<Record<string, string>> = {},
  ): void {
    this.#refused.set(reason, (this.#refused.get(reason) ?? 0) + 1);
    response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...headers });
    response.end(`${text}\n`);
  }
}

/** Compared in constant time, whatever the length of what was sent. */
function isToken(header: string | undefined, token: string): boolean {
  const given = /^Bearer +(.+)$/i.exec(header ?? '')?.[1] ?? '';
  // Header fields come as Latin-1.
  return timingSafeEqual(digest(Buffer.from(given, 'latin1')), digest(Buffer.from(token, 'utf8')));
}

function digest(octets: Uint8Array): Buffer {
  return createHash('sha256').update(octets).digest();
}
