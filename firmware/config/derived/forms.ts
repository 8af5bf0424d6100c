/** The configuration as forms for web pages: what to ask, how, and with which help. */
import { isScalarList } from '../leaves.ts';
import { CONFIGURATION_SCHEMA } from '../schema.ts';
import { type SchemaEntry, schemaEntries, withMembers } from '../schema-entries.ts';
import { type Priority, type Reference, type SchemaNode, schemaNode } from '../schema-node.ts';
import { allowedWords } from '../value-words.ts';
import { type Choice, choicesOf } from './choices.ts';

/** `text-list` and `select-list` take several values. */
export type FormInput = 'text' | 'password' | 'number' | 'checkbox' | 'select' | 'text-list' | 'select-list';

export interface FormField {
  /** As `l2tp.clients.NAME.server`. */
  readonly path: string;
  readonly key: string;
  readonly title: string;
  readonly help: string;
  readonly input: FormInput;
  /** What may be entered, in words; of a list, each item. */
  readonly allowed: string;
  readonly unit?: string;
  readonly default?: unknown;
  /** Of a number. */
  readonly minimum?: number;
  readonly maximum?: number;
  /** Of a list, entries. */
  readonly fewest?: number;
  readonly most?: number;
  /** Regular expression over the whole text, flag `u`; of a list, over each item. */
  readonly pattern?: string;
  /** Of a `select` or `select-list`, unless {@link refersTo} says where they come from. */
  readonly options?: readonly Choice[];
  readonly refersTo?: Reference;
  /** What was entered before is never shown again: only whether there is something. */
  readonly secret: boolean;
  readonly required: boolean;
  readonly priority: Priority;
}

export interface Form {
  /** Of the object that is filled in: `system`, `l2tp.clients.NAME`, `routes[]`. */
  readonly path: string;
  readonly title: string;
  readonly help: string;
  /** `one`: it is there once; `named`: any number, each under a name; `listed`: any number in order. */
  readonly repeats: 'one' | 'named' | 'listed';
  /** What a name may be, in words, where it is `named`. */
  readonly names?: string;
  /** Whether it has to be there where the object around it is. */
  readonly required: boolean;
  readonly fields: readonly FormField[];
  /** Paths of the forms that belong into this one. */
  readonly sections: readonly string[];
}

/** A form for every object of the configuration, each before those inside it; the first is the whole configuration. */
export function configurationForms(): readonly Form[] {
  return formsOf(schemaEntries(schemaNode(CONFIGURATION_SCHEMA)));
}

function formsOf(root: SchemaEntry): readonly Form[] {
  const entries = [...withMembers(root)];
  const around = new Map(entries.flatMap((entry) => entry.members.map((member) => [member.path, entry] as const)));
  return entries.flatMap((entry) => (entry.kind === 'object' ? [form(entry, around.get(entry.path))] : []));
}

function form({ path, node, required, members }: SchemaEntry, around: SchemaEntry | undefined): Form {
  const repeats = around?.kind === 'record' ? 'named' : around?.kind === 'objects' ? 'listed' : 'one';
  const names = repeats === 'named' ? around?.node['x-allowed'] : undefined;
  return {
    path,
    title: node.title ?? '',
    help: node.description ?? '',
    repeats,
    ...(names === undefined ? {} : { names }),
    required,
    fields: members.flatMap((member) => (member.kind === 'value' ? [field(member)] : [])),
    // Of a record or a list the form is that of one entry.
    sections: members.flatMap((member) =>
      member.kind === 'value' ? [] : member.kind === 'object' ? [member.path] : member.members.map((one) => one.path),
    ),
  };
}

function field({ path, key, node, required }: SchemaEntry): FormField {
  const list = isScalarList(node);
  const item = list ? (node.items ?? {}) : node;
  const { choices, others } = choicesOf(item);
  const reference = item['x-refers-to'];
  const selects = reference !== undefined || (others === undefined && item.type !== 'boolean');
  return {
    path,
    key,
    title: node.title ?? '',
    help: node.description ?? '',
    input: inputOf(item, list, selects),
    allowed: allowedWords(item),
    ...given('unit', item['x-unit']),
    ...given('default', node.default),
    ...given('minimum', item.minimum),
    ...given('maximum', item.maximum),
    ...given('fewest', list ? (node.minItems ?? 0) : undefined),
    ...given('most', node.maxItems),
    ...given('pattern', item.pattern),
    ...given('options', selects && reference === undefined ? choices : undefined),
    ...given('refersTo', reference),
    secret: item['x-secret'] === true,
    required,
    priority: node['x-priority'] ?? 'advanced',
  };
}

function inputOf(node: SchemaNode, list: boolean, selects: boolean): FormInput {
  if (selects) return list ? 'select-list' : 'select';
  if (list) return 'text-list';
  if (node['x-secret'] === true) return 'password';
  if (node.type === 'boolean') return 'checkbox';
  return node.type === 'integer' ? 'number' : 'text';
}

/** `{ [key]: value }`, or nothing where there is no value. */
function given<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]: V });
}
