/** `culvert backup FILE`: the configuration in force in one file, its secrets under a passphrase. */
import { ConfigurationClient } from '../api/configuration-client.ts';
import type { Context } from './command.ts';
import { complainAbout } from './commit-text.ts';
import { stateDirOf } from './options.ts';
import { done } from './output.ts';
import { passphraseOf } from './passphrase.ts';
import { refuseExisting, writeTextFile } from './text-file.ts';

export async function run(context: Context): Promise<number> {
  const [file = ''] = context.positionals;
  const force = context.options.force === true;
  // Before anything is typed; what comes into being in the meantime is not replaced either.
  if (!force) await refuseExisting(file);
  const passphrase = await passphraseOf(context, true);
  const backup = await new ConfigurationClient(stateDirOf(context.options)).backup(passphrase);
  if (!backup.ok) return complainAbout(context, 'the configuration', backup, 'no backup was made');
  await writeTextFile(file, backup.text, force);
  const octets = Buffer.byteLength(backup.text);
  if (context.options.json === true) context.out(JSON.stringify({ file, octets }, undefined, 2));
  else
    context.out(
      `the configuration in force is in ${file}, ${octets} octets; nobody reads its secrets without the passphrase`,
    );
  return done;
}
