/** One request to the control socket and its answer; what both halves of the client stand on. */
import { type ClientRequest, type IncomingMessage, type OutgoingHttpHeaders, request } from 'node:http';
import type { CommandResult, Problem } from './router-control.ts';
import { controlSocketPath } from './socket-path.ts';

/** The router was not reached, or refused. `reason` and `remedy` are sentences without a full stop. */
export class ControlClientError extends Error {
  override readonly name = 'ControlClientError';
  readonly reason: string;
  readonly remedy: string;

  constructor(reason: string, remedy: string) {
    super(`${reason}: ${remedy}`);
    this.reason = reason;
    this.remedy = remedy;
  }
}

export interface CallOptions {
  /** Sent as it is, as text. */
  readonly body?: string;
  /** Sent as JSON, instead. */
  readonly json?: unknown;
  /** Besides the content type. */
  readonly headers?: OutgoingHttpHeaders;
  readonly signal?: AbortSignal;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** Every method throws {@link ControlClientError} when no router answers. */
export class ControlTransport {
  readonly #stateDir: string;
  readonly #socketPath: string;

  constructor(stateDir: string) {
    this.#stateDir = stateDir;
    this.#socketPath = controlSocketPath(stateDir);
  }

  async call(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
    const response = await this.open(method, path, options);
    try {
      return await readAnswer(response);
    } catch (error) {
      throw this.#inWords(error);
    }
  }

  /** The answer as a stream. */
  open(method: string, path: string, options: CallOptions): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const { body, json, signal } = options;
    const outgoing: ClientRequest = request({
      socketPath: this.#socketPath,
      method,
      path,
      agent: false,
      headers: { ...contentType(options), ...options.headers },
      ...(signal !== undefined && { signal }),
    });
    outgoing.on('response', resolve);
    outgoing.on('error', (error) => reject(this.#inWords(error)));
    outgoing.end(json === undefined ? body : JSON.stringify(json));
    return promise;
  }

  #inWords(error: unknown): unknown {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    switch (code) {
      case 'ENOENT':
      case 'ENOTDIR':
      case 'ECONNREFUSED':
        return new ControlClientError(
          `no culvert is running with state directory ${this.#stateDir}`,
          'start it with "culvert run", or name the right directory with --state-dir',
        );
      case 'EACCES':
      case 'EPERM':
        return new ControlClientError(
          `this user may not control the culvert with state directory ${this.#stateDir}`,
          'run the command as the user that runs culvert, or as root',
        );
      case 'ECONNRESET':
      case 'EPIPE':
        return new ControlClientError('the router ended before it answered', 'look at its log and start it again');
      default:
        return error;
    }
  }
}

function contentType({ body, json }: CallOptions): OutgoingHttpHeaders {
  if (json !== undefined) return { 'content-type': 'application/json' };
  return body === undefined ? {} : { 'content-type': 'text/plain; charset=utf-8' };
}

export async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  try {
    return { status: response.statusCode ?? 0, body: JSON.parse(text) };
  } catch {
    throw new ControlClientError('the control socket gave no JSON', 'use a client of the same version as the router');
  }
}

/** Client and router are of one version: a 200 has the shape of its schema. */
export function expectOk<Shape>(answer: Answer): Shape {
  if (answer.status !== 200) throw refused(answer);
  return answer.body as Shape;
}

export function commandResult(answer: Answer): CommandResult {
  if (answer.status === 200) return { ok: true };
  if (answer.status !== 404 && answer.status !== 409) throw refused(answer);
  const { detail, remedy, step, names } = problemOf(answer);
  return {
    ok: false,
    reason: detail,
    ...(remedy !== undefined && { remedy }),
    ...(step !== undefined && { step }),
    ...(names !== undefined && { notFound: names }),
  };
}

export function refused(answer: Answer): ControlClientError {
  const problem = problemOf(answer);
  return new ControlClientError(problem.detail, problem.remedy ?? 'look at "culvert show log" of the router');
}

export function problemOf(answer: Answer): Problem {
  return answer.body as Problem;
}
