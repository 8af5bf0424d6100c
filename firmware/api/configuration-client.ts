/** A client of the control API's half about configurations. */

import type { Author } from '../config/store/revision.ts';
import type {
  Candidate,
  CandidateResult,
  CommitRequest,
  CommitResult,
  ConfigurationState,
  Difference,
  History,
  PreviewResult,
  Refused,
  RevisionReference,
} from './configuration-control.ts';
import type { CommandResult } from './router-control.ts';
import { type Answer, ControlTransport, commandResult, expectOk, problemOf, refused } from './transport.ts';

/** Longest name of a file that the router is told, characters. */
const MAX_FILE_NAME = 255;

type Parameters = Readonly<Record<string, string | number | boolean | undefined>>;

/** The same as `ConfigurationControl`, over the socket. Every method throws `ControlClientError` when no router answers. */
export class ConfigurationClient {
  readonly #transport: ControlTransport;

  constructor(stateDir: string) {
    this.#transport = new ControlTransport(stateDir);
  }

  async running(): Promise<unknown> {
    return expectOk<unknown>(await this.#call('GET', ''));
  }

  async state(): Promise<ConfigurationState> {
    return expectOk<ConfigurationState>(await this.#call('GET', '/state'));
  }

  /** @param text JSON or YAML, at most 1 MiB of UTF-8. */
  async commit(text: string, fileName: string, request: CommitRequest): Promise<CommitResult> {
    return commitResult(await this.#call('PUT', '', { name: nameOf(fileName), ...request }, text));
  }

  async preview(text: string, fileName: string): Promise<PreviewResult> {
    return previewResult(await this.#call('POST', '/preview', { name: nameOf(fileName) }, text));
  }

  async confirm(author: Author): Promise<CommandResult> {
    return commandResult(await this.#call('POST', '/confirm', { ...author }));
  }

  async revert(author: Author): Promise<CommandResult> {
    return commandResult(await this.#call('POST', '/revert', { ...author }));
  }

  async rollback(revision: number, request: CommitRequest): Promise<CommitResult> {
    return commitResult(await this.#call('POST', '/rollback', { revision, ...request }));
  }

  async history(): Promise<History> {
    return expectOk<History>(await this.#call('GET', '/history'));
  }

  async compare(from: RevisionReference, to: RevisionReference): Promise<PreviewResult> {
    return previewResult(await this.#call('GET', '/compare', { from, to }));
  }

  async candidate(): Promise<CandidateResult> {
    return candidateResult(await this.#call('GET', '/candidate'));
  }

  async editCandidate(text: string, fileName: string, author: Author, takeover: boolean): Promise<CandidateResult> {
    const parameters = { name: nameOf(fileName), ...author, takeover };
    return candidateResult(await this.#call('PUT', '/candidate', parameters, text));
  }

  async discardCandidate(author: Author, takeover: boolean): Promise<CommandResult> {
    return commandResult(await this.#call('DELETE', '/candidate', { ...author, takeover }));
  }

  async commitCandidate(request: CommitRequest): Promise<CommitResult> {
    return commitResult(await this.#call('POST', '/candidate/commit', { ...request }));
  }

  async backup(passphrase: string): Promise<{ readonly ok: true; readonly text: string } | Refused> {
    const answer = await this.#call('POST', '/backup', {}, JSON.stringify({ passphrase }));
    if (answer.status !== 200) return refusal(answer);
    return { ok: true, text: expectOk<{ readonly text: string }>(answer).text };
  }

  async previewRestore(text: string, passphrase: string): Promise<PreviewResult> {
    return previewResult(await this.#call('POST', '/restore/preview', {}, JSON.stringify({ text, passphrase })));
  }

  async restore(text: string, passphrase: string, request: CommitRequest): Promise<CommitResult> {
    return commitResult(await this.#call('POST', '/restore', { ...request }, JSON.stringify({ text, passphrase })));
  }

  async factoryReset(author: Author): Promise<CommandResult> {
    return commandResult(await this.#call('POST', '/factory-reset', { ...author }));
  }

  #call(method: string, path: string, parameters: Parameters = {}, body?: string): Promise<Answer> {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.set(name, String(value));
    const suffix = query.size === 0 ? '' : `?${query}`;
    return this.#transport.call(method, `/v1/config${path}${suffix}`, body === undefined ? {} : { body });
  }
}

function nameOf(fileName: string): string {
  return fileName.slice(-MAX_FILE_NAME).toWellFormed();
}

function commitResult(answer: Answer): CommitResult {
  if (answer.status !== 200) return refusal(answer);
  return { ok: true, ...expectOk<Omit<CommitResult & { readonly ok: true }, 'ok'>>(answer) };
}

function previewResult(answer: Answer): PreviewResult {
  if (answer.status !== 200) return refusal(answer);
  return { ok: true, ...expectOk<Difference>(answer) };
}

function candidateResult(answer: Answer): CandidateResult {
  if (answer.status !== 200) return refusalInWords(answer);
  const { candidate } = expectOk<{ readonly candidate?: Candidate }>(answer);
  return candidate === undefined ? { ok: true } : { ok: true, candidate };
}

function refusal(answer: Answer): Refused {
  const { problems } = problemOf(answer);
  return answer.status === 422 && problems !== undefined ? { ok: false, problems } : refusalInWords(answer);
}

function refusalInWords(answer: Answer): Extract<Refused, { readonly reason: string }> {
  if (answer.status !== 409) throw refused(answer);
  const { detail, remedy = 'see "culvert show log"' } = problemOf(answer);
  return { ok: false, reason: detail, remedy };
}
