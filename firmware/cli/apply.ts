/** `culvert apply FILE`: validate and put in force. */
import { basename } from 'node:path';
import { ConfigurationClient } from '../api/configuration-client.ts';
import { BODY_LIMIT } from '../api/limits.ts';
import { REDACTED } from '../config/redact.ts';
import type { Context } from './command.ts';
import { commitRequest } from './commit-request.ts';
import { showCommit, showPreview } from './commit-text.ts';
import { commitByDraft } from './draft-commit.ts';
import { stateDirOf } from './options.ts';
import { readTextFile } from './text-file.ts';

export async function run(context: Context): Promise<number> {
  const [file = ''] = context.positionals;
  const request = commitRequest(context);
  const text = await readTextFile(file, BODY_LIMIT, 'configuration');
  const client = new ConfigurationClient(stateDirOf(context.options));
  if (text.includes(REDACTED)) return commitByDraft(context, client, text, basename(file));
  if (context.options['dry-run'] === true)
    return showPreview(context, file, await client.preview(text, basename(file)), 'nothing would change');
  return showCommit(context, file, await client.commit(text, basename(file), request));
}
