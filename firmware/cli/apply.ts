/** `culvert apply FILE`: validate and put in force. */
import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { ConfigurationClient } from '../api/configuration-client.ts';
import type { Context } from './command.ts';
import { commitRequest } from './commit-request.ts';
import { showCommit, showPreview } from './commit-text.ts';
import { stateDirOf } from './options.ts';
import { failed } from './output.ts';
import { systemErrorText } from './system-error-text.ts';

/** The control API takes no more, octets. */
const MAX_CONFIGURATION = 1024 * 1024;

export async function run(context: Context): Promise<number> {
  const [file = ''] = context.positionals;
  const request = commitRequest(context);
  const text = await readConfiguration(file);
  if (typeof text !== 'string') {
    context.complain(text.complaint);
    return failed;
  }
  const client = new ConfigurationClient(stateDirOf(context.options));
  if (context.options['dry-run'] === true)
    return showPreview(context, file, await client.preview(text, basename(file)));
  return showCommit(context, file, await client.commit(text, basename(file), request));
}

async function readConfiguration(file: string): Promise<string | { readonly complaint: string }> {
  try {
    const { size } = await stat(file);
    if (size > MAX_CONFIGURATION)
      return { complaint: `${file} is larger than 1 MiB and no configuration: check that it is the right file` };
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file));
  } catch (error) {
    return { complaint: `${file} cannot be read, ${cause(error)}: check its name and its permissions` };
  }
}

function cause(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return 'it is not UTF-8 text';
  return systemErrorText(error) ?? (error instanceof Error ? error.message : 'for an unknown reason');
}
