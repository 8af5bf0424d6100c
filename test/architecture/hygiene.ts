/** Rules for every text file of the checkout. */
import { sourceFacts } from './source-facts.ts';

/** Longer files hold more than one idea. Lines. */
export const MAX_LINES = 450;

/** Folders that exist on one machine only. Joined here, for this file is checked too. */
const MACHINE_FOLDERS = ['work', 'home', 'root'].map((folder) => ['', folder, ''].join('/'));

/** Focusing one test switches all others off: fine at the desk, never in the tree. */
const FOCUSED = new RegExp(['\\b(describe|it|test)(\\.[a-z]+)*\\.', 'only', '\\b'].join(''));

/** One file; `path` is relative to the checkout. @returns a sentence for each violation. */
export function checkHygiene(path: string, text: string): readonly string[] {
  const violations: string[] = [];
  const lines = text.split('\n');
  for (const [index, line] of lines.entries()) {
    const at = `${path}:${index + 1}`;
    for (const folder of MACHINE_FOLDERS)
      if (new RegExp(`(?<![\\w.}-])${folder}`).test(line))
        violations.push(`${at} names ${folder}, a folder of one machine.`);
    if (path.endsWith('.ts') && FOCUSED.test(line))
      violations.push(`${at} focuses one test: the others would not run.`);
    if (path.endsWith('package-lock.json') && /"resolved"\s*:/.test(line))
      violations.push(`${at} names the registry a package came from: set omit-lockfile-registry-resolved in .npmrc.`);
  }
  if (path.endsWith('.ts')) {
    const count = text.endsWith('\n') ? lines.length - 1 : lines.length;
    if (count > MAX_LINES)
      violations.push(`${path} has ${count} lines of at most ${MAX_LINES}: give each idea a file.`);
    for (const line of sourceFacts(text, path).anyLines)
      violations.push(`${path}:${line} uses the type any: say what it is, or unknown.`);
  }
  return violations;
}
