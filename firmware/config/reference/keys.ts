/** The tables of keys in docs/configuration.md. */
import { isScalarList } from '../leaves.ts';
import { type SchemaEntry, withMembers } from '../schema-entries.ts';
import type { Reference, SchemaNode } from '../schema-node.ts';
import { allowedWords } from '../value-words.ts';
import { code, table } from './markdown.ts';

const REFERENCE_WORDS: Readonly<Record<Reference, string>> = {
  'ipsec.connections': 'the name of an entry of `ipsec.connections`',
  'ipsec.certificates': 'the name of an entry of `ipsec.certificates`',
  'interfaces.NAME': 'the name of an entry of `interfaces`',
  'modems.NAME': 'the name of an entry of `modems`',
  'uplinks.NAME': 'the name of an entry of `uplinks`',
  'interfaces.NAME.device': 'the `device` of an entry of `interfaces`',
};

/** For every module, a section for each of its objects, with a row for each key. */
export function keySections(root: SchemaEntry): string {
  return root.members.flatMap((module) => [heading(module, 3), ...sections(module)]).join('\n\n');
}

/** The tables of all objects of a module, in order. */
function sections(module: SchemaEntry): string[] {
  const said = new Set<string>();
  return [...withMembers(module)].flatMap((entry) => {
    if (entry.kind !== 'object') return [];
    // What lies deeper interrupts the same, and it was said above.
    const news = entry.restarts !== undefined && !said.has(entry.restarts) ? [changeWords(entry.restarts)] : [];
    if (entry.restarts !== undefined) said.add(entry.restarts);
    const rows = entry.members.map((member) => [
      code(member.path),
      meaning(member),
      valueWords(member),
      defaultWords(member),
    ]);
    const head = entry === module ? [] : [heading(entry, 4)];
    return [...head, ...news, table(['Key', 'Meaning', 'Value', 'Without it'], rows)];
  });
}

function heading({ path, node }: SchemaEntry, level: number): string {
  return `${'#'.repeat(level)} ${code(path)}\n\n**${node.title}.** ${node.description}`;
}

function meaning({ kind, node }: SchemaEntry): string {
  const own = kind === 'value' ? node['x-restarts'] : undefined;
  return `**${node.title}.** ${node.description}${own === undefined ? '' : ` ${changeWords(own)}`}`;
}

function changeWords(restarts: string): string {
  return `*When it changes:* ${restarts}`;
}

/** Type, bounds, unit, and whether it is a secret. */
function valueWords({ kind, node, members }: SchemaEntry): string {
  if (kind === 'object') return 'an object, see below';
  if (kind === 'record')
    return `an object of at most ${node.maxProperties} entries, see below; the key is ${keyWords(node)}`;
  if (kind === 'objects') return `a list of ${bounds(node)} objects, see ${code(members[0]?.path ?? '')} below`;
  const reference = node['x-refers-to'];
  const plain = reference === undefined ? allowedWords(node) : REFERENCE_WORDS[reference];
  return `${isScalarList(node) ? listWords(node) : plain}${node['x-secret'] === true ? '; **secret**' : ''}`;
}

function listWords(node: SchemaNode): string {
  const each = allowedWords(node.items ?? {});
  return `a list of ${bounds(node)}, each ${each}${node.uniqueItems === true ? '; none twice' : ''}`;
}

function bounds({ minItems = 0, maxItems }: SchemaNode): string {
  return `${minItems} to ${maxItems}`;
}

function keyWords(node: SchemaNode): string {
  return node['x-allowed'] ?? 'a name';
}

function defaultWords({ kind, node, required }: SchemaEntry): string {
  if (required) return '**required**';
  if (node.default === undefined) return 'not set';
  // The defaults of what is in it are those of its own table.
  if (kind === 'object') return 'its defaults';
  if (kind !== 'value' || (Array.isArray(node.default) && node.default.length === 0)) return 'none';
  return code(JSON.stringify(node.default));
}
