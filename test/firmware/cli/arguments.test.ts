import { describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../../firmware/cli/arguments.ts';
import { UsageError } from '../../../firmware/cli/command.ts';
import { COMMANDS } from '../../../firmware/cli/commands.ts';

describe('the command line', () => {
  it.each([
    [['show', 'status', '--json'], 'show', ['status'], { json: true }],
    [['--state-dir', '/s', 'connect', 'hq'], 'connect', ['hq'], { 'state-dir': '/s' }],
    [['connect', '--state-dir=/s', '--', '--odd'], 'connect', ['--odd'], { 'state-dir': '/s' }],
    [['run', '--board', 'simulated', '--config', 'b.json'], 'run', [], { board: 'simulated', config: 'b.json' }],
    [['show', 'ipsec', '--keys'], 'show', ['ipsec'], { keys: '' }],
    [['show', 'ipsec', '--keys', '--json'], 'show', ['ipsec'], { keys: '', json: true }],
    [['show', 'ipsec', '--keys', 'hq', '--json'], 'show', ['ipsec'], { keys: 'hq', json: true }],
    [['show', '--keys=hq', 'ipsec'], 'show', ['ipsec'], { keys: 'hq' }],
    [['--version'], 'version', [], {}],
    [['--help'], 'help', [], {}],
    [['apply', '-h'], 'help', ['apply'], {}],
  ])('%j is understood', (words, name, positionals, options) => {
    const invocation = parseCommandLine(words);
    expect(invocation.command.name).toBe(name);
    expect(invocation).toMatchObject({ positionals, options });
  });

  it.each([
    [['connect'], '"culvert connect" needs NAME: write "culvert connect NAME"'],
    [['connect', 'a', 'b'], '"b" is one argument too many'],
    [['run', '--json'], '"culvert run" has no option --json: it takes --state-dir, --board, --config'],
    [['help', '--json'], 'it takes no options'],
    [['show', 'log', '--json=yes'], '--json takes no value: leave "yes" out'],
    [['show', 'log', '--state-dir'], '--state-dir needs a value'],
    [['show', 'log', '--state-dir', '--json'], '--state-dir needs a value'],
    [['decode', 'x.pcap', '--keys'], '--keys needs a value: give it as --keys FILE|NAME'],
    [['decode', '--keys', '--json', 'x.pcap'], '--keys needs a value'],
    [['show', 'log', '-j'], 'there is no option "-j"'],
    [['frobnicate'], 'there is no command "frobnicate": try "culvert help"'],
    [['show', '--constructor'], 'there is no option "--constructor"'],
  ])('%j is refused in words', (words, sentence) => {
    const parse = () => parseCommandLine(words);
    expect(parse).toThrow(UsageError);
    expect(parse).toThrow(sentence);
  });

  it('suggests nothing for a word that is near to nothing', () => {
    expect(() => parseCommandLine(['frobnicate'])).not.toThrow('did you mean');
  });

  it('has each command once', () => {
    const names = COMMANDS.map((command) => command.name);
    expect(new Set(names).size).toBe(names.length);
  });
});
