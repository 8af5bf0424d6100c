/** Identities of either version: comparing and showing them. */
import { hex } from '../bytes.ts';
import { printable } from '../printable.ts';
import type { ProvedPeer } from './authentication.ts';
import { distinguishedNameKey, distinguishedNameText } from './distinguished-name.ts';
import type { IkeIdentity } from './ike-types.ts';

/** Longest name that is shown, in characters. */
const MAX_SHOWN = 80;

/** Same type and same octets; of names the case does not matter, and distinguished names are compared as such. */
export function sameIdentity(a: IkeIdentity, b: IkeIdentity): boolean {
  return identityKey(a) === identityKey(b);
}

/** As the key of a map. */
export function identityKey(identity: IkeIdentity): string {
  const { kind, value } = identity;
  if (kind === 'dn') return `dn ${distinguishedNameKey(value)}`;
  return `${kind} ${typeof value === 'string' ? value.toLowerCase() : hex(value)}`;
}

/** A peer as the key of a map: a user is himself whatever his device calls itself, and others may call themselves the same. */
export function peerKey({ identity, user }: ProvedPeer): string {
  return user === undefined ? identityKey(identity) : `user ${user}`;
}

/** For people: `alice (road.example)`, or the identity where no user is known; safe to print. */
export function peerText({ identity, user }: ProvedPeer): string {
  const text = identityText(identity);
  return user === undefined ? text : `${printable(user).slice(0, MAX_SHOWN)} (${text})`;
}

/** For people: `vpn.example`, `192.0.2.1`, `key id 00ff`, `C=DE, CN=hq`; safe to print. */
export function identityText(identity: IkeIdentity | undefined): string {
  if (identity === undefined) return 'an identity of a kind unknown here';
  if (identity.kind === 'key-id') return `key id ${hex(identity.value)}`.slice(0, MAX_SHOWN);
  return identity.kind === 'dn' ? distinguishedNameText(identity.value) : printable(identity.value);
}
