/** Files of certificates as the command reads them. */
import type { EndEntity } from '../certificates/authority.ts';
import { type Imported, MAX_FILE_OCTETS, readCertificateFile } from '../certificates/import.ts';
import { ImportError, PassphraseNeededError } from '../certificates/import-error.ts';
import { pemBlocks } from '../certificates/pem.ts';
import { parseRequest } from '../certificates/request.ts';
import { DecodeError } from '../protocol/bytes.ts';
import type { Context } from './command.ts';
import { passphraseOf } from './passphrase.ts';
import { readWholeFile } from './text-file.ts';

/** @throws ImportError, FileError */
export async function readFile(file: string, passphrase: string | undefined): Promise<Imported> {
  return readCertificateFile(await readWholeFile(file, MAX_FILE_OCTETS, 'file with certificates'), file, passphrase);
}

/** All that is in the files; the passphrase is asked for once, when one of them needs it. @throws ImportError, FileError */
export async function readFiles(context: Context, files: readonly string[]): Promise<Imported> {
  const named = context.options['passphrase-file'] !== undefined;
  let passphrase = named ? await passphraseOf(context, false) : undefined;
  const found: Imported[] = [];
  for (const file of files) {
    try {
      found.push(await readFile(file, passphrase));
    } catch (error) {
      if (!(error instanceof PassphraseNeededError) || context.terminal === undefined) throw error;
      passphrase = await passphraseOf(context, false);
      found.push(await readFile(file, passphrase));
    }
  }
  return {
    certificates: found.flatMap(({ certificates }) => certificates),
    keys: found.flatMap(({ keys }) => keys),
    revocationLists: found.flatMap(({ revocationLists }) => revocationLists),
  };
}

/** PEM or DER. @throws ImportError, FileError */
export async function readRequestFile(file: string): Promise<EndEntity> {
  const octets = await readWholeFile(file, MAX_FILE_OCTETS, 'request');
  const block = pemBlocks(Buffer.from(octets).toString('latin1')).find(({ label }) =>
    label.endsWith('CERTIFICATE REQUEST'),
  );
  try {
    return parseRequest(block?.der ?? octets);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new ImportError(
      `${file} is no request for a certificate (${error.message}): give one in PEM or DER (PKCS #10)`,
    );
  }
}
