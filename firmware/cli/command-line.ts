/** One command line, from its words to its exit code. */
import { HalError } from '../../hal/hal-error.ts';
import { ControlSocketError } from '../api/control-socket.ts';
import { ControlClientError } from '../api/transport.ts';
import { ImportError } from '../certificates/import-error.ts';
import { KeyFileError } from '../diagnosis/decode/keys/key-files.ts';
import { parseCommandLine } from './arguments.ts';
import { UsageError } from './command.ts';
import { failed, isTerminal, replaceLine, untilDrained, writeLine, wrongUsage } from './output.ts';
import { NotAnsweredError, Terminal, type TerminalInput } from './terminal.ts';
import { FileError } from './text-file.ts';

/** Runs the command. Whatever it throws becomes one line on `stderr`. @returns the exit code: 0, 1 or 2. */
export async function runCommandLine(
  words: readonly string[],
  stdout: NodeJS.WritableStream,
  stderr: NodeJS.WritableStream,
  stdin: TerminalInput = process.stdin,
): Promise<number> {
  const complain = (text: string) => writeLine(stderr, `culvert: ${text.replaceAll('\n', ' ')}`);
  try {
    const invocation = parseCommandLine(words);
    const { run } = await invocation.command.load();
    return await run({
      ...invocation,
      out: (text) => writeLine(stdout, text),
      drained: () => untilDrained(stdout),
      ...(isTerminal(stderr) && !isTerminal(stdout) && { progress: (text) => replaceLine(stderr, text) }),
      ...(stdin.isTTY === true && { terminal: new Terminal(stdin, stderr) }),
      complain,
    });
  } catch (error) {
    complain(sentence(error));
    return error instanceof UsageError ? wrongUsage : failed;
  }
}

/** Errors whose message is one sentence for a person. */
const FOR_PEOPLE = [
  ImportError,
  UsageError,
  ControlClientError,
  ControlSocketError,
  HalError,
  KeyFileError,
  FileError,
  NotAnsweredError,
];

function sentence(error: unknown): string {
  if (error instanceof Error && FOR_PEOPLE.some((kind) => error instanceof kind)) return error.message;
  return `unexpected failure: ${error instanceof Error ? error.message : String(error)}`;
}
