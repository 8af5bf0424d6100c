/** How text of a peer stands in the reason of a failure. */
import { printable } from '../printable.ts';

/** `: "text"`, made printable; nothing where there is no text. */
export function quoted(text: Uint8Array | undefined): string {
  return text === undefined || text.length === 0 ? '' : `: "${printable(text)}"`;
}
