/** The passphrase of a backup: from a file, or from the person at the terminal; never from the command line. */
import { MAX_PASSPHRASE } from '../api/limits.ts';
import { type Context, UsageError } from './command.ts';
import { NotAnsweredError } from './terminal.ts';
import { readTextFile } from './text-file.ts';

/** Octets of a file with a passphrase in it: four of UTF-8 for each character, and the end of the line. */
const MAX_FILE_OCTETS = 4 * MAX_PASSPHRASE + 2;

/** @param twice a new one: a slip of the finger would make the backup useless. @throws UsageError, FileError, NotAnsweredError */
export async function passphraseOf(context: Context, twice: boolean): Promise<string> {
  const file = context.options['passphrase-file'];
  const passphrase = file === undefined ? await asked(context, twice) : await readPassphrase(file);
  if (passphrase === '') throw new UsageError('the passphrase is empty: give one');
  if ([...passphrase].length > MAX_PASSPHRASE)
    throw new UsageError(`the passphrase has more than ${MAX_PASSPHRASE} characters: give a shorter one`);
  return passphrase;
}

async function readPassphrase(file: string): Promise<string> {
  const text = await readTextFile(file, MAX_FILE_OCTETS, 'file with a passphrase');
  const passphrase = text.replace(/\r?\n$/, '');
  if (/[\r\n]/.test(passphrase))
    throw new UsageError(`${file} has several lines: a passphrase is a single one, and nothing else is in its file`);
  return passphrase;
}

async function asked({ command, terminal }: Context, twice: boolean): Promise<string> {
  if (terminal === undefined)
    throw new UsageError(
      `"culvert ${command.name}" needs a passphrase, and there is no terminal to ask for it: name a file that holds it ` +
        'with --passphrase-file FILE',
    );
  const passphrase = await terminal.askSecret('Passphrase: ');
  if (twice && (await terminal.askSecret('The same once more: ')) !== passphrase)
    throw new NotAnsweredError('the two passphrases are not the same, and nothing was done: try again');
  return passphrase;
}
