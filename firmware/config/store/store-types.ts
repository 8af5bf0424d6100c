/** What the store's worker thread is asked, and what it answers. Everything here can be cloned between threads. */
import type { Problem } from '../problem.ts';
import type { Configuration } from '../schema.ts';
import type { Author, RevisionInfo } from './revision.ts';
import type { StoredEvent } from './store-database.ts';

export type Refused =
  /** The configuration is wrong: the errors first. */
  | { readonly ok: false; readonly problems: readonly Problem[] }
  /** It could not be tried or written; sentences without a full stop. `stale`: the draft is another one than was expected. */
  | { readonly ok: false; readonly reason: string; readonly remedy: string; readonly stale?: true };

/** The draft that somebody expects to find: any, or one with an entity tag of these (RFC 9110 section 13.1.1). */
export type CandidateMatch = '*' | readonly string[];

/** Why what is in force is not what was confirmed last. Sentences without a full stop. */
export interface Recovery {
  readonly kind: 'recovered' | 'failsafe';
  readonly reason: string;
  readonly remedy: string;
}

/** What is found at the start. */
export interface OpenReport {
  /** What has to be in force; absent: what the factory says. */
  readonly confirmed?: { readonly info: RevisionInfo; readonly configuration: Configuration };
  /** One that was in force when the program ended, and had not been confirmed. */
  readonly pending?: RevisionInfo;
  readonly recovery?: Recovery;
  /** For the log, one sentence each. */
  readonly notes: readonly string[];
}

/** Where a configuration comes from. */
export type Source =
  | { readonly kind: 'text'; readonly text: string; readonly fileName: string }
  | { readonly kind: 'revision'; readonly revision: number }
  | { readonly kind: 'candidate'; readonly match?: CandidateMatch }
  /** Of a backup. */
  | { readonly kind: 'document'; readonly document: unknown; readonly versions: Readonly<Record<string, number>> };

export type Prepared =
  | {
      readonly ok: true;
      readonly configuration: Configuration;
      readonly warnings: readonly Problem[];
      /** Against what is in force. */
      readonly diff: readonly string[];
      /** It is what is in force. */
      readonly same: boolean;
      /** Entity tag of the draft that it was made from. */
      readonly candidate?: string;
    }
  | Refused;

export interface BeginRequest extends Author {
  readonly comment: string;
  readonly at: number;
  readonly confirmBy?: number;
  /** For the events. */
  readonly text: string;
}

export type Written = { readonly ok: true } | { readonly ok: false; readonly reason: string; readonly remedy: string };

export interface StoredHistory {
  /** The newest first. */
  readonly revisions: readonly RevisionInfo[];
  readonly events: readonly StoredEvent[];
}

/** A draft, secrets replaced by stars. */
export interface CandidateView extends Author {
  readonly base: number;
  readonly at: number;
  readonly text: string;
  /** Entity tag (RFC 9110 section 8.8.3), quotes included: another one after each change. */
  readonly etag: string;
}

export interface CandidateChange {
  /** The whole draft; of a patch, what changes (RFC 7396). */
  readonly text: string;
  readonly fileName: string;
  readonly patch?: boolean;
  /** Also when the draft is somebody else's. */
  readonly takeover: boolean;
  readonly match?: CandidateMatch;
}

export type CandidateAnswer =
  | { readonly ok: true; readonly candidate?: CandidateView }
  | {
      readonly ok: false;
      readonly reason: string;
      readonly remedy: string;
      readonly owner?: Author;
      /** The draft is another one than was expected. */
      readonly stale?: true;
    };

/** A revision by its number, or what is in force, or the draft. */
export type Reference = number | 'running' | 'candidate';

export type Compared =
  | {
      readonly ok: true;
      readonly diff: readonly string[];
      readonly from: Configuration;
      readonly to: Configuration;
      readonly warnings: readonly Problem[];
    }
  | Refused;
