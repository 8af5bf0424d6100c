/** Configurations without a store: what the tests of the control API and of the commands talk to. */
import type {
  CandidateResult,
  CommitRequest,
  CommitResult,
  ConfigurationControl,
  ConfigurationState,
  History,
  PreviewResult,
  Refused,
  RevisionReference,
} from '../../../firmware/api/configuration-control.ts';
import type { CommandResult } from '../../../firmware/api/router-control.ts';
import type { Author } from '../../../firmware/config/store/revision.ts';
import type { CandidateMatch } from '../../../firmware/config/store/store-types.ts';

export const COMMITTED: CommitResult & { readonly ok: true } = {
  ok: true,
  revision: 7,
  diff: [],
  connections: [],
  network: [],
  warnings: [],
  failures: [],
};

export const PREVIEW: PreviewResult & { readonly ok: true } = {
  ok: true,
  diff: ['~ system.hostname: "a" -> "b"'],
  connections: ['L2TP client "hq" starts anew'],
  network: ['ip address add 192.168.13.1/24 dev lan0'],
  warnings: [],
};

const REVISION = { hash: '0'.repeat(64), who: 'alice', via: 'cli', at: Date.UTC(2026, 10, 26) } as const;

export const HISTORY: History = {
  state: { revision: 7, state: 'confirmed' },
  revisions: [
    { ...REVISION, id: 7, parent: 5, comment: 'new server', state: 'confirmed' },
    { ...REVISION, id: 6, parent: 5, comment: '', state: 'reverted', reason: 'nobody confirmed it in time' },
    { ...REVISION, id: 5, comment: '', state: 'confirmed' },
  ],
  events: [{ at: REVISION.at, text: 'revision 7 was confirmed by alice (cli)' }],
};

/** Answers what it is told to, and remembers what it was asked. */
export class FakeConfiguration implements ConfigurationControl {
  readonly applied: { readonly text: string; readonly fileName: string; readonly request?: CommitRequest }[] = [];
  /** Every other call: name and parameters. */
  readonly asked: unknown[][] = [];
  commitResult: CommitResult = COMMITTED;
  previewResult: PreviewResult = PREVIEW;
  commandResult: CommandResult = { ok: true };
  candidateResult: CandidateResult = { ok: true };
  backupResult: { readonly ok: true; readonly text: string } | Refused = { ok: true, text: '{"kind":"backup"}' };
  historyNow: History = HISTORY;

  runningNow: unknown = { system: { hostname: 'branch-12' }, l2tp: { clients: { hq: { password: '[secret]' } } } };

  running(): unknown {
    return this.runningNow;
  }

  state(): ConfigurationState {
    return this.historyNow.state;
  }

  async commit(text: string, fileName: string, request: CommitRequest): Promise<CommitResult> {
    this.applied.push({ text, fileName, request });
    return this.commitResult;
  }

  async preview(text: string, fileName: string): Promise<PreviewResult> {
    this.asked.push(['preview', text, fileName]);
    return this.previewResult;
  }

  async confirm(author: Author): Promise<CommandResult> {
    this.asked.push(['confirm', author]);
    return this.commandResult;
  }

  async revert(author: Author): Promise<CommandResult> {
    this.asked.push(['revert', author]);
    return this.commandResult;
  }

  async rollback(revision: number, request: CommitRequest): Promise<CommitResult> {
    this.asked.push(['rollback', revision, request]);
    return this.commitResult;
  }

  async history(): Promise<History> {
    return this.historyNow;
  }

  async compare(from: RevisionReference, to: RevisionReference): Promise<PreviewResult> {
    this.asked.push(['compare', from, to]);
    return this.previewResult;
  }

  async candidate(): Promise<CandidateResult> {
    return this.candidateResult;
  }

  async editCandidate(
    text: string,
    name: string,
    author: Author,
    takeover: boolean,
    match?: CandidateMatch,
  ): Promise<CandidateResult> {
    this.asked.push(['editCandidate', text, name, author, takeover, ...(match === undefined ? [] : [match])]);
    return this.candidateResult;
  }

  async patchCandidate(
    patch: string,
    author: Author,
    takeover: boolean,
    match?: CandidateMatch,
  ): Promise<CandidateResult> {
    this.asked.push(['patchCandidate', patch, author, takeover, ...(match === undefined ? [] : [match])]);
    return this.candidateResult;
  }

  async discardCandidate(author: Author, takeover: boolean, match?: CandidateMatch): Promise<CandidateResult> {
    this.asked.push(['discardCandidate', author, takeover, ...(match === undefined ? [] : [match])]);
    return this.candidateResult;
  }

  async commitCandidate(request: CommitRequest, match?: CandidateMatch): Promise<CommitResult> {
    this.asked.push(['commitCandidate', request, ...(match === undefined ? [] : [match])]);
    return this.commitResult;
  }

  async backup(passphrase: string): Promise<{ readonly ok: true; readonly text: string } | Refused> {
    this.asked.push(['backup', passphrase]);
    return this.backupResult;
  }

  async previewRestore(text: string, passphrase: string): Promise<PreviewResult> {
    this.asked.push(['previewRestore', text, passphrase]);
    return this.previewResult;
  }

  async restore(text: string, passphrase: string, request: CommitRequest): Promise<CommitResult> {
    this.asked.push(['restore', text, passphrase, request]);
    return this.commitResult;
  }

  async factoryReset(author: Author): Promise<CommandResult> {
    this.asked.push(['factoryReset', author]);
    return this.commandResult;
  }
}
