import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { runCommandLine } from '../../../firmware/cli/command-line.ts';
import { COMMANDS } from '../../../firmware/cli/commands.ts';

async function output(...words: string[]): Promise<{ readonly code: number; readonly stdout: string }> {
  const stdout = new PassThrough({ encoding: 'utf8' });
  const code = await runCommandLine(words, stdout, new PassThrough());
  return { code, stdout: stdout.read() ?? '' };
}

describe('help', () => {
  it('lists every command of the table', async () => {
    const { code, stdout } = await output('help');
    expect(code).toBe(0);
    for (const { name, summary } of COMMANDS) {
      expect(stdout).toContain(`  ${name}`);
      expect(stdout).toContain(summary);
    }
  });

  it.each(COMMANDS.map((command) => command.name))('explains "%s" with every option it takes', async (name) => {
    const { code, stdout } = await output('help', name);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^Usage: culvert ${name}`));
    for (const option of COMMANDS.find((command) => command.name === name)?.options ?? [])
      expect(stdout).toMatch(new RegExp(`^ {2}--${option}\\b.* {2,}\\S`, 'm'));
  });

  it('has no line that a terminal of 120 columns would wrap', async () => {
    for (const { name } of COMMANDS)
      for (const line of (await output('help', name)).stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(120);
  });

  it('suggests a command when the one asked for does not exist', async () => {
    expect((await output('help', 'conect')).code).toBe(2);
  });
});
