/** A client of the control API: what `culvert` commands, the serial console and tests speak through. */
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import type { Diagnosis } from '../diagnosis/diagnosis.ts';
import type {
  ApplyResult,
  CommandResult,
  ConfigurationProblem,
  DiagnoseResult,
  IpsecKeys,
  Problem,
  RouterEvent,
  RouterStatus,
} from './router-control.ts';
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

/** Every method throws {@link ControlClientError} when no router answers. */
export class ControlClient {
  readonly #stateDir: string;
  readonly #socketPath: string;

  constructor(stateDir: string) {
    this.#stateDir = stateDir;
    this.#socketPath = controlSocketPath(stateDir);
  }

  async status(): Promise<RouterStatus> {
    return expectOk<RouterStatus>(await this.#call('GET', '/v1/status'));
  }

  /** The configuration in force, secrets left out. */
  async configuration(): Promise<unknown> {
    return expectOk<unknown>(await this.#call('GET', '/v1/config'));
  }

  /** @param text JSON or YAML, at most 1 MiB of UTF-8. */
  async apply(text: string, fileName: string): Promise<ApplyResult> {
    const path = `/v1/config?name=${encodeURIComponent(fileName.slice(-255).toWellFormed())}`;
    const answer = await this.#call('PUT', path, { body: text });
    if (answer.status === 422) {
      const problems: readonly ConfigurationProblem[] = problemOf(answer).problems ?? [];
      return { ok: false, problems };
    }
    const applied = expectOk<{ readonly diff: readonly string[]; readonly warnings: readonly string[] }>(answer);
    return { ok: true, diff: applied.diff, warnings: applied.warnings };
  }

  /** Waits until the connection is up or failed; aborting the signal stops the waiting, not the attempt's outcome. */
  async connect(name: string, signal?: AbortSignal): Promise<CommandResult> {
    const path = `/v1/connections/${encodeURIComponent(name)}/connect`;
    return commandResult(await this.#call('POST', path, { ...(signal !== undefined && { signal }) }));
  }

  async disconnect(name: string): Promise<CommandResult> {
    return commandResult(await this.#call('POST', `/v1/connections/${encodeURIComponent(name)}/disconnect`));
  }

  /** What is wrong with a connection. */
  async diagnose(name: string): Promise<DiagnoseResult> {
    const answer = await this.#call('POST', `/v1/connections/${encodeURIComponent(name)}/diagnose`);
    if (answer.status === 200) return { ok: true, diagnosis: answer.body as Diagnosis };
    const result = commandResult(answer);
    return result.ok ? { ok: false, reason: 'the router said nothing' } : result;
  }

  /** Keys of the SAs of a connection, or of all: whoever has them reads the traffic. */
  async ipsecKeys(name?: string): Promise<IpsecKeys> {
    const query = name === undefined ? '' : `?name=${encodeURIComponent(name)}`;
    return expectOk<{ readonly keys: IpsecKeys }>(await this.#call('POST', `/v1/ipsec/keys${query}`)).keys;
  }

  /** Log lines, one JSON object each, oldest first. */
  async log(): Promise<readonly string[]> {
    return expectOk<{ readonly lines: readonly string[] }>(await this.#call('GET', '/v1/log')).lines;
  }

  /**
   * Hands each event to `listener`, from the moment at which the promise resolves until `signal` aborts or the router ends
   * the stream.
   */
  async events(listener: (event: RouterEvent) => void, signal: AbortSignal): Promise<void> {
    const response = await this.#open('GET', '/v1/events', { signal });
    if (response.statusCode !== 200) throw refused(await readAnswer(response));
    const { promise, resolve } = Promise.withResolvers<void>();
    let rest = '';
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => {
      const frames = (rest + chunk).split('\n\n');
      rest = frames.pop() ?? '';
      resolve();
      for (const frame of frames)
        if (frame.startsWith('data: ')) listener(JSON.parse(frame.slice('data: '.length)) as RouterEvent);
    });
    response.on('error', () => resolve());
    response.on('close', () => resolve());
    await promise;
  }

  async #call(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
    const response = await this.#open(method, path, options);
    try {
      return await readAnswer(response);
    } catch (error) {
      throw this.#inWords(error);
    }
  }

  #open(method: string, path: string, options: CallOptions): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const { body, signal } = options;
    const outgoing: ClientRequest = request({
      socketPath: this.#socketPath,
      method,
      path,
      agent: false,
      headers: body === undefined ? {} : { 'content-type': 'text/plain; charset=utf-8' },
      ...(signal !== undefined && { signal }),
    });
    outgoing.on('response', resolve);
    outgoing.on('error', (error) => reject(this.#inWords(error)));
    outgoing.end(body);
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

interface CallOptions {
  readonly body?: string;
  readonly signal?: AbortSignal;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
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
function expectOk<Shape>(answer: Answer): Shape {
  if (answer.status !== 200) throw refused(answer);
  return answer.body as Shape;
}

function commandResult(answer: Answer): CommandResult {
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

function refused(answer: Answer): ControlClientError {
  const problem = problemOf(answer);
  return new ControlClientError(problem.detail, problem.remedy ?? 'look at "culvert show log" of the router');
}

function problemOf(answer: Answer): Problem {
  return answer.body as Problem;
}
