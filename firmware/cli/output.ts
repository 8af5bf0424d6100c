/** What commands write: lines on stdout for what was asked, one line on stderr for what went wrong. */
import { escapeInvisible } from '../log/escape-invisible.ts';

/** Exit codes of the outside contract. */
export const done = 0;
export const failed = 1;
export const wrongUsage = 2;

/** Writes text and a line feed; nothing in it can move the cursor of a terminal or hide a character. */
export function writeLine(stream: NodeJS.WritableStream, text: string): void {
  stream.write(`${escapeInvisible(text)}\n`);
}

/**
 * Ends quietly when the reader of our output went away (`culvert show log | head -1`). A router whose stderr nobody reads
 * any more runs on.
 */
export function tolerateClosedPipes(): void {
  const ignoring = (act: () => void) => (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    act();
  };
  process.stdout.on(
    'error',
    ignoring(() => process.exit()),
  );
  process.stderr.on(
    'error',
    ignoring(() => undefined),
  );
}
