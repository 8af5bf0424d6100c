/** The words before the tables of docs/configuration.md. */

import { memberPath } from '../json-path.ts';
import { MAX_CONFIGURATION_OCTETS } from '../parse.ts';
import { NOT_AVAILABLE_KEYS } from '../schema.ts';
import { wrapped } from './markdown.ts';

/** Markdown, without a heading of its own. */
export function introduction(): string {
  const later = [...NOT_AVAILABLE_KEYS].flatMap(([path, keys]) => keys.map((key) => `\`${memberPath(path, key)}\``));
  return `A router's whole configuration is one document. Every key is below, with what it means, what may stand there, and what is
assumed where it is left out. A document with nothing in it, \`{}\`, is valid: a router without interfaces and connections.

## Files

A file is JSON (\`.json\`) or YAML (\`.yaml\`, \`.yml\`), at most ${MAX_CONFIGURATION_OCTETS / 1024} KiB of UTF-8. YAML is read as far as it says the same as
JSON: mappings, lists and scalars, no aliases and no tags. In both, a key may stand only once in its object, and the order of
keys means nothing but where a list says that the first is preferred.

**Paths.** \`l2tp.clients.NAME.server\` is the key \`server\` of one entry of \`clients\`; in place of \`NAME\` stands a name that you
choose: 1 to 32 letters, digits, hyphens and underscores, a letter or digit first. Names of users may have any printable
characters but spaces, 64 at most. \`routes[].prefix\` is the key \`prefix\` of every item of a list.

**Names mean something.** \`culvert connect hq\` connects the L2TP client, the call or the IPsec connection of that name, and the
device of a tunnel is called \`l2tp-hq\` or \`ipsec-hq\`: cut to 15 characters, with a number at the end where that is taken.

**Numbers, addresses, secrets.** Numbers stand without quotes, everything else but \`true\` and \`false\` with quotes in JSON. An
address with a length (\`192.168.12.1/24\`) is one host and its network; a network (\`10.99.0.0/16\`) has no bits set behind its
length. Secrets stand in the file as they are.

${wrapped(`Keys that belong to the format and that this version cannot carry out are refused: ${later.join(', ')}.`)}

## Checking and applying

\`culvert apply FILE\` sends a file to the running router, which checks it whole before it changes anything: first the form of
every key, then the rules between keys at the end of this page. All problems are told at once, each with its path, what was
found, what is allowed and, for a misspelt word, what was probably meant. An error refuses the file, a warning does not.

What passed is stored durably as a new revision, and then put in force; the differences are printed. What a change does not
touch keeps running: each section says what it interrupts. \`culvert apply FILE --confirm-within SECONDS\` puts it in force on
trial, and the revision before comes back by itself unless \`culvert confirm\` keeps the new one in that time, after a power cut
as well. \`culvert apply FILE --dry-run\` checks and compares, and changes nothing.

\`culvert show config\` prints the configuration with every default filled in, and \`********\` in place of every secret. That
text cannot be applied again as it is: the router refuses the stars, rather than take them for a password.

## Where secrets are

Keys that are marked **secret** are never shown, logged or sent: only whether they are set. On the router's storage
each stands encrypted (AES-256-GCM) under a device key, which is kept in a file of its own, \`key/device.key\` in the
state directory, or where \`--key-dir\` says. No secret can be put in the place of another unnoticed, and equal ones
do not look equal.

- **That protects** whatever gets away without the key: a copy of the database or of the export beside it, a damaged
  database that was kept aside, a support bundle; with the key on another partition or medium also the storage without
  that one. After a factory reset, which destroys the key first, it protects what is left in worn or replaced blocks
  of the storage.
- **It does not protect** against somebody who has the whole storage, key file included; against root on the running
  router, who can read its memory; or against somebody who brings back an older database of the same router.
  Everything that is no secret stands in clear: host names, users, addresses; and how long each secret is can be seen.
  A TPM or the processor's one-time memory is not used. The key is overwritten when it is destroyed, but flash storage
  may keep the old block where only somebody finds it who reads the chips.
- **Without the key** its secrets are lost. The router then says so, starts with the factory configuration and accepts
  no other until the key is back, or \`culvert factory-reset\` and \`culvert restore FILE\` have begun anew. So keep a
  backup elsewhere.

A backup (\`culvert backup FILE\`) does not need the device key, and can be restored on another router. Its secrets
are encrypted under a passphrase of 8 characters or more (scrypt), everything else can be read, and no value in it can
be changed without the passphrase. It is as safe as the passphrase is hard to guess, and useless without it. The file
that you write yourself, and apply, holds the secrets in plain text: keep it accordingly.`;
}
