/** Identities of IKE as people write them. */

import { parseDistinguishedName } from '../protocol/ike/distinguished-name.ts';
import type { IkeIdentity } from '../protocol/ike/ike-types.ts';
import { canonicalIp } from '../protocol/ip-address.ts';

/** Longer ones are no names any more, and would not fit a first message without fragments. */
const MAX_IDENTITY_OCTETS = 255;

/**
 * An IP address is one; `#` and hexadecimal digits are the octets of a KEY_ID; `@name` is a name even where it looks like
 * something else; `C=DE, O=Acme, CN=hq` is a distinguished name; `user@host` is a mail address; the rest is a name.
 * @returns `undefined` when the text can be none of these.
 */
export function parseIkeIdentity(text: string): IkeIdentity | undefined {
  if (text.length === 0 || text.length > MAX_IDENTITY_OCTETS) return undefined;
  const name = text.startsWith('@') || text.startsWith('#') ? undefined : parseDistinguishedName(text);
  if (name !== undefined) return { kind: 'dn', value: name };
  if (!/^[\x21-\x7e]+$/.test(text)) return undefined;
  if (text.startsWith('#')) {
    const digits = text.slice(1);
    return /^([0-9A-Fa-f]{2})+$/.test(digits)
      ? { kind: 'key-id', value: Uint8Array.from(Buffer.from(digits, 'hex')) }
      : undefined;
  }
  if (text.startsWith('@')) return text.length === 1 ? undefined : { kind: 'fqdn', value: text.slice(1) };
  const address = canonicalIp(text);
  if (address !== undefined) return { kind: address.includes(':') ? 'ipv6' : 'ipv4', value: address };
  if (!text.includes('@')) return { kind: 'fqdn', value: text };
  return /^[^@]+@[^@]+$/.test(text) ? { kind: 'email', value: text } : undefined;
}
