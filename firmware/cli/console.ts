/** `culvert console` and `culvert configure`: commands one after the other, from a person or from a file. */
import { createInterface } from 'node:readline';
import type { Context } from './command.ts';
import { stateDirOf } from './options.ts';
import { done, failed, isTerminal, untilDrained } from './output.ts';
import { sentence } from './sentence.ts';
import { ShellError } from './shell/grammar.ts';
import { Keyboard } from './shell/keyboard.ts';
import { Screen, type TerminalLine } from './shell/screen.ts';
import { Shell } from './shell/shell.ts';

const { stdin, stdout } = process;

export async function run(context: Context): Promise<number> {
  const person = stdin.isTTY === true && isTerminal(stdout);
  return person ? await withPerson(context) : await withScript(context);
}

async function withPerson(context: Context): Promise<number> {
  const keyboard = new Keyboard();
  const shell = shellOf(context, keyboard, '\r\n');
  stdin.setRawMode(true);
  stdin.on('data', (octets: Buffer) => keyboard.feed(octets)).on('end', () => keyboard.end());
  // The window is gone, or a session of ssh.
  process.once('SIGHUP', () => keyboard.end());
  try {
    if (context.command.name === 'configure') await shell.configure();
    await shell.run();
    return done;
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
  }
}

/** Stops at the first line that fails: what would follow may rest on it. */
async function withScript(context: Context): Promise<number> {
  const keyboard = new Keyboard();
  keyboard.end();
  const shell = shellOf(context, keyboard, '\n');
  try {
    if (context.command.name === 'configure') await shell.configure();
    let number = 0;
    for await (const line of createInterface({ input: stdin, crlfDelay: Number.POSITIVE_INFINITY })) {
      number += 1;
      const code = await shell.execute(line);
      if (code !== done) {
        // What stood before it has been done.
        await shell.keep();
        context.complain(`line ${number} failed, and nothing behind it was done: correct it and give the rest again`);
        return code;
      }
      if (shell.left) break;
    }
    await shell.keep();
    return done;
  } catch (error) {
    context.complain(error instanceof ShellError ? error.message : sentence(error));
    return failed;
  }
}

function shellOf({ options, author }: Context, keyboard: Keyboard, lineEnd: TerminalLine['lineEnd']): Shell {
  const line: TerminalLine = {
    get columns() {
      return stdout.columns ?? 80;
    },
    get rows() {
      return lineEnd === '\n' ? 0 : (stdout.rows ?? 24);
    },
    lineEnd,
    write: (text) => stdout.write(text),
    drained: () => untilDrained(stdout),
  };
  return new Shell({ stateDir: stateDirOf(options), author, screen: new Screen(line, keyboard), files: true });
}
