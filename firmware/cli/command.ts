/** What a command of `culvert` is, and what it gets to work with. */
import type { Author } from '../config/store/revision.ts';
import type { OptionName, ParsedOptions } from './options.ts';
import type { Asking } from './terminal.ts';

export interface Command {
  readonly name: string;
  /** As usage shows it: `FILE`, `NAME`; empty when there is none. */
  readonly parameters: string;
  /** How many positional arguments it takes; none when absent. */
  readonly positionals?: { readonly min: number; readonly max: number };
  readonly options: readonly OptionName[];
  /** Those of them that may stand without their value, which then is empty. */
  readonly valueOptional?: readonly OptionName[];
  /** One line for the list of commands, without a full stop. */
  readonly summary: string;
  /** Further lines of `culvert help COMMAND`. */
  readonly details?: readonly string[];
  /** Loaded when it is used: a command starts no slower for the others' sake. */
  readonly load: () => Promise<{ readonly run: (context: Context) => Promise<number> }>;
}

export interface Context {
  readonly command: Command;
  readonly positionals: readonly string[];
  readonly options: ParsedOptions;
  /** Writes one or more lines on stdout. */
  readonly out: (text: string) => void;
  /** Writes octets on stdout as they are; absent where it is a terminal. */
  readonly raw?: (octets: Uint8Array) => void;
  /** Waits while the reader of stdout is behind: for commands that write without end. */
  readonly drained: () => Promise<void>;
  /**
   * Puts a line on the terminal in place of the last one; an empty one takes it away. Absent where stderr is no terminal,
   * or where stdout is one too and the two would get in each other's way.
   */
  readonly progress?: (text: string) => void;
  /** Asks the person who typed the command; absent where stdin is no terminal. */
  readonly terminal?: Asking;
  /** Who gave the command, and by which way. */
  readonly author: Author;
  /** Aborted when that person has had enough. */
  readonly signal?: AbortSignal;
  /** Writes one line on stderr, `culvert: ...`. */
  readonly complain: (text: string) => void;
}

/** As much of it as it takes to say what came of something. */
export type Saying = Pick<Context, 'options' | 'out' | 'complain'>;

/** The command line is wrong: exit code 2. The message says why and what to do, one sentence without a full stop. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
