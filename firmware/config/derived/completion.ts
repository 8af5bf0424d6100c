/** What can come next on a command line that leads to a value of the configuration, as `set l2tp clients hq ser`. */
import type { Configuration } from '../schema.ts';
import { isRequired } from '../schema-entries.ts';
import { isObject, recordOf, type SchemaNode } from '../schema-node.ts';
import { nearest } from '../spelling.ts';
import { choicesOf } from './choices.ts';
import { isListPlace, type Place, rootPlace, stepInto } from './place.ts';

export interface Completion {
  /** The whole word; of a `placeholder` what to type in its place, as `<server>`. */
  readonly text: string;
  /** One line. */
  readonly help: string;
  /** `key` and `name` lead further, `value` ends the path, `placeholder` is not typed but explained. */
  readonly kind: 'key' | 'name' | 'value' | 'placeholder';
}

/**
 * The words that can stand after `words` and begin with `typed`, in the schema's order. Items of lists of objects are
 * numbered from 0. A misspelt key finds the nearest one. Values of secrets are never offered.
 * @param words the path so far, each word complete, without the command in front.
 * @param typed the beginning of the next word; may be empty.
 * @returns nothing where the path leads nowhere.
 */
export function completeConfiguration(
  words: readonly string[],
  typed: string,
  configuration: Configuration,
): readonly Completion[] {
  let place = rootPlace(configuration);
  for (const [index, word] of words.entries()) {
    if (isListPlace(place)) return items(place, words.slice(index), typed, configuration);
    const next = stepInto(place, word);
    if (next === undefined) return [];
    place = next;
  }
  const { node, kind } = place;
  switch (kind) {
    case 'object':
      return keys(place, typed);
    case 'record':
      return [...beginning(names(place), typed), ...placeholder('name', node['x-allowed'] ?? 'a name')];
    case 'objects':
      return beginning(numbers(place), typed);
    case 'value':
      return isListPlace(place) ? items(place, [], typed, configuration) : values(node, typed, configuration);
  }
}

function keys({ node, value }: Place, typed: string): Completion[] {
  const all = Object.entries(node.properties ?? {}).map(([key, member]): Completion => {
    const missing = isRequired(node, key) && !(isObject(value) && Object.hasOwn(value, key));
    return { text: key, help: `${member.description ?? ''}${missing ? ' Required.' : ''}`, kind: 'key' };
  });
  const found = beginning(all, typed);
  if (found.length > 0) return found;
  const meant = nearest(
    typed,
    all.map(({ text }) => text),
  );
  return all.filter(({ text }) => text === meant);
}

function names({ node, value }: Place): Completion[] {
  const help = recordOf(node)?.value.description ?? '';
  return isObject(value) ? Object.keys(value).map((text) => ({ text, help, kind: 'name' })) : [];
}

/** Those that there are, each with its first value that tells them apart, and the next one. */
function numbers({ node, value }: Place): Completion[] {
  const known: readonly unknown[] = Array.isArray(value) ? value : [];
  const [first = ''] = node.items?.required ?? [];
  const shown = node.items?.properties?.[first]?.['x-secret'] !== true;
  const there = known.map((item, index): Completion => {
    const help = isObject(item) && shown ? `${first} ${String(item[first])}` : (node.items?.title ?? '');
    return { text: String(index), help, kind: 'name' };
  });
  const full = node.maxItems !== undefined && known.length >= node.maxItems;
  return full ? there : [...there, { text: String(known.length), help: 'Another one.', kind: 'name' }];
}

/** Words of a list that is written with spaces between its items. */
function items({ node }: Place, given: readonly string[], typed: string, configuration: Configuration): Completion[] {
  if (given.length >= (node.maxItems ?? Number.POSITIVE_INFINITY)) return [];
  const item = node.items ?? {};
  return values(item, typed, configuration).filter(({ text }) => !(node.uniqueItems === true && given.includes(text)));
}

function values(node: SchemaNode, typed: string, configuration: Configuration): Completion[] {
  const { choices, others } = choicesOf(node, configuration);
  const offered = choices.map((choice): Completion => {
    const help = choice === node.default ? 'The default.' : (node.title ?? '');
    return { text: String(choice), help, kind: 'value' };
  });
  const found = beginning(offered, typed);
  if (others === undefined) return found;
  const usual = node.default === undefined ? '' : `; ${String(node.default)} without it`;
  const unseen = node['x-secret'] === true ? '; without it here it is asked for, and not shown' : '';
  return [...found, ...placeholder(node.title ?? 'value', `${others}${usual}${unseen}`)];
}

function placeholder(title: string, help: string): Completion[] {
  const text = `<${title.toLowerCase().replaceAll(' ', '-')}>`;
  return [{ text, help: `${help.slice(0, 1).toUpperCase()}${help.slice(1)}.`, kind: 'placeholder' }];
}

function beginning(all: readonly Completion[], typed: string): Completion[] {
  return all.filter(({ text }) => text.toLowerCase().startsWith(typed.toLowerCase()));
}
