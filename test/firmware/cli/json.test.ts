/** What a script can rely on: each command that tells something tells it as JSON, too. */
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCommandLine } from '../../../firmware/cli/command-line.ts';
import { COMMANDS } from '../../../firmware/cli/commands.ts';
import { SHOW_TOPICS } from '../../../firmware/cli/show-topics.ts';
import { contractDocument } from '../config/example.ts';
import { ConsoleBench } from './shell/console.ts';

let bench: ConsoleBench;
beforeEach(async () => {
  bench = await new ConsoleBench().start(JSON.stringify(contractDocument()));
  bench.router.lines = [JSON.stringify({ level: 'info', msg: 'a line' })];
});
afterEach(() => bench.end());

async function culvert(...words: string[]) {
  const stdout = new PassThrough({ encoding: 'utf8' });
  const stderr = new PassThrough({ encoding: 'utf8' });
  const code = await runCommandLine([...words, '--state-dir', bench.store.directory], stdout, stderr);
  return { code, stdout: stdout.read() ?? '', stderr: stderr.read() ?? '' };
}

/** They print pcapng, a page for people, or what the commands in them print. */
const NO_JSON = ['run', 'capture', 'console', 'configure', 'help'];

describe('--json', () => {
  it('is an option of every command that tells something', () => {
    const without = COMMANDS.filter(({ options }) => !options.includes('json')).map(({ name }) => name);
    expect(without.sort()).toEqual([...NO_JSON].sort());
  });

  it.each(SHOW_TOPICS)('of "show %s" is JSON and nothing else, and without it there is text', async (topic) => {
    const { code, stdout, stderr } = await culvert('show', topic, '--json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).not.toBe('');
    const whole = topic === 'log' ? stdout.trimEnd().split('\n') : [stdout];
    for (const text of whole) expect(() => JSON.parse(text), text).not.toThrow();
    expect(stdout).not.toMatch(/labpsk|alice-pw|bob-pw/);
    const text = await culvert('show', topic);
    expect(text).toMatchObject({ code: 0, stderr: '' });
    expect(text.stdout).not.toMatch(/undefined|\[object|NaN/);
    if (topic !== 'config') expect(text.stdout).not.toMatch(/^[{[]/);
  });

  it('of connect and disconnect tells the end on a line of its own', async () => {
    expect(await culvert('connect', 'hq', '--json')).toMatchObject({ code: 0, stdout: '{"name":"hq","state":"up"}\n' });
    expect(await culvert('disconnect', 'hq', '--json')).toMatchObject({
      code: 0,
      stdout: '{"name":"hq","state":"down"}\n',
    });
  });
});
