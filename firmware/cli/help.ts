/** `culvert help`: made from the command table, so that it cannot be out of date. */
import { type Command, type Context, UsageError } from './command.ts';
import { COMMANDS, findCommand } from './commands.ts';
import { didYouMean } from './did-you-mean.ts';
import { OPTIONS, type OptionDescription, type OptionName } from './options.ts';
import { done } from './output.ts';
import { table } from './table.ts';

/** Lines are no longer than this, so that no terminal wraps them. */
const COLUMNS = 120;

export async function run(context: Context): Promise<number> {
  const [name] = context.positionals;
  context.out(name === undefined ? overview() : commandHelp(named(name)));
  return done;
}

function named(name: string): Command {
  const found = findCommand(name);
  if (found !== undefined) return found;
  const names = COMMANDS.map((known) => known.name);
  throw new UsageError(`there is no command "${name}": try "culvert help"${didYouMean(name, names)}`);
}

function overview(): string {
  return [
    'Usage: culvert COMMAND [OPTIONS]',
    '',
    ...table(COMMANDS.map((command) => [`  ${command.name} ${command.parameters}`, command.summary])),
    '',
    'Options of every command that speaks with a router:',
    ...optionRows(['state-dir']),
    '',
    'Exit codes: 0 done, 1 it failed (one line on stderr says why and what to do), 2 wrong usage.',
    '"culvert help COMMAND" says more.',
  ].join('\n');
}

function commandHelp(command: Command): string {
  const parameters = command.parameters === '' ? '' : ` ${command.parameters}`;
  const usage = `Usage: culvert ${command.name}${parameters}`;
  const options = command.options.map((name) => ` [${spelling(name)}]`).join('');
  const summary = `${command.summary.slice(0, 1).toUpperCase()}${command.summary.slice(1)}.`;
  const lines = [`${usage}${usage.length + options.length > COLUMNS ? ' [OPTIONS]' : options}`, '', summary];
  if (command.details !== undefined) lines.push(...command.details);
  if (command.options.length > 0) lines.push('', ...optionRows(command.options));
  return lines.join('\n');
}

function optionRows(names: readonly OptionName[]): readonly string[] {
  return table(names.map((name) => [`  ${spelling(name)}`, OPTIONS[name].summary]));
}

function spelling(name: OptionName): string {
  const description: OptionDescription = OPTIONS[name];
  return description.value === undefined ? `--${name}` : `--${name} ${description.value}`;
}
