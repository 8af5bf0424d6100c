/** JSON paths as the configuration's messages print them. */
import { quoted } from './problem.ts';

/** The path of member `key` of the object at `base`: `base.key`, or `base["odd key"]`. */
export function memberPath(base: string, key: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_-]*$/.test(key)) return `${base}[${quoted(key)}]`;
  return base === '' ? key : `${base}.${key}`;
}

/** The path of item `index` (from 0) of the list at `base`; with '' that of any item. */
export function itemPath(base: string, index: number | ''): string {
  return `${base}[${index}]`;
}
