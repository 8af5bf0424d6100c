/** `culvert restore FILE`: a backup is put in force. */
import { ConfigurationClient } from '../api/configuration-client.ts';
import { BACKUP_LIMIT } from '../api/limits.ts';
import type { Context } from './command.ts';
import { commitRequest } from './commit-request.ts';
import { showCommit, showPreview } from './commit-text.ts';
import { stateDirOf } from './options.ts';
import { passphraseOf } from './passphrase.ts';
import { readTextFile } from './text-file.ts';

export async function run(context: Context): Promise<number> {
  const [file = ''] = context.positionals;
  const request = commitRequest(context);
  const text = await readTextFile(file, BACKUP_LIMIT, 'backup');
  const passphrase = await passphraseOf(context, false);
  const client = new ConfigurationClient(stateDirOf(context.options));
  if (context.options['dry-run'] === true)
    return showPreview(context, file, await client.previewRestore(text, passphrase), 'nothing would change');
  return showCommit(context, file, await client.restore(text, passphrase, request));
}
