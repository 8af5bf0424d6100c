/** What a person gets once they are logged in. The console of a line is below the command line, which is handed in. */
import type { LoginSession } from '../api/account-control.ts';

export interface ShellLine {
  readonly write: (text: string) => void;
  /** Returns when what was written is on its way. */
  readonly drained: () => Promise<void>;
  /** To be called when less is typed ahead than before. */
  readonly onRoom: () => void;
}

export interface ShellSession {
  feed(octets: Uint8Array): void;
  /** The person is gone, or has to go. What was not put in force stays with the router as a draft. */
  hangUp(): void;
  /** Characters that nothing has asked for yet. */
  readonly typedAhead: number;
  readonly ended: Promise<void>;
}

export type StartShell = (session: LoginSession, line: ShellLine) => ShellSession;
