/** Commands of `culvert` in the console: the same words, options and sentences. */

import type { Completion } from '../../config/derived/completion.ts';
import type { Author } from '../../config/store/revision.ts';
import { VIA_TUNNEL, VIA_UPLINK } from '../../diagnosis/reach/reach-event.ts';
import { parseCommandLine } from '../arguments.ts';
import type { Command } from '../command.ts';
import { findCommand } from '../commands.ts';
import { MONITORED } from '../monitor-words.ts';
import { OPTIONS, type OptionDescription, type OptionName } from '../options.ts';
import { RESTARTED } from '../restart-words.ts';
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

const restartNames: Arguments = async (facts) => [
  ...Object.entries(RESTARTED).map(([name, help]) => key(name, help)),
  ...(await connectionNames(facts, [])),
];

const monitored: Arguments = async (facts, [topic]) => {
  if (topic === 'traffic') return await facts.counted();
  if (topic === 'log') return [placeholder('text', 'Only lines with this text in them.')];
  if (topic !== undefined) return [];
  return Object.entries(MONITORED).map(([name, help]) => key(name, help));
};

const captureNames: Arguments = async (facts) => [
  ...(await facts.ways()),
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

const userActions: Arguments = async (_facts, [first, ...more]) => {
  if (first === undefined)
    return [
      key('list', 'Who may log in.'),
      key('sessions', 'Who is logged in.'),
      key('revoke', 'Ends a session.'),
      key('totp', 'Sets up a second factor.'),
      key('token', 'Tokens for programs.'),
    ];
  if (first === 'token' && more.length === 0)
    return [
      key('create', 'Makes one, which is shown once.'),
      key('list', 'Those that are good for something.'),
      key('revoke', 'Ends one.'),
    ];
  const by = first === 'totp' || more[0] === 'create' ? placeholder('user', 'Whose it will be.') : undefined;
  return first === 'list' || first === 'sessions' || more[0] === 'list'
    ? []
    : [by ?? placeholder('id', 'As the list prints it.')];
};

const seconds: Arguments = async () => [placeholder('seconds', 'How long, up to an hour; 0 ends it.')];

const hosts: Arguments = async () => [
  placeholder('host', 'An address, or a name that is resolved through the uplink.'),
];

/** Values of an option, each of which is offered whole. */
const VALUES: { readonly [Name in OptionName]?: (facts: Facts) => Promise<readonly Completion[]> } = {
  via: async (facts) => [
    key(VIA_TUNNEL, 'As the traffic of the branch goes.'),
    key(VIA_UPLINK, 'Past all tunnels.'),
    ...(await facts.ways()),
  ],
};

interface Offered {
  readonly arguments?: Arguments;
  readonly streams?: boolean;
  /** ^C ends it in good order, and it says what it came to. */
  readonly concludes?: boolean;
}

/** The commands that make sense here, in the order of help. Others work on files of the machine where they are typed. */
const OFFERED: Readonly<Record<string, Offered>> = {
  show: { arguments: topics },
  connect: { arguments: connectionNames, streams: true },
  disconnect: { arguments: connectionNames },
  restart: { arguments: restartNames, streams: true },
  identify: { arguments: seconds },
  ping: { arguments: hosts, streams: true, concludes: true },
  traceroute: { arguments: hosts, streams: true, concludes: true },
  monitor: { arguments: monitored, streams: true, concludes: true },
  capture: { arguments: captureNames, streams: true, concludes: true },
  diagnose: { arguments: connectionNames },
  compare: { arguments: revisionNames },
  confirm: {},
  revert: {},
  rollback: { arguments: revisionNumbers },
  user: { arguments: userActions },
  reboot: {},
  poweroff: {},
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
    const command = findCommand(name);
    return command === undefined ? [] : [shellCommand(command, offered, options)];
  });
}

function shellCommand(
  command: Command,
  { arguments: offers, streams = false, concludes = false }: Offered,
  options: OperationalOptions,
): ShellCommand {
  const taken = command.options.filter((name) => !NOT_HERE.includes(name));
  return {
    name: command.name,
    help: command.summary,
    streams,
    concludes: () => concludes,
    follow: async (words): Promise<Offers> => {
      const { min, max } = command.positionals ?? { min: 0, max: 0 };
      const given = words.filter((word) => !word.startsWith('--')).length;
      const more = given < max && offers !== undefined ? await offers(options.facts, words) : [];
      const said = (name: OptionName) => words.some((word) => word === `--${name}` || word.startsWith(`--${name}=`));
      const left = given < min ? [] : taken.filter((name) => !said(name));
      const written = await Promise.all(left.map((name) => optionOffers(name, command, options.facts)));
      return { offers: [...more, ...written.flat()], enough: given >= min };
    },
    run: (words, running) => runCommand(command.name, words, running, options),
  };
}

async function optionOffers(name: OptionName, command: Command, facts: Facts): Promise<readonly Completion[]> {
  const { value, summary }: OptionDescription = OPTIONS[name];
  const values = await VALUES[name]?.(facts);
  if (values !== undefined) return values.map(({ text, help }) => ({ text: `--${name}=${text}`, help, kind: 'value' }));
  const text = value === undefined || command.valueOptional?.includes(name) ? `--${name}` : `--${name}=`;
  return [{ text, help: sentence(summary), kind: 'value' }];
}

async function runCommand(
  name: string,
  words: readonly string[],
  { out, signal }: Running,
  { stateDir, author, terminal }: OperationalOptions,
): Promise<number> {
  const which = findCommand(name)?.options.includes('state-dir') === true ? [`--state-dir=${stateDir}`] : [];
  const invocation = parseCommandLine([name, ...words, ...which]);
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
