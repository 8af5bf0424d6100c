/** A configuration with stars in the place of secrets, put in force by way of a draft: there they mean what is in force. */
import type { ConfigurationClient } from '../api/configuration-client.ts';
import type { Context } from './command.ts';
import { commitRequest } from './commit-request.ts';
import { complainAbout, showCommit, showPreview } from './commit-text.ts';
import { failed } from './output.ts';

/**
 * Somebody's draft is never written over. With `--dry-run` nothing is changed.
 * @param what is committed, for the words. @returns the exit code.
 */
export async function commitByDraft(
  context: Context,
  client: ConfigurationClient,
  text: string,
  what: string,
): Promise<number> {
  const request = commitRequest(context);
  const draft = await client.candidate();
  if (!draft.ok || draft.candidate !== undefined) {
    const whose = draft.ok ? `${draft.candidate?.who} works on a draft of the configuration` : draft.reason;
    context.complain(`nothing was changed: ${whose}; wait until it is committed or discarded`);
    return failed;
  }
  const edited = await client.editCandidate(text, what, context.author, false);
  if (!edited.ok) return complainAbout(context, what, edited, 'nothing was changed');
  if (context.options['dry-run'] === true) {
    const preview = await client.compare('running', 'candidate');
    await client.discardCandidate(context.author, false);
    return showPreview(context, what, preview, 'nothing would change');
  }
  const result = await client.commitCandidate(request);
  // What is in force has taken its place otherwise.
  if (!result.ok) await client.discardCandidate(context.author, false);
  return showCommit(context, what, result);
}
