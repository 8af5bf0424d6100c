import type { Clock } from '../../hal/clock.ts';
import type {
  Candidate,
  CandidateResult,
  CommitRequest,
  CommitResult,
  ConfigurationControl,
  ConfigurationState,
  History,
  PreviewResult,
  Refused,
  RevisionReference,
} from '../api/configuration-control.ts';
import type { CommandResult } from '../api/router-control.ts';
import type { CommitDesk } from '../config/commit/commit-desk.ts';
import type { CommitOutcome } from '../config/commit/commit-types.ts';
import { CURRENT_VERSIONS } from '../config/migrations/migrate.ts';
import { problemText } from '../config/problem.ts';
import { redactConfiguration } from '../config/redact.ts';
import type { Configuration } from '../config/schema.ts';
import { makeBackup, openBackup } from '../config/secrets/backup-thread.ts';
import type { ConfigurationStore } from '../config/store/configuration-store.ts';
import type { Author } from '../config/store/revision.ts';
import type { CandidateAnswer, CandidateChange, CandidateMatch, Source } from '../config/store/store-types.ts';
import { connectionChanges } from './connection-plan.ts';

export interface RouterConfigurationParts {
  readonly desk: CommitDesk;
  readonly store: ConfigurationStore;
  readonly clock: Clock;
  readonly version: string;
  /** What a configuration would change on the machine's network, in the words of ip(8). */
  readonly preview: (configuration: Configuration) => Promise<readonly string[]>;
  /** The first configuration is in force: nothing is committed before. */
  readonly ready: Promise<void>;
  /** Ends the router and erases what it knows. */
  readonly reset: (author: Author) => Promise<CommandResult>;
}

/** What the control API may ask about configurations, answered by the commit desk, the store and the router. */
export class RouterConfiguration implements ConfigurationControl {
  readonly #parts: RouterConfigurationParts;
  /** What is in force without its secrets: made once, asked for often. */
  #redacted: { readonly of: Configuration; readonly configuration: unknown } | undefined;

  constructor(parts: RouterConfigurationParts) {
    this.#parts = parts;
  }

  running(): unknown {
    const { inForce } = this.#parts.desk;
    if (this.#redacted?.of !== inForce) this.#redacted = { of: inForce, configuration: redactConfiguration(inForce) };
    return this.#redacted.configuration;
  }

  state(): ConfigurationState {
    return this.#parts.desk.state();
  }

  commit(text: string, fileName: string, request: CommitRequest): Promise<CommitResult> {
    return this.#commit({ kind: 'text', text, fileName }, request);
  }

  preview(text: string, fileName: string): Promise<PreviewResult> {
    return this.#preview({ kind: 'text', text, fileName });
  }

  async confirm(author: Author): Promise<CommandResult> {
    await this.#parts.ready;
    return await this.#parts.desk.confirm(author);
  }

  async revert(author: Author): Promise<CommandResult> {
    await this.#parts.ready;
    return await this.#parts.desk.revert(author);
  }

  rollback(revision: number, request: CommitRequest): Promise<CommitResult> {
    return this.#commit({ kind: 'revision', revision }, request);
  }

  async history(): Promise<History> {
    const store = await this.#store();
    return { state: this.state(), ...(await store.history()) };
  }

  async compare(from: RevisionReference, to: RevisionReference): Promise<PreviewResult> {
    const store = await this.#store();
    const compared = await store.compare(from, to);
    if (!compared.ok) return compared;
    // What is on the machine can only be compared with what is in force there.
    const network = from === 'running' ? await this.#parts.preview(compared.to) : [];
    const connections = connectionChanges(compared.from, compared.to);
    return { ok: true, diff: compared.diff, connections, network, warnings: compared.warnings.map(problemText) };
  }

  async candidate(): Promise<CandidateResult> {
    const store = await this.#store();
    return candidateResult(await store.candidate());
  }

  editCandidate(
    text: string,
    fileName: string,
    author: Author,
    takeover: boolean,
    match?: CandidateMatch,
  ): Promise<CandidateResult> {
    return this.#change({ text, fileName, takeover, ...expected(match) }, author);
  }

  patchCandidate(patch: string, author: Author, takeover: boolean, match?: CandidateMatch): Promise<CandidateResult> {
    return this.#change({ text: patch, fileName: 'the patch', patch: true, takeover, ...expected(match) }, author);
  }

  async discardCandidate(author: Author, takeover: boolean, match?: CandidateMatch): Promise<CandidateResult> {
    const store = await this.#store();
    return candidateResult(await store.discardCandidate(author, takeover, match));
  }

  commitCandidate(request: CommitRequest, match?: CandidateMatch): Promise<CommitResult> {
    return this.#commit({ kind: 'candidate', ...expected(match) }, request);
  }

  async backup(passphrase: string): Promise<{ readonly ok: true; readonly text: string } | Refused> {
    const { desk, clock, version, ready } = this.#parts;
    await ready;
    const configuration = desk.inForce;
    const { hostname } = configuration.system;
    const made = { configuration, hostname, version, at: clock.wall(), versions: CURRENT_VERSIONS };
    try {
      return { ok: true, text: await makeBackup(made, passphrase) };
    } catch (error) {
      return { ok: false, reason: clause(error), remedy: 'choose another passphrase' };
    }
  }

  async previewRestore(text: string, passphrase: string): Promise<PreviewResult> {
    const source = await this.#backup(text, passphrase);
    return source.ok ? await this.#preview(source.source) : source;
  }

  async restore(text: string, passphrase: string, request: CommitRequest): Promise<CommitResult> {
    const source = await this.#backup(text, passphrase);
    return source.ok ? await this.#commit(source.source, request) : source;
  }

  factoryReset(author: Author): Promise<CommandResult> {
    return this.#parts.reset(author);
  }

  async #change(change: CandidateChange, author: Author): Promise<CandidateResult> {
    const { desk, clock } = this.#parts;
    const store = await this.#store();
    return candidateResult(await store.editCandidate(change, author, desk.state().revision, clock.wall()));
  }

  /** What was stored before is there. */
  async #store(): Promise<ConfigurationStore> {
    await this.#parts.ready;
    return this.#parts.store;
  }

  async #preview(source: Source): Promise<PreviewResult> {
    const { desk, preview, ready } = this.#parts;
    await ready;
    const prepared = await desk.preview(source);
    if (!prepared.ok) return prepared;
    const { configuration, diff, warnings } = prepared;
    return {
      ok: true,
      diff,
      connections: connectionChanges(desk.inForce, configuration),
      network: await preview(configuration),
      warnings: warnings.map(problemText),
    };
  }

  async #backup(
    text: string,
    passphrase: string,
  ): Promise<{ readonly ok: true; readonly source: Source } | (Refused & { readonly reason: string })> {
    const backup = await openBackup(text, passphrase);
    if (!backup.ok) return backup;
    return { ok: true, source: { kind: 'document', document: backup.document, versions: backup.versions } };
  }

  async #commit(source: Source, request: CommitRequest): Promise<CommitResult> {
    await this.#parts.ready;
    const { comment, ...rest } = request;
    return commitResult(await this.#parts.desk.commit(source, { ...rest, comment }));
  }
}

function expected(match: CandidateMatch | undefined): { readonly match?: CandidateMatch } {
  return match === undefined ? {} : { match };
}

/** A sentence as one that goes on after a colon. */
function clause(error: unknown): string {
  const sentence = error instanceof Error ? error.message : String(error);
  return `${sentence.charAt(0).toLowerCase()}${sentence.slice(1).replace(/\.$/, '')}`;
}

function commitResult(outcome: CommitOutcome): CommitResult {
  if (!outcome.ok) return outcome;
  const { revision, confirmBy, diff, warnings, changes, failures, before, after } = outcome;
  return {
    ok: true,
    revision,
    ...(confirmBy === undefined ? {} : { confirmBy }),
    diff,
    connections: connectionChanges(before, after),
    network: changes,
    warnings: warnings.map(problemText),
    failures,
  };
}

function candidateResult(answer: CandidateAnswer): CandidateResult {
  if (!answer.ok || answer.candidate === undefined) return answer;
  const candidate: Candidate = answer.candidate;
  return { ok: true, candidate };
}
