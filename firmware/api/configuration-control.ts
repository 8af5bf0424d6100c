/** What the control API serves about configurations: commit, confirmation, history, candidate, backup. */
import type { Author } from '../config/store/revision.ts';
import type { CandidateMatch } from '../config/store/store-types.ts';
import type {
  candidateSchema,
  committedSchema,
  configurationStateSchema,
  differenceSchema,
  historySchema,
} from './configuration-schemas.ts';
import type { CommandResult, ConfigurationProblem } from './router-control.ts';
import type { Body } from './schema-parts.ts';

/** What one configuration differs in from another. */
export type Difference = Body<typeof differenceSchema>;
/** What is in force, and how safe that is. */
export type ConfigurationState = Body<typeof configurationStateSchema>;
export type History = Body<typeof historySchema>;
/** A draft that somebody is working on; there is one at a time. */
export type Candidate = Body<typeof candidateSchema>;

/** How a configuration is to be put in force. */
export interface CommitRequest extends Author {
  /** For the history; at most 256 characters. */
  readonly comment: string;
  /**
   * Seconds within `CONFIRM_WITHIN_S`: it reverts by itself unless it is confirmed by then. Absent: it is confirmed at once.
   */
  readonly confirmWithin?: number;
  /**
   * Only with `confirmWithin`: it is confirmed by itself when every connection that was up before, and is still configured,
   * is up again; else it reverts at the end of the window.
   */
  readonly check?: boolean;
  /** The revision that the author saw: refused when another one is in force by now. */
  readonly base?: number;
}

export type Refused =
  /** The configuration is wrong: the errors first, then what would have been warnings. */
  | { readonly ok: false; readonly problems: readonly ConfigurationProblem[] }
  /**
   * It was not tried, or the state directory cannot be written; sentences without a full stop. `stale`: the draft is another
   * one than was expected.
   */
  | { readonly ok: false; readonly reason: string; readonly remedy: string; readonly stale?: true };

export type PreviewResult = ({ readonly ok: true } & Difference) | Refused;

export type CommitResult = ({ readonly ok: true } & Body<typeof committedSchema>) | Refused;

export type CandidateResult =
  | { readonly ok: true; readonly candidate?: Candidate }
  /** Somebody else's is in the way: `owner` says whose. `stale`: it is another one than was expected. */
  | {
      readonly ok: false;
      readonly reason: string;
      readonly remedy: string;
      readonly owner?: Author;
      readonly stale?: true;
    };

/** A revision by its number, or what is in force, or the candidate. */
export type RevisionReference = number | 'running' | 'candidate';

/** No method throws for what a user can cause. */
export interface ConfigurationControl {
  /** What is in force, secrets left out. The same object as long as it stays so. */
  running(): unknown;
  state(): ConfigurationState;
  /** Validates the text (JSON or YAML) and puts it in force, whole or not at all. @param fileName for messages only. */
  commit(text: string, fileName: string, request: CommitRequest): Promise<CommitResult>;
  /** What {@link commit} would do; nothing is changed. */
  preview(text: string, fileName: string): Promise<PreviewResult>;
  /** What waits for its confirmation stays. */
  confirm(author: Author): Promise<CommandResult>;
  /** What waits for its confirmation is taken back now. */
  revert(author: Author): Promise<CommandResult>;
  /** Puts the document of an earlier revision in force, as a new revision. */
  rollback(revision: number, request: CommitRequest): Promise<CommitResult>;
  history(): Promise<History>;
  compare(from: RevisionReference, to: RevisionReference): Promise<PreviewResult>;
  /** The draft, whoever has it. */
  candidate(): Promise<CandidateResult>;
  /**
   * Replaces the draft, or begins it. Stars in the place of secrets mean the secret that stands there already.
   * @param takeover also when it is somebody else's.
   * @param match refused as stale unless the draft is that one; absent: whatever is there.
   */
  editCandidate(
    text: string,
    fileName: string,
    author: Author,
    takeover: boolean,
    match?: CandidateMatch,
  ): Promise<CandidateResult>;
  /** Changes members of the draft; where there is none, it is begun with what is in force. @param patch RFC 7396, as JSON. */
  patchCandidate(patch: string, author: Author, takeover: boolean, match?: CandidateMatch): Promise<CandidateResult>;
  discardCandidate(author: Author, takeover: boolean, match?: CandidateMatch): Promise<CandidateResult>;
  commitCandidate(request: CommitRequest, match?: CandidateMatch): Promise<CommitResult>;
  /** The configuration in force with its secrets, as one JSON file under a passphrase. */
  backup(passphrase: string): Promise<{ readonly ok: true; readonly text: string } | Refused>;
  previewRestore(text: string, passphrase: string): Promise<PreviewResult>;
  restore(text: string, passphrase: string, request: CommitRequest): Promise<CommitResult>;
  /** Destroys the device key, then every configuration and counter, and ends the router; the next start is the first. */
  factoryReset(author: Author): Promise<CommandResult>;
}
