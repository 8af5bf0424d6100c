/** What a value may be, in words. */
import { TEXT_FORMATS } from './formats.ts';
import { either } from './problem.ts';
import type { SchemaNode } from './schema-node.ts';

/** What may stand there, in words. With the wrong `value` at hand, a hint about the usual slip. */
export function allowedWords(node: SchemaNode, value?: unknown): string {
  if (node.anyOf !== undefined) return either(node.anyOf.map((branch) => allowedWords(branch)));
  if (node.enum !== undefined) return either(node.enum.map((word) => `"${word}"`));
  if (node.const !== undefined) return JSON.stringify(node.const);
  if (node.type === 'boolean') return 'true or false';
  if (node.type === 'integer') {
    const unit = node['x-unit'] === undefined ? '' : ` ${node['x-unit']}`;
    return `a whole number from ${node.minimum ?? 0} to ${node.maximum ?? 'any'}${unit}`;
  }
  if (node.type === 'array') return `a list: ${node.description ?? ''}`.replace(/\.$/, '');
  if (node.type === 'object') {
    const keys = Object.keys(node.properties ?? {});
    return keys.length === 0
      ? `an object: ${lowerFirst(node.description)}`
      : `an object with the keys ${keys.join(', ')}`;
  }
  const words = node['x-allowed'] ?? TEXT_FORMATS[node.format ?? '']?.allowed ?? 'text';
  return typeof value === 'number' || typeof value === 'boolean' ? `${words}, in quotes` : words;
}

function lowerFirst(text = ''): string {
  return `${text.slice(0, 1).toLowerCase()}${text.slice(1)}`.replace(/\.$/, '');
}
