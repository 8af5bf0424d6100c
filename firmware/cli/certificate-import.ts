/** `culvert certificate import NAME FILE...`: into the configuration of the running router. */
import { ConfigurationClient } from '../api/configuration-client.ts';
import { certificateText } from '../certificates/certificate.ts';
import { type Assembled, assemble } from '../certificates/import.ts';
import { isObject } from '../config/schema-node.ts';
import { NAME_ALLOWED, NAME_PATTERN } from '../config/schema-parts.ts';
import { readFiles } from './certificate-files.ts';
import { type Context, UsageError } from './command.ts';
import { commitByDraft } from './draft-commit.ts';
import { stateDirOf } from './options.ts';
import { done } from './output.ts';

export async function importCertificate(context: Context, [name = '', ...files]: readonly string[]): Promise<number> {
  if (files.length === 0)
    throw new UsageError('a name and a file are needed: write "culvert certificate import NAME FILE..."');
  if (!new RegExp(NAME_PATTERN).test(name))
    throw new UsageError(`"${name}" can be no name of a certificate: take ${NAME_ALLOWED}`);
  const assembled = assemble(await readFiles(context, files), context.options.authority === true);
  const client = new ConfigurationClient(stateDirOf(context.options));
  const text = JSON.stringify(withCertificate(await client.running(), name, assembled));
  const code = await commitByDraft(context, client, text, `the certificate ${name}`);
  if (code === done && context.options.json !== true && context.options['dry-run'] !== true)
    tellRest(context, name, assembled);
  return code;
}

function tellRest(context: Context, name: string, { certificate, material, authorities }: Assembled): void {
  const what = material.key === undefined ? 'an authority, for "authorities"' : 'with its key, for "certificate"';
  context.out(`ipsec.certificates.${name} is ${certificateText(certificate)}, ${what} of a connection`);
  const [other] = authorities;
  if (other === undefined || material.key === undefined) return;
  context.out(
    `the file has the authority ${certificateText(other)} in it as well: import that under a name of its own, with --authority`,
  );
}

function withCertificate(running: unknown, name: string, { material }: Assembled): unknown {
  const configuration = isObject(running) ? running : {};
  const ipsec = isObject(configuration['ipsec']) ? configuration['ipsec'] : {};
  const certificates = isObject(ipsec['certificates']) ? ipsec['certificates'] : {};
  return { ...configuration, ipsec: { ...ipsec, certificates: { ...certificates, [name]: material } } };
}
