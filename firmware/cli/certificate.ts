/** `culvert certificate ACTION`. */
import { createCa, exportPkcs12, issue, request, revoke, sign } from './certificate-authority.ts';
import { importCertificate } from './certificate-import.ts';
import { showFiles } from './certificate-show.ts';
import { type Context, UsageError } from './command.ts';
import { didYouMean } from './did-you-mean.ts';
import type { OptionName } from './options.ts';

interface Action {
  readonly run: (context: Context, parameters: readonly string[]) => Promise<number>;
  /** More than one name or file. */
  readonly several?: true;
  readonly options: readonly OptionName[];
}

const MAKING = ['subject', 'names', 'key-type', 'force', 'json'] as const;

const ACTIONS: ReadonlyMap<string, Action> = new Map([
  ['create-ca', { run: createCa, options: ['subject', 'days', 'key-type', 'force', 'json'] }],
  ['issue', { run: issue, options: [...MAKING, 'ca', 'days'] }],
  ['request', { run: request, options: MAKING }],
  ['sign', { run: sign, options: ['subject', 'names', 'ca', 'days', 'force', 'json'] }],
  ['revoke', { run: revoke, options: ['ca', 'days', 'reason', 'json'] }],
  ['export', { run: exportPkcs12, options: ['ca', 'passphrase-file', 'force', 'json'] }],
  [
    'import',
    {
      run: importCertificate,
      several: true,
      options: ['authority', 'passphrase-file', 'comment', 'confirm-within', 'check', 'dry-run', 'json', 'state-dir'],
    },
  ],
  ['show', { run: showFiles, several: true, options: ['passphrase-file', 'json'] }],
] satisfies readonly (readonly [string, Action])[]);

export async function run(context: Context): Promise<number> {
  const [word = '', ...parameters] = context.positionals;
  const action = ACTIONS.get(word);
  const words = [...ACTIONS.keys()];
  if (action === undefined)
    throw new UsageError(
      `there is no "culvert certificate ${word}": choose one of ${words.join(', ')}${didYouMean(word, words)}`,
    );
  const superfluous = parameters[1];
  if (action.several !== true && superfluous !== undefined)
    throw new UsageError(`"${superfluous}" is one argument too many: "culvert certificate ${word}" takes one name`);
  const stray = Object.keys(context.options).find((option) => !action.options.some((known) => known === option));
  if (stray !== undefined) {
    const taken = action.options.map((option) => `--${option}`).join(', ');
    throw new UsageError(`"culvert certificate ${word}" has no option --${stray}: it takes ${taken}`);
  }
  return await action.run(context, parameters);
}
