/** From the words of the command line to a command, its options and its positional arguments. */
import { parseArgs } from 'node:util';
import { type Command, UsageError } from './command.ts';
import { COMMANDS, findCommand } from './commands.ts';
import { didYouMean } from './did-you-mean.ts';
import { OPTIONS, type OptionDescription, type OptionName, type ParsedOptions } from './options.ts';

export interface Invocation {
  readonly command: Command;
  readonly positionals: readonly string[];
  readonly options: ParsedOptions;
}

/**
 * Options may stand before and after the command; `--` ends them.
 * @throws UsageError for an unknown command or option, a missing or superfluous value or argument.
 */
export function parseCommandLine(words: readonly string[]): Invocation {
  const { options, positionals } = split(words);
  const [name, ...rest] = positionals;
  if (options.version === true) return { command: command('version'), positionals: [], options: {} };
  if (name === undefined) {
    if (options.help === true) return { command: command('help'), positionals: [], options: {} };
    throw new UsageError('no command is given: try "culvert help"');
  }
  const chosen = command(name);
  if (options.help === true) return { command: command('help'), positionals: [chosen.name], options: {} };
  for (const option of Object.keys(options) as OptionName[]) {
    if (!chosen.options.includes(option)) throw new UsageError(optionNotTaken(chosen, option));
    if (options[option] === '' && chosen.valueOptional?.includes(option) !== true)
      throw new UsageError(noValue(option));
  }
  checkCount(chosen, rest);
  return { command: chosen, positionals: rest, options };
}

function command(name: string): Command {
  const found = findCommand(name);
  if (found !== undefined) return found;
  const names = COMMANDS.map((known) => known.name);
  throw new UsageError(`there is no command "${name}": try "culvert help"${didYouMean(name, names)}`);
}

function split(words: readonly string[]): { readonly options: ParsedOptions; readonly positionals: readonly string[] } {
  const { tokens, positionals } = parseArgs({
    args: withEmptyValues(words),
    options: { ...OPTIONS, help: { ...OPTIONS.help, short: 'h' } },
    allowPositionals: true,
    // parseArgs' own complaints know neither our commands nor what was probably meant.
    strict: false,
    tokens: true,
  });
  const options: Record<string, string | boolean> = {};
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const description = isOption(token.name) ? OPTIONS[token.name] : undefined;
    if (description === undefined) {
      const known = Object.keys(OPTIONS).map((name) => `--${name}`);
      throw new UsageError(
        `there is no option "${token.rawName}": try "culvert help"${didYouMean(token.rawName, known)}`,
      );
    }
    if (description.type === 'boolean') {
      if (token.value !== undefined) throw new UsageError(`--${token.name} takes no value: leave "${token.value}" out`);
      options[token.name] = true;
    } else {
      options[token.name] = token.value ?? '';
    }
  }
  return { options, positionals };
}

/** What follows an option without a value is another option or nothing: then its value is empty, not that option. */
function withEmptyValues(words: readonly string[]): string[] {
  const end = words.indexOf('--');
  return words.map((word, at) => {
    const name = word.slice(2);
    const before = word.startsWith('--') && (end === -1 || at < end);
    if (!before || !isOption(name) || OPTIONS[name].type === 'boolean') return word;
    const next = words[at + 1];
    return next === undefined || next.startsWith('-') ? `${word}=` : word;
  });
}

function noValue(option: OptionName): string {
  const { value }: OptionDescription = OPTIONS[option];
  return `--${option} needs a value: give it as --${option} ${value}`;
}

function isOption(name: string): name is OptionName {
  return Object.hasOwn(OPTIONS, name);
}

function optionNotTaken(chosen: Command, option: OptionName): string {
  const taken = chosen.options.map((name) => `--${name}`).join(', ');
  const what = taken === '' ? 'it takes no options' : `it takes ${taken}`;
  return `"culvert ${chosen.name}" has no option --${option}: ${what}`;
}

function checkCount(chosen: Command, positionals: readonly string[]): void {
  const { min, max } = chosen.positionals ?? { min: 0, max: 0 };
  const usage = `culvert ${chosen.name} ${chosen.parameters}`.trimEnd();
  if (positionals.length < min)
    throw new UsageError(`"culvert ${chosen.name}" needs ${chosen.parameters}: write "${usage}"`);
  const superfluous = positionals[max];
  if (superfluous !== undefined) throw new UsageError(`"${superfluous}" is one argument too many: write "${usage}"`);
}
