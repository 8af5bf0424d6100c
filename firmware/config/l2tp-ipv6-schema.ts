/** Schema of IPv6 inside the tunnels of L2TP. */
import Type from 'typebox';
import { flag, ipv6Address } from './schema-parts.ts';

export const CLIENT_IPV6 = flag({
  title: 'IPv6',
  description: 'Carry IPv6 in the tunnel (RFC 5072); the address is made from what the server advertises (RFC 4862).',
  default: false,
});

export const SERVER_IPV6 = Type.Optional(
  Type.Object(
    {
      pool: Type.String({
        title: 'Prefix pool',
        description:
          'Prefixes for the users: each session gets a /64 of it, from which its hosts make their addresses.',
        format: 'ipv6-network',
      }),
      localAddress: Type.Optional(
        ipv6Address({
          title: 'Local address',
          description: 'Address of this router inside the tunnels; without it, the first one of the pool.',
        }),
      ),
      dns: Type.Array(ipv6Address({ title: 'DNS server', description: 'Address of a DNS server.' }), {
        title: 'DNS servers',
        description: 'Told to the users in Router Advertisements (RFC 8106), at most three.',
        default: [],
        maxItems: 3,
        uniqueItems: true,
      }),
    },
    {
      title: 'IPv6',
      description: 'IPv6 for the users, beside IPv4; without it IPv6 is refused.',
      additionalProperties: false,
    },
  ),
);

export const USER_IPV6_PREFIX = Type.Optional(
  Type.String({
    title: 'IPv6 prefix',
    description: 'A /64 always given to this user; otherwise one of the pool.',
    format: 'ipv6-network',
  }),
);
