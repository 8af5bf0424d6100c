/** What somebody may do on the console, by their role. What is not listed is for administrators. */
import type { Role } from '../../api/account-control.ts';
import type { OptionName } from '../options.ts';
import type { ShowTopic } from '../show-topics.ts';
import { type ShellCommand, ShellError } from './grammar.ts';

const VIEWER = ['show', 'monitor', 'compare', 'version', 'exit'];

const COMMANDS_OF: Readonly<Record<Exclude<Role, 'admin'>, readonly string[]>> = {
  viewer: VIEWER,
  operator: [...VIEWER, 'connect', 'disconnect', 'diagnose', 'identify', 'ping', 'traceroute'],
};

/** Whoever has the keys of a connection has its traffic. */
const ADMIN_OPTIONS: readonly OptionName[] = ['keys'];

/** Of `show`: who did what, as over `web.sock`. */
const ADMIN_TOPICS: readonly string[] = ['audit'] satisfies readonly ShowTopic[];

/** Those of the commands that the role may give, without the options and topics that it may not. */
export function commandsFor(role: Role, commands: readonly ShellCommand[]): readonly ShellCommand[] {
  if (role === 'admin') return commands;
  const listed = COMMANDS_OF[role];
  return commands.filter(({ name }) => listed.includes(name)).map((command) => withoutAdminParts(role, command));
}

function withoutAdminParts(role: Role, command: ShellCommand): ShellCommand {
  return {
    ...command,
    follow: async (words) => {
      const { offers, enough } = await command.follow(words);
      return { offers: offers.filter(({ text }) => adminPart(command.name, text) === undefined), enough };
    },
    run: async (words, running) => {
      const part = words.map((word) => adminPart(command.name, word)).find((found) => found !== undefined);
      if (part !== undefined) throw new ShellError(`"${part}" is for administrators, and you are ${role}`);
      return await command.run(words, running);
    },
  };
}

/** As it is written; `undefined` for what anybody may say. */
function adminPart(command: string, word: string): string | undefined {
  if (command === 'show' && ADMIN_TOPICS.includes(word)) return word;
  const option = ADMIN_OPTIONS.find((name) => word === `--${name}` || word.startsWith(`--${name}=`));
  return option && `--${option}`;
}
