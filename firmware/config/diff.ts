/** What changes from one configuration to another, one line per value. */
import { type Leaf, leaves } from './leaves.ts';
import type { Configuration } from './schema.ts';

/**
 * Lines in path order of the schema: `+ path = value`, `- path = value`, `~ path: old -> new`; values as JSON. Secrets
 * show only that they were set, removed or changed. What is added or removed with its default value is left out.
 * @param before `undefined`: there was none.
 */
export function diffConfigurations(before: Configuration | undefined, after: Configuration): string[] {
  const old = byPath(before);
  const now = byPath(after);
  const lines: string[] = [];
  for (const leaf of old.values()) {
    if (!now.has(leaf.path) && !isDefault(leaf)) lines.push(`- ${leaf.path}${leaf.secret ? '' : ` = ${show(leaf)}`}`);
  }
  for (const leaf of now.values()) {
    const earlier = old.get(leaf.path);
    if (earlier === undefined) {
      if (!isDefault(leaf)) lines.push(`+ ${leaf.path}${leaf.secret ? ' (set)' : ` = ${show(leaf)}`}`);
    } else if (!sameValue(earlier.value, leaf.value)) {
      lines.push(`~ ${leaf.path}${leaf.secret ? ' (changed)' : `: ${show(earlier)} -> ${show(leaf)}`}`);
    }
  }
  return lines;
}

function byPath(configuration: Configuration | undefined): ReadonlyMap<string, Leaf> {
  const all = configuration === undefined ? [] : leaves(configuration);
  return new Map(all.map((leaf) => [leaf.path, leaf]));
}

function show(leaf: Leaf): string {
  return JSON.stringify(leaf.value);
}

function isDefault(leaf: Leaf): boolean {
  return leaf.default !== undefined && sameValue(leaf.default, leaf.value);
}

function sameValue(a: unknown, b: unknown): boolean {
  return a === b || (typeof a === 'object' && JSON.stringify(a) === JSON.stringify(b));
}
