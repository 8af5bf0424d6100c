/** `culvert compare [FROM [TO]]`: what one revision differs in from another. */
import { ConfigurationClient } from '../api/configuration-client.ts';
import type { RevisionReference } from '../api/configuration-control.ts';
import type { Context } from './command.ts';
import { showPreview } from './commit-text.ts';
import { stateDirOf } from './options.ts';
import { done } from './output.ts';
import { revisionReference } from './revision-reference.ts';

export async function run(context: Context): Promise<number> {
  const [from, to] = context.positionals.map(revisionReference);
  const client = new ConfigurationClient(stateDirOf(context.options));
  if (from !== undefined) return await compare(context, client, from, to ?? 'running');
  const { state, revisions } = await client.history();
  const parent = revisions.find(({ id }) => id === state.revision)?.parent;
  if (parent !== undefined) return await compare(context, client, parent, 'running');
  const what = state.revision === 0 ? 'no configuration is in force yet' : `revision ${state.revision} is the first`;
  context.out(context.options.json === true ? 'null' : `${what}: there is none before it to compare with`);
  return done;
}

async function compare(
  context: Context,
  client: ConfigurationClient,
  from: RevisionReference,
  to: RevisionReference,
): Promise<number> {
  const same = `${nameOf(from)} and ${nameOf(to)} are the same`;
  return showPreview(context, 'one of the two', await client.compare(from, to), same);
}

function nameOf(reference: RevisionReference): string {
  if (reference === 'running') return 'what is in force';
  return reference === 'candidate' ? 'the candidate' : `revision ${reference}`;
}
