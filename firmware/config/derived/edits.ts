/** Changes of a configuration that is being written, from words: `set l2tp clients hq server 192.0.2.1`. */
import { itemPath, memberPath } from '../json-path.ts';
import { either, formatProblem, quoted } from '../problem.ts';
import { recordOf, type SchemaNode } from '../schema-node.ts';
import { checkPart } from '../shape.ts';
import { nearest } from '../spelling.ts';
import { allowedWords } from '../value-words.ts';
import { isListPlace, type Place, rootPlace, stepInto } from './place.ts';

/** Keys, and numbers of items from 0. */
export type EditPath = readonly (string | number)[];

export type Edit =
  /** Puts the value there, in place of what was. */
  | { readonly kind: 'set'; readonly path: EditPath; readonly value: unknown }
  /** Takes away what is there. */
  | { readonly kind: 'delete'; readonly path: EditPath };

export type EditResult =
  | { readonly ok: true; readonly edit: Edit }
  /** The place is that of a secret, and its value was not given: it has to be asked for. */
  | { readonly ok: false; readonly secret: { readonly path: EditPath; readonly title: string } }
  /** One sentence without a full stop. */
  | { readonly ok: false; readonly reason: string };

/** A path as messages print it. */
export function pathText(path: EditPath): string {
  return path.reduce<string>(
    (base, part) => (typeof part === 'number' ? itemPath(base, part) : memberPath(base, part)),
    '',
  );
}

/**
 * What `set` with these words changes. Values of lists are added to those that are there; a place without a value is made,
 * empty.
 */
export function setEdit(words: readonly string[], configuration: unknown): EditResult {
  const found = follow(words, configuration);
  if (!found.ok) return found;
  const { place, rest } = found;
  const { node, kind, path } = place;
  if (path.length === 0) return { ok: false, reason: `a path is missing: ${nextWords(place)} can stand there` };
  if (kind === 'objects') return { ok: false, reason: `the number of an entry is missing behind ${pathText(path)}` };
  if (kind !== 'value') return { ok: true, edit: { kind: 'set', path, value: place.value ?? {} } };
  if (rest.length === 0) {
    if (node['x-secret'] === true) return { ok: false, secret: { path, title: node.title ?? pathText(path) } };
    return { ok: false, reason: `a value is missing at ${pathText(path)}: ${allowedWords(node)}` };
  }
  if (isListPlace(place)) return addItems(place, rest);
  const [word = '', superfluous] = rest;
  if (superfluous !== undefined) {
    // It may be a piece of a secret.
    const which = node['x-secret'] === true ? '' : `, and ${quoted(superfluous)} is one too many`;
    return { ok: false, reason: `${pathText(path)} takes one value${which}: put a value with spaces in quotes` };
  }
  return checked(place, scalarOf(node, word));
}

/** What `delete` with these words takes away: a key with all below it, or items of a list. */
export function deleteEdit(words: readonly string[], configuration: unknown): EditResult {
  const found = follow(words, configuration);
  if (!found.ok) return found;
  const { place, rest } = found;
  const at = pathText(place.path);
  if (place.path.length === 0) return { ok: false, reason: `a path is missing: ${nextWords(place)} can stand there` };
  if (place.value === undefined) return { ok: false, reason: `there is nothing at ${at}, so that nothing was deleted` };
  if (rest.length === 0) return { ok: true, edit: { kind: 'delete', path: place.path } };
  const items: readonly unknown[] = Array.isArray(place.value) ? place.value : [];
  if (!isListPlace(place))
    return { ok: false, reason: `nothing stands below ${at}: leave ${quoted(rest[0] ?? '')} out` };
  const gone = rest.map((word) => scalarOf(place.node.items ?? {}, word));
  const missing = rest.find((_, index) => !items.includes(gone[index]));
  if (missing !== undefined) return { ok: false, reason: `${at} has no ${quoted(missing)}` };
  const left = items.filter((item) => !gone.includes(item));
  if (left.length === 0) return { ok: true, edit: { kind: 'delete', path: place.path } };
  return { ok: true, edit: { kind: 'set', path: place.path, value: left } };
}

/** Whether what these words say is a secret, or holds one in the clear. */
export function saysSecret(words: readonly string[], configuration: unknown): boolean {
  const found = follow(words, configuration);
  return found.ok && found.rest.length > 0 && found.place.node['x-secret'] === true;
}

/** A secret that was asked for. */
export function secretEdit(path: EditPath, text: string, configuration: unknown): EditResult {
  const found = follow(path.map(String), configuration);
  return found.ok ? checked(found.place, text) : found;
}

/** Where words lead that are to be edited below. */
export function editPlace(
  words: readonly string[],
  configuration: unknown,
): { readonly ok: true; readonly place: Place } | { readonly ok: false; readonly reason: string } {
  const found = follow(words, configuration);
  if (!found.ok) return found;
  if (found.place.kind !== 'value') return { ok: true, place: found.place };
  return { ok: false, reason: `${pathText(found.place.path)} is a value, below which nothing can stand` };
}

/** A copy of the configuration in which the change is made. Objects and lists on the way are made where they are missing. */
export function withEdit(configuration: unknown, edit: Edit): unknown {
  return changed(configuration, edit.path, edit);
}

function changed(value: unknown, path: EditPath, edit: Edit): unknown {
  const [key, ...below] = path;
  if (key === undefined) return edit.kind === 'set' ? edit.value : undefined;
  if (typeof key === 'number') {
    const items: unknown[] = Array.isArray(value) ? [...value] : [];
    const member = changed(items[key], below, edit);
    if (member === undefined) items.splice(key, 1);
    else items[key] = member;
    return items;
  }
  const copy: Record<string, unknown> = Object.assign(Object.create(null), value);
  const member = changed(copy[key], below, edit);
  if (member === undefined) delete copy[key];
  else copy[key] = member;
  return copy;
}

type Followed =
  | { readonly ok: true; readonly place: Place; readonly rest: readonly string[] }
  | { readonly ok: false; readonly reason: string };

/** As far as the words name places; what is left are values. */
function follow(words: readonly string[], configuration: unknown): Followed {
  let place = rootPlace(configuration);
  for (const [index, word] of words.entries()) {
    if (place.kind === 'value') return { ok: true, place, rest: words.slice(index) };
    const next = stepInto(place, word);
    if (next === undefined) return { ok: false, reason: leadsNowhere(place, word) };
    place = next;
  }
  return { ok: true, place, rest: [] };
}

function leadsNowhere(place: Place, word: string): string {
  const { node, kind, path } = place;
  const where = path.length === 0 ? 'at the top' : `below ${pathText(path)}`;
  if (kind === 'record') return `${quoted(word)} is no name ${where}: ${node['x-allowed'] ?? 'choose another one'}`;
  if (kind === 'objects') return `${quoted(word)} is no number of an entry ${where}: they count from 0`;
  const near = nearest(word, Object.keys(node.properties ?? {}));
  const hint = near === undefined ? '' : `; did you mean "${near}"?`;
  return `there is no ${quoted(word)} ${where}: ${nextWords(place)} can stand there${hint}`;
}

function nextWords({ node }: Place): string {
  if (recordOf(node) !== undefined) return 'a name';
  return either(Object.keys(node.properties ?? {}));
}

function addItems(place: Place, words: readonly string[]): EditResult {
  const { node, value } = place;
  const before: readonly unknown[] = Array.isArray(value) ? value : [];
  const added = words.map((word) => scalarOf(node.items ?? {}, word)).filter((item) => !before.includes(item));
  return checked(place, [...before, ...new Set(added)]);
}

function checked({ node, path }: Place, value: unknown): EditResult {
  const [problem] = checkPart(node, value, pathText(path));
  if (problem !== undefined) return { ok: false, reason: formatProblem(problem) };
  return { ok: true, edit: { kind: 'set', path, value } };
}

/** A word as the value that it means here: `1400` is a number where a number belongs. */
function scalarOf(node: SchemaNode, word: string): unknown {
  const branches = node.anyOf ?? [node];
  for (const branch of branches) {
    const value = asType(branch, word);
    if (value !== undefined && checkPart(branch, value, '').length === 0) return value;
  }
  // Refused in words, as what was most likely meant.
  return (node.anyOf === undefined ? asType(node, word) : undefined) ?? word;
}

function asType({ type, const: fixed }: SchemaNode, word: string): unknown {
  if (type === 'boolean') return word === 'true' ? true : word === 'false' ? false : undefined;
  if (type === 'integer' || typeof fixed === 'number') return /^-?\d{1,15}$/.test(word) ? Number(word) : undefined;
  return word;
}
