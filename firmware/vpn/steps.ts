import type { Failure } from '../protocol/machine.ts';

/** States of a connection, as the outside contract names them. */
export type ConnectionState = 'down' | 'connecting' | 'up' | 'failed';

/** One step of a connection as it happens: a message sent or received, or something decided. */
export interface Step {
  readonly direction?: 'sent' | 'received';
  /** `SCCRQ`, `LCP Configure-Request`, `resolve` ... */
  readonly step: string;
  readonly detail?: string;
}

/** A failure in one line: step, what was seen, what to do. */
export function failureLine(failure: Failure): string {
  return `${failure.step}: ${failure.reason}; ${failure.remedy}`;
}

/** What was thrown, in its own words. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A fault of the program itself, which ends an attempt instead of the router. */
export function internalFailure(error: unknown): Failure {
  return {
    step: 'internal error',
    reason: `the program made a mistake: ${errorText(error)}`,
    remedy: 'report it with the log; the connection is tried again by itself',
  };
}
