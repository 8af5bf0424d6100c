/** The values that a key can have, where they can be listed. */
import { either } from '../problem.ts';
import type { Configuration } from '../schema.ts';
import type { Reference, SchemaNode } from '../schema-node.ts';
import { allowedWords } from '../value-words.ts';

export type Choice = string | number | boolean;

export interface Choices {
  readonly choices: readonly Choice[];
  /** What else may stand there, in words; absent where the choices are all. */
  readonly others?: string;
}

/** @param configuration where a key names something of it, for the names that there are. */
export function choicesOf(node: SchemaNode, configuration?: Configuration): Choices {
  const reference = node['x-refers-to'];
  if (reference !== undefined) {
    const choices = configuration === undefined ? [] : referencesOf(reference, configuration);
    return { choices, ...(choices.length === 0 ? { others: allowedWords(node) } : {}) };
  }
  if (node.enum !== undefined) return { choices: node.enum };
  if (node.const !== undefined) return { choices: [node.const] };
  if (node.type === 'boolean') return { choices: [true, false] };
  if (node.anyOf !== undefined) {
    const branches = node.anyOf.map((branch) => choicesOf(branch, configuration));
    const others = branches.flatMap((branch) => branch.others ?? []);
    const choices = branches.flatMap((branch) => branch.choices);
    return { choices, ...(others.length === 0 ? {} : { others: either(others) }) };
  }
  return { choices: [], others: allowedWords(node) };
}

function referencesOf(reference: Reference, { interfaces, ipsec, modems, uplinks }: Configuration): string[] {
  switch (reference) {
    case 'ipsec.connections':
      return Object.keys(ipsec.connections);
    case 'ipsec.certificates':
      return Object.keys(ipsec.certificates);
    case 'interfaces.NAME':
      return Object.keys(interfaces);
    case 'modems.NAME':
      return Object.keys(modems);
    case 'uplinks.NAME':
      return Object.keys(uplinks);
    case 'interfaces.NAME.device':
      return Object.values(interfaces).map(({ device }) => device);
  }
}
