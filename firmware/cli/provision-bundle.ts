/** `culvert provision make-bundle`: a configuration encrypted to one router. */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { basename } from 'node:path';
import { LinuxEntropy } from '../../hal/linux/entropy.ts';
import { INITIAL_USER } from '../accounts/account-directory.ts';
import { BODY_LIMIT } from '../api/limits.ts';
import { parseConfiguration } from '../config/parse.ts';
import { PASSWORD_ALLOWED, passwordWeakness } from '../config/password-strength.ts';
import { formatProblem } from '../config/problem.ts';
import { REDACTED } from '../config/redact.ts';
import { type Authority, sealBundle } from '../protocol/provisioning/bundle.ts';
import { type Context, UsageError } from './command.ts';
import { done, failed } from './output.ts';
import { FileError, readTextFile, refuseExisting, writeTextFile } from './text-file.ts';

/** Octets of a file with a key or a password. */
const MAX_SMALL_FILE = 8192;

export async function makeBundle(context: Context, config: string, file: string): Promise<number> {
  const { 'device-key': device, 'admin-password-file': passwordFile, force = false, json } = context.options;
  if (device === undefined)
    throw new UsageError('for which router is missing: give --device-key KEY, as its console shows it');
  const authority = await authorityOf(context);
  const configuration = await readTextFile(config, BODY_LIMIT, 'configuration');
  const parsed = parseConfiguration(configuration, basename(config));
  if (!parsed.ok) {
    context.complain(`${config} is refused and no bundle was made: ${parsed.problems.map(formatProblem).join('; ')}`);
    return failed;
  }
  if (configuration.includes(REDACTED)) {
    context.complain(`${config} has stars in the place of secrets, which no other router knows: write the secrets out`);
    return failed;
  }
  if (passwordFile !== undefined && Object.keys(parsed.configuration.users).length > 0) {
    context.complain(
      `${config} has users, and --admin-password-file is for a router without any: leave out the one or the others`,
    );
    return failed;
  }
  const password = passwordFile === undefined ? {} : { adminPassword: await passwordOf(passwordFile) };
  if (!force) await refuseExisting(file);
  const content = { configuration, fileName: basename(config), ...password };
  await writeTextFile(file, seal(content, device, authority), force);
  if (json === true) context.out(JSON.stringify({ file, device }, undefined, 2));
  else context.out(`${file} is for the router with the device key ${device}, and nobody else can read it`);
  return done;
}

function seal(content: Parameters<typeof sealBundle>[0], device: string, authority: Authority): string {
  try {
    return sealBundle(content, device, authority, new LinuxEntropy());
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message);
    throw error;
  }
}

async function authorityOf({ options }: Context): Promise<Authority> {
  const { code, 'enrolment-key': file } = options;
  if ((code === undefined) === (file === undefined))
    throw new UsageError('give --code CODE, as the console shows it, or --enrolment-key FILE, and not both');
  if (code !== undefined) return { code };
  return { enrolmentKey: privateKeyOf(file ?? '', await readTextFile(file ?? '', MAX_SMALL_FILE, 'key')) };
}

function privateKeyOf(file: string, pem: string): KeyObject {
  let key: KeyObject | undefined;
  try {
    key = createPrivateKey(pem);
  } catch {
    // The words are the same.
  }
  if (key?.asymmetricKeyType !== 'ed25519')
    throw new FileError(
      `${file} is no private key of Ed25519 in PEM: make one with "openssl genpkey -algorithm ed25519"`,
    );
  return key;
}

async function passwordOf(file: string): Promise<string> {
  const text = (await readTextFile(file, MAX_SMALL_FILE, 'file with a password')).replace(/\r?\n$/, '');
  if (text === '' || /[\r\n]/.test(text))
    throw new FileError(`${file} does not hold one line with a password: correct it`);
  const weakness = passwordWeakness(INITIAL_USER, text);
  if (weakness !== undefined) throw new FileError(`${file} holds ${weakness}: choose one of ${PASSWORD_ALLOWED}`);
  return text;
}
