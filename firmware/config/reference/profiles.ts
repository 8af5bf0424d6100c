/** The profiles of peers, for docs/configuration.md. */
import type { PeerProfile, ProfileVersion } from '../../protocol/ike/profiles/peer-profile.ts';
import { PEER_PROFILES } from '../../protocol/ike/profiles/profiles.ts';
import { code, table } from './markdown.ts';

/** Markdown: what a profile stands for, a table of what each has, and what is known of each peer. */
export function profiles(): string {
  const rows = PEER_PROFILES.flatMap(({ name, versions }) =>
    ([1, 2] as const).flatMap((version) => {
      const spoken = versions[version];
      return spoken === undefined ? [] : [[code(name), String(version), ...lists(spoken)]];
    }),
  );
  return `A connection with \`"profile": "NAME"\` offers to that peer, and accepts of it, these algorithms and no others, the best
first, and has these lifetimes; lists and lifetimes in the connection go before. A profile without the IKE version of the
connection is refused by a rule. \`show ipsec\` says what a peer looks like by its first message, and a caller that is refused for
its proposals is told apart in the same way.

${table(['Profile', 'Peer', 'What is known of it'], PEER_PROFILES.map(known))}

${table(['Profile', 'IKE', '`ike`', '`esp`', 'Lifetimes'], rows)}`;
}

function known({ name, title, provenance }: PeerProfile): string[] {
  return [code(name), title, provenance];
}

function lists({ ike, esp, ikeLifetime, childLifetime }: ProfileVersion): string[] {
  return [ike.map(code).join(', '), esp.map(code).join(', '), `${ikeLifetime} s, ${childLifetime} s`];
}
