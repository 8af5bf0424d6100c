/** What somebody may do on the console, by their role. What is not listed is for administrators. */
import type { Role } from '../../api/account-control.ts';
import type { OptionName } from '../options.ts';
import { type ShellCommand, ShellError } from './grammar.ts';

const VIEWER = ['show', 'compare', 'version', 'exit'];

const COMMANDS_OF: Readonly<Record<Exclude<Role, 'admin'>, readonly string[]>> = {
  viewer: VIEWER,
  operator: [...VIEWER, 'connect', 'disconnect', 'diagnose'],
};

/** Whoever has the keys of a connection has its traffic. */
const ADMIN_OPTIONS: readonly OptionName[] = ['keys'];

/** Those of the commands that the role may give, without the options that it may not. */
export function commandsFor(role: Role, commands: readonly ShellCommand[]): readonly ShellCommand[] {
  if (role === 'admin') return commands;
  const listed = COMMANDS_OF[role];
  return commands.filter(({ name }) => listed.includes(name)).map((command) => withoutAdminOptions(role, command));
}

function withoutAdminOptions(role: Role, command: ShellCommand): ShellCommand {
  return {
    ...command,
    follow: async (words) => {
      const { offers, enough } = await command.follow(words);
      return { offers: offers.filter(({ text }) => adminOption(text) === undefined), enough };
    },
    run: async (words, running) => {
      const option = words.map(adminOption).find((name) => name !== undefined);
      if (option !== undefined) throw new ShellError(`"--${option}" is for administrators, and you are ${role}`);
      return await command.run(words, running);
    },
  };
}

function adminOption(word: string): OptionName | undefined {
  return ADMIN_OPTIONS.find((name) => word === `--${name}` || word.startsWith(`--${name}=`));
}
