/** The words of `ipsec.connections.NAME.ike`, `.esp` and `.ah`, for docs/configuration.md. */
import { ADDITIONAL_PREFIX } from '../../protocol/ike/proposal-text.ts';
import { TRANSFORMS } from '../../protocol/ike/transforms.ts';
import { code, table } from './markdown.ts';

const KINDS = {
  encryption: 'cipher',
  integrity: 'integrity',
  prf: 'pseudo-random function',
  group: 'group',
  additional: 'additional key exchange',
  esn: 'sequence numbers',
} as const;

/** Markdown: how a proposal is put together, and a table of everything that can stand in it. */
export function algorithms(): string {
  const rows = TRANSFORMS.map(({ kind, name, title, legacy }) => [
    code(written(kind, name)),
    title,
    KINDS[kind],
    legacy ? 'for old peers' : '',
  ]);
  return `A proposal is words with hyphens between them. For \`ike\`: a cipher, an integrity algorithm (with a cipher of a combined mode,
AES-GCM, AES-CCM or ChaCha20-Poly1305, a pseudo-random function instead) and a group; with IKEv2 an additional key exchange, too,
which quantum computers do not break: \`aes256gcm16-prfsha256-x25519-ke1_mlkem768\`. For \`esp\`: a cipher, an integrity
algorithm where the mode is not combined, a group where perfect forward secrecy is wanted, and with IKEv2 an additional key
exchange beside the group, too. For \`ah\`: an integrity algorithm and a group. Several words of one kind mean every combination
of them. A rule says which of them the IKE version of the connection does not have.

${table(['Word', 'Algorithm', 'Kind', 'Age'], rows)}`;
}

function written(kind: keyof typeof KINDS, name: string): string {
  if (kind === 'prf') return `prf${name}`;
  if (kind === 'additional') return `${ADDITIONAL_PREFIX}${name}`;
  return kind === 'integrity' ? name.replaceAll('-', '_') : name;
}
