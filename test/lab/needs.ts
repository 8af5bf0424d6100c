/** Suites that need more than Node: each says in its name what it lacked when it is skipped. */
import { describe } from 'vitest';

const isRoot = process.getuid?.() === 0;

/** A suite that makes network namespaces. */
export function describeWithNamespaces(name: string, suite: () => void): void {
  if (isRoot) describe(name, suite);
  else describe.skip(`${name} (skipped: only root can make network namespaces)`, suite);
}

/** A suite that starts guests. */
export function describeWithGuests(name: string, suite: () => void): void {
  if (process.arch === 'x64') describeWithNamespaces(name, suite);
  else describe.skip(`${name} (skipped: User Mode Linux exists for x86-64 only)`, suite);
}
