/** The half of the control API's client that is about configurations. */
import type { Author } from '../config/store/revision.ts';
import type { CandidateMatch } from '../config/store/store-types.ts';
import type {
  CandidateResult,
  CommitRequest,
  CommitResult,
  ConfigurationControl,
  ConfigurationState,
  Difference,
  History,
  PreviewResult,
  Refused,
  RevisionReference,
} from './configuration-control.ts';
import { MAX_NAME } from './limits.ts';
import { MERGE_PATCH_TYPE } from './media-types.ts';
import type { CommandResult } from './router-control.ts';
import {
  type Answer,
  type CallOptions,
  ControlClientError,
  ControlTransport,
  commandResult,
  expectOk,
  problemOf,
  refused,
} from './transport.ts';

/** The same methods from afar. */
type Remote<Control> = {
  readonly [Name in keyof Control]: Control[Name] extends (...parameters: infer Parameters) => infer Result
    ? (...parameters: Parameters) => Promise<Awaited<Result>>
    : never;
};

/** Every method throws `ControlClientError` when no router answers, or one of another version. */
export class ConfigurationClient implements Remote<ConfigurationControl> {
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
    return committed(await this.#call('PUT', '', { ...named(fileName), ...request }, { body: text }));
  }

  async preview(text: string, fileName: string): Promise<PreviewResult> {
    return previewed(await this.#call('POST', '/preview', named(fileName), { body: text }));
  }

  async confirm(author: Author): Promise<CommandResult> {
    return commandResult(await this.#call('POST', '/confirm', { ...author }));
  }

  async revert(author: Author): Promise<CommandResult> {
    return commandResult(await this.#call('POST', '/revert', { ...author }));
  }

  async rollback(revision: number, request: CommitRequest): Promise<CommitResult> {
    return committed(await this.#call('POST', '/rollback', { revision, ...request }));
  }

  async history(): Promise<History> {
    return expectOk<History>(await this.#call('GET', '/history'));
  }

  async compare(from: RevisionReference, to: RevisionReference): Promise<PreviewResult> {
    return previewed(await this.#call('GET', '/compare', { from, to }));
  }

  async candidate(): Promise<CandidateResult> {
    return candidateResult(await this.#call('GET', '/candidate'));
  }

  async editCandidate(
    text: string,
    fileName: string,
    author: Author,
    takeover: boolean,
    match?: CandidateMatch,
  ): Promise<CandidateResult> {
    const query = { ...named(fileName), ...author, takeover };
    return candidateResult(await this.#call('PUT', '/candidate', query, { body: text, headers: ifMatch(match) }));
  }

  async patchCandidate(
    patch: string,
    author: Author,
    takeover: boolean,
    match?: CandidateMatch,
  ): Promise<CandidateResult> {
    const headers = { 'content-type': MERGE_PATCH_TYPE, ...ifMatch(match) };
    return candidateResult(await this.#call('PATCH', '/candidate', { ...author, takeover }, { body: patch, headers }));
  }

  async discardCandidate(author: Author, takeover: boolean, match?: CandidateMatch): Promise<CandidateResult> {
    const headers = ifMatch(match);
    const answer = candidateResult(await this.#call('DELETE', '/candidate', { ...author, takeover }, { headers }));
    return answer.ok ? { ok: true } : answer;
  }

  async commitCandidate(request: CommitRequest, match?: CandidateMatch): Promise<CommitResult> {
    return committed(await this.#call('POST', '/candidate/commit', { ...request }, { headers: ifMatch(match) }));
  }

  async backup(passphrase: string): Promise<{ readonly ok: true; readonly text: string } | Refused> {
    const answer = await this.#call('POST', '/backup', {}, { json: { passphrase } });
    return refusal(answer) ?? { ok: true, text: expectOk<{ readonly text: string }>(answer).text };
  }

  async previewRestore(text: string, passphrase: string): Promise<PreviewResult> {
    return previewed(await this.#call('POST', '/restore/preview', {}, { json: { passphrase, text } }));
  }

  async restore(text: string, passphrase: string, request: CommitRequest): Promise<CommitResult> {
    return committed(await this.#call('POST', '/restore', { ...request }, { json: { passphrase, text } }));
  }

  async factoryReset(author: Author): Promise<CommandResult> {
    return commandResult(await this.#call('POST', '/factory-reset', { ...author }));
  }

  async #call(
    method: string,
    path: string,
    query: Readonly<Record<string, string | number | boolean>> = {},
    options: CallOptions = {},
  ): Promise<Answer> {
    const parameters = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) parameters.set(name, String(value));
    const answer = await this.#transport.call(method, `/v1/config${path}?${parameters}`, options);
    if (answer.status === 404)
      throw new ControlClientError(
        'this router is of another version, which does not know the request',
        'use the "culvert" command of the version that runs, or restart the router',
      );
    return answer;
  }
}

function named(fileName: string): { readonly name: string } {
  return { name: fileName.slice(-MAX_NAME).toWellFormed() };
}

function ifMatch(match: CandidateMatch | undefined): { readonly 'if-match'?: string } {
  return match === undefined ? {} : { 'if-match': match === '*' ? match : match.join(', ') };
}

function committed(answer: Answer): CommitResult {
  return refusal(answer) ?? { ...expectOk<Omit<CommitResult & { readonly ok: true }, 'ok'>>(answer), ok: true };
}

function previewed(answer: Answer): PreviewResult {
  return refusal(answer) ?? { ...expectOk<Difference>(answer), ok: true };
}

function candidateResult(answer: Answer): CandidateResult {
  if (answer.status !== 409 && answer.status !== 412)
    return { ...expectOk<Omit<CandidateResult & { readonly ok: true }, 'ok'>>(answer), ok: true };
  const { owner } = problemOf(answer);
  const { reason, remedy } = refused(answer);
  return { ok: false, reason, remedy, ...(owner !== undefined && { owner }), ...stale(answer) };
}

function refusal(answer: Answer): Refused | undefined {
  if (answer.status === 422) return { ok: false, problems: problemOf(answer).problems ?? [] };
  if (answer.status !== 409 && answer.status !== 412) return undefined;
  const { reason, remedy } = refused(answer);
  return { ok: false, reason, remedy, ...stale(answer) };
}

function stale({ status }: Answer): { readonly stale?: true } {
  return status === 412 ? { stale: true } : {};
}
