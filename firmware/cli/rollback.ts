/** `culvert rollback N`: an earlier revision comes back, as a new one. */
import { ConfigurationClient } from '../api/configuration-client.ts';
import type { Context } from './command.ts';
import { commitRequest } from './commit-request.ts';
import { showCommit, showPreview } from './commit-text.ts';
import { stateDirOf } from './options.ts';
import { revisionNumber } from './revision-reference.ts';

export async function run(context: Context): Promise<number> {
  const [word = ''] = context.positionals;
  const revision = revisionNumber(word);
  const request = commitRequest(context);
  const client = new ConfigurationClient(stateDirOf(context.options));
  const what = `revision ${revision}`;
  if (context.options['dry-run'] === true)
    return showPreview(context, what, await client.compare('running', revision), 'nothing would change');
  return showCommit(context, what, await client.rollback(revision, request));
}
