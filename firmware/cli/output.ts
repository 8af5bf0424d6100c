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

/** Returns when the reader has taken enough of what was written; at once when it is gone. */
export async function untilDrained(stream: NodeJS.WritableStream): Promise<void> {
  if (!('writableNeedDrain' in stream) || stream.writableNeedDrain !== true) return;
  await new Promise<void>((resolve) => {
    stream.once('drain', resolve);
    stream.once('close', resolve);
  });
}

export function isTerminal(stream: NodeJS.WritableStream): boolean {
  return 'isTTY' in stream && stream.isTTY === true;
}

/** Writes over the last line of a terminal. */
export function replaceLine(terminal: NodeJS.WritableStream, text: string): void {
  terminal.write(`\r\u001b[K${escapeInvisible(text)}`);
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
