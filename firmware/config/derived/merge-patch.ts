/** JSON Merge Patch (RFC 7396): a change of a document that looks like the document. */
import { isObject } from '../schema-node.ts';

/**
 * A copy of `target` in which the members of `patch` stand, and those that are null there are gone. Lists are replaced as a
 * whole. As deep as the patch, which its reader bounds.
 */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  // Without a prototype: "__proto__" is a key like others.
  const result: Record<string, unknown> = Object.assign(Object.create(null), isObject(target) ? target : {});
  for (const [key, member] of Object.entries(patch)) {
    if (member === null) delete result[key];
    else result[key] = mergePatch(result[key], member);
  }
  return result;
}
