/** One command line, from its words to its exit code. */
import { parseCommandLine } from './arguments.ts';
import { UsageError } from './command.ts';
import { localAuthor } from './commit-request.ts';
import { failed, isTerminal, replaceLine, untilDrained, writeLine, wrongUsage } from './output.ts';
import { sentence } from './sentence.ts';
import { Terminal, type TerminalInput } from './terminal.ts';

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
      ...(!isTerminal(stdout) && { raw: (octets) => void stdout.write(octets) }),
      drained: () => untilDrained(stdout),
      ...(isTerminal(stderr) && !isTerminal(stdout) && { progress: (text) => replaceLine(stderr, text) }),
      ...(stdin.isTTY === true && { terminal: new Terminal(stdin, stderr) }),
      complain,
      author: localAuthor(),
    });
  } catch (error) {
    complain(sentence(error));
    return error instanceof UsageError ? wrongUsage : failed;
  }
}
