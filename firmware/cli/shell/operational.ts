/** Commands of `culvert` in the console: the same words, options and sentences. */

import type { Completion } from '../../config/derived/completion.ts';
import type { Author } from '../../config/store/revision.ts';
import { parseCommandLine } from '../arguments.ts';
import type { Command } from '../command.ts';
import { COMMANDS } from '../commands.ts';
import { OPTIONS, type OptionDescription, type OptionName } from '../options.ts';
import { SHOW_TOPIC_HELP } from '../show-topics.ts';
import type { Asking } from '../terminal.ts';
import type { Facts } from './facts.ts';
import { key, type Offers, placeholder, type Running, type ShellCommand } from './grammar.ts';

export interface OperationalOptions {
  readonly stateDir: string;
  readonly author: Author;
  readonly facts: Facts;
  readonly terminal: Asking;
}

/** What can stand in place of an argument. */
type Arguments = (facts: Facts, before: readonly string[]) => Promise<readonly Completion[]>;

const connectionNames: Arguments = async (facts) => [
  ...(await facts.connections()),
  placeholder('name', 'An L2TP client or server, or an IPsec connection.'),
];

const captureNames: Arguments = async (facts) => [
  ...(await facts.connections()),
  placeholder('name', 'An interface, a network device, or one of these.'),
];

const revisionNumbers: Arguments = async (facts) => [
  ...(await facts.revisions()),
  placeholder('revision', 'A number of "show history".'),
];

const revisionNames: Arguments = async (facts) => [
  key('running', 'What is in force.'),
  key('candidate', 'The draft.'),
  ...(await revisionNumbers(facts, [])),
];

const topics: Arguments = async () =>
  Object.entries(SHOW_TOPIC_HELP).map(([topic, help]) => key(topic, sentence(help)));

/** The commands that make sense here, in the order of help. Others work on files of the machine where they are typed. */
const OFFERED: Readonly<Record<string, { readonly arguments?: Arguments; readonly streams?: boolean }>> = {
  show: { arguments: topics },
  connect: { arguments: connectionNames, streams: true },
  disconnect: { arguments: connectionNames },
  capture: { arguments: captureNames, streams: true },
  diagnose: { arguments: connectionNames },
  compare: { arguments: revisionNames },
  confirm: {},
  revert: {},
  rollback: { arguments: revisionNumbers },
  'factory-reset': {},
  version: {},
};

/** Options that only make sense where a shell is around the command. */
const NOT_HERE: readonly OptionName[] = [
  'state-dir',
  'replay',
  'secret',
  'secret-file',
  'password',
  'password-file',
  'yes',
  'file',
  'force',
];

export function operationalCommands(options: OperationalOptions): readonly ShellCommand[] {
  return Object.entries(OFFERED).flatMap(([name, offered]) => {
    const command = COMMANDS.find((known) => known.name === name);
    return command === undefined ? [] : [shellCommand(command, offered, options)];
  });
}

function shellCommand(
  command: Command,
  { arguments: offers, streams = false }: (typeof OFFERED)[string],
  options: OperationalOptions,
): ShellCommand {
  const taken = command.options.filter((name) => !NOT_HERE.includes(name));
  return {
    name: command.name,
    help: command.summary,
    streams,
    follow: async (words): Promise<Offers> => {
      const { min, max } = command.positionals ?? { min: 0, max: 0 };
      const given = words.filter((word) => !word.startsWith('--')).length;
      const more = given < max && offers !== undefined ? await offers(options.facts, words) : [];
      const left = given < min ? [] : taken.filter((name) => !words.includes(`--${name}`));
      const written = left.map((name): Completion => {
        const { value, summary }: OptionDescription = OPTIONS[name];
        const text = value === undefined || command.valueOptional?.includes(name) ? `--${name}` : `--${name}=`;
        return { text, help: sentence(summary), kind: 'value' };
      });
      return { offers: [...more, ...written], enough: given >= min };
    },
    run: (words, running) => runCommand(command.name, words, running, options),
  };
}

async function runCommand(
  name: string,
  words: readonly string[],
  { out, signal }: Running,
  { stateDir, author, terminal }: OperationalOptions,
): Promise<number> {
  const invocation = parseCommandLine([name, ...words, `--state-dir=${stateDir}`]);
  const { run } = await invocation.command.load();
  return await run({
    ...invocation,
    out,
    drained: async () => undefined,
    complain: (text) => out(text),
    terminal,
    author,
    signal,
  });
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
}
