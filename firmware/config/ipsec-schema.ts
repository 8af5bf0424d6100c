/** Schema of `ipsec`: connections to peers. */
import Type, { type Static } from 'typebox';
import { PROFILE_NAMES } from '../protocol/ike/profiles/peer-profile.ts';
import { CERTIFICATES_SCHEMA } from './certificates-schema.ts';
import {
  count,
  flag,
  ipv4Address,
  ipv4Networks,
  NAME,
  NAME_ALLOWED,
  NAME_PATTERN,
  secret,
  USER_NAME,
  USER_NAME_ALLOWED,
} from './schema-parts.ts';

/** What stands for everybody in `remote`. */
export const ANY_PEER = 'any';

function identity(words: { readonly title: string; readonly description: string }) {
  return Type.Optional(Type.String({ ...words, format: 'ike-identity' }));
}

/** What the texts say, a rule checks: it depends on the version of IKE. */
function proposals(words: { readonly title: string; readonly description: string }, example: string) {
  return Type.Optional(
    Type.Array(
      Type.String({
        title: 'Proposal',
        description: `Algorithms with hyphens between them, such as ${example}.`,
        pattern: '^[\\x21-\\x7e]{1,200}$',
        'x-allowed': `algorithms with hyphens between them, such as ${example}`,
      }),
      { ...words, minItems: 1, maxItems: 16, uniqueItems: true },
    ),
  );
}

const IPSEC_USER_SCHEMA = Type.Object(
  { password: secret({ title: 'Password', description: 'Password for EAP or XAUTH.' }) },
  { title: 'User', description: 'Somebody who may come in.', additionalProperties: false },
);

const IPSEC_CONNECTION_SCHEMA = Type.Object(
  {
    version: Type.Union([Type.Literal(1), Type.Literal(2)], {
      'x-priority': 'basic',
      title: 'IKE version',
      description: '1 for what older L2TP/IPsec servers and clients speak, 2 for everything else.',
      default: 2,
    }),
    remote: Type.String({
      'x-priority': 'basic',
      title: 'Peer',
      description: 'Address or name of the peer; "any" takes callers from everywhere and calls nobody.',
      format: 'ip-or-host-name',
      'x-allowed': 'an IP address, a host name such as vpn.example.com, or "any"',
    }),
    uplink: Type.Optional(
      Type.String({
        title: 'Uplink',
        description: 'The only way out that is used; without it the one that carries the traffic.',
        pattern: NAME_PATTERN,
        'x-allowed': NAME_ALLOWED,
        'x-refers-to': 'uplinks.NAME',
      }),
    ),
    psk: Type.Optional(
      secret({
        'x-priority': 'basic',
        title: 'Pre-shared key',
        description: 'Both ends have it. A short one can be guessed offline by whoever meddles with one set-up.',
      }),
    ),
    aggressive: flag({
      title: 'Aggressive Mode',
      description:
        'Instead of Main Mode, in version 1: the identity of the caller is sent in clear, and with a pre-shared key ' +
        'whoever asks gets a hash by which the key can be guessed offline. Only for peers that insist.',
      default: false,
    }),
    certificate: Type.Optional(
      Type.String({
        title: 'Own certificate',
        description: 'Instead of a pre-shared key: the certificate by which this router proves who it is.',
        pattern: NAME_PATTERN,
        'x-allowed': 'the name of a certificate under "ipsec.certificates"',
        'x-refers-to': 'ipsec.certificates',
      }),
    ),
    authorities: Type.Optional(
      Type.Array(
        Type.String({
          title: 'Authority',
          description: 'Its certificates are believed.',
          pattern: NAME_PATTERN,
          'x-allowed': 'the name of a certificate under "ipsec.certificates"',
          'x-refers-to': 'ipsec.certificates',
        }),
        {
          title: 'Authorities',
          description: 'Whose certificates are believed when the peer proves by one who it is.',
          minItems: 1,
          maxItems: 16,
          uniqueItems: true,
        },
      ),
    ),
    user: Type.Optional(
      Type.String({
        title: 'User',
        description:
          'User name by which this router lets itself in at the peer: by EAP-MSCHAPv2 with version 2, and by XAUTH, ' +
          'beside a key or a certificate, with version 1.',
        format: 'ppp-credential',
      }),
    ),
    password: Type.Optional(secret({ title: 'Password', description: 'Password of this user.' })),
    users: Type.Optional(
      Type.Record(USER_NAME, IPSEC_USER_SCHEMA, {
        title: 'Users',
        description:
          'Who may come in, by user name. With version 2 by EAP-MSCHAPv2, and this router proves itself by its certificate; with ' +
          'version 1 by XAUTH, and both ends prove themselves by key or certificate before.',
        minProperties: 1,
        maxProperties: 4096,
        additionalProperties: false,
        'x-allowed': USER_NAME_ALLOWED,
      }),
    ),
    localId: identity({
      title: 'Own identity',
      description:
        'Who this router says it is; when it is left out its address, with a certificate the first name in that.',
    }),
    remoteId: identity({
      title: "Peer's identity",
      description: 'Who the peer must prove to be; whoever has the key when it is left out.',
    }),
    mode: Type.Enum(['transport', 'tunnel'], {
      'x-priority': 'basic',
      title: 'Mode',
      description: '"transport" protects an L2TP tunnel; "tunnel" connects networks.',
      default: 'tunnel',
    }),
    protocol: Type.Enum(['esp', 'ah'], {
      title: 'Protocol',
      description:
        'Of the packets. "esp" encrypts and authenticates them; "ah" (RFC 4302) only authenticates them, with their outer ' +
        'addresses: everybody on the way can read them, and no NAT may be there. In tunnel mode, over IPv4.',
      default: 'esp',
    }),
    profile: Type.Enum(['auto', 'modern', 'legacy', ...PROFILE_NAMES], {
      title: 'Profile',
      description:
        'Which algorithms are offered and accepted. "auto" offers the modern ones, then those of old peers; the name of a peer stands ' +
        'for what suits it, with its lifetimes.',
      default: 'auto',
    }),
    ike: proposals(
      {
        title: 'IKE algorithms',
        description: 'For the key exchange, instead of those of the profile; the best first.',
      },
      'aes256-sha256-modp2048',
    ),
    esp: proposals(
      { title: 'ESP algorithms', description: 'For the packets, instead of those of the profile; the best first.' },
      'aes256-sha256 or aes128gcm16',
    ),
    ah: proposals(
      {
        title: 'AH algorithms',
        description: 'For the packets with the protocol "ah", instead of SHA2 of every size; the best first.',
      },
      'sha256 or sha256-modp2048',
    ),
    encapsulation: Type.Enum(['auto', 'always'], {
      title: 'Encapsulation in UDP',
      description: '"always" wraps ESP in UDP even where there is no NAT.',
      default: 'auto',
    }),
    ikeLifetimeSeconds: Type.Optional(
      count({
        title: 'IKE lifetime',
        description:
          'The key exchange is renewed before this has passed. When it is left out: what the profile of a peer says, else 14400.',
        minimum: 20,
        maximum: 604_800,
        unit: 'seconds',
      }),
    ),
    lifetimeSeconds: Type.Optional(
      count({
        title: 'Lifetime',
        description:
          'The keys of the packets are renewed before this has passed. When it is left out: what the profile of a peer says, else 3600.',
        minimum: 20,
        maximum: 86_400,
        unit: 'seconds',
      }),
    ),
    ppk: Type.Optional(
      secret({
        title: 'Post-quantum key',
        description:
          'A secret of both ends beside the proof, version 2, not with EAP: with it what is recorded today stays secret from quantum computers.',
      }),
    ),
    ppkId: Type.Optional(
      Type.String({
        title: 'Name of the post-quantum key',
        description: 'By which both ends know it.',
        pattern: '^[A-Za-z0-9._@-]{1,64}$',
        'x-allowed': '1 to 64 letters, digits, dots, hyphens, underscores or @',
      }),
    ),
    ppkRequired: Type.Optional(
      Type.Boolean({
        title: 'Post-quantum key required',
        description:
          'Nothing without it, which is so when this is left out. If false, a peer that does not have it is taken all the same.',
      }),
    ),
    reauthSeconds: Type.Optional(
      count({
        title: 'Reauthentication',
        description:
          'With version 2, whoever called proves again who it is before this has passed, by another key exchange beside the one that stands. 0, or left out: never.',
        minimum: 0,
        maximum: 604_800,
        unit: 'seconds',
      }),
    ),
    dpdSeconds: count({
      title: 'Dead peer detection',
      description: 'Silence after which the peer is asked whether it is still there; 0: never.',
      default: 10,
      minimum: 0,
      maximum: 3600,
      unit: 'seconds',
    }),
    localSubnets: ipv4Networks({
      'x-priority': 'basic',
      title: 'Local networks',
      description: 'Networks at this end, in tunnel mode.',
    }),
    remoteSubnets: ipv4Networks({
      'x-priority': 'basic',
      title: 'Remote networks',
      description: 'Networks behind the peer, in tunnel mode.',
    }),
    routing: Type.Enum(['policy', 'route'], {
      title: 'Routing',
      description:
        '"policy": packets from the local to the remote networks go into the tunnel, and no others; "route": whatever is ' +
        'for the remote networks does, and the peers agree on everything (0.0.0.0/0 at both ends). In tunnel mode.',
      default: 'policy',
    }),
    start: Type.Enum(['boot', 'traffic', 'manual'], {
      'x-priority': 'basic',
      title: 'Start',
      description:
        '"boot" calls at once and for ever; "traffic" calls when packets come for the remote networks, and holds the first ' +
        'ones meanwhile; "manual" waits for "culvert connect". In tunnel mode.',
      default: 'boot',
    }),
    idleSeconds: count({
      title: 'Idle time',
      description: 'With start "traffic": hang up after so long without a packet either way; 0: never.',
      default: 0,
      minimum: 0,
      maximum: 86_400,
      unit: 'seconds',
    }),
    virtualAddress: flag({
      title: 'Virtual address',
      description:
        'Let the peer assign an inner address, under which this router and the local networks, if any, appear there. As a ' +
        'caller, in tunnel mode.',
      default: false,
    }),
    pool: Type.Optional(
      Type.String({
        title: 'Pool',
        description:
          'Inner addresses for callers who ask for one (by Mode-Config with version 1), with the peer "any"; each has his own SA.',
        format: 'ipv4-range',
      }),
    ),
    dns: Type.Array(ipv4Address({ title: 'DNS server', description: 'Address of a DNS server.' }), {
      title: 'DNS servers',
      description: 'Told to callers who are given an address of the pool.',
      default: [],
      maxItems: 4,
      uniqueItems: true,
    }),
  },
  {
    title: 'IPsec connection',
    description: 'A peer with which packets are exchanged in ESP (RFC 4303) or AH (RFC 4302).',
    additionalProperties: false,
  },
);

export const IPSEC_SCHEMA = Type.Object(
  {
    connections: Type.Record(NAME, IPSEC_CONNECTION_SCHEMA, {
      title: 'IPsec connections',
      description: 'Peers by name.',
      'x-restarts':
        'This connection ends and is set up anew, with the L2TP client or server that it protects; others stay up.',
      default: {},
      maxProperties: 256,
      additionalProperties: false,
      'x-allowed': NAME_ALLOWED,
    }),
    certificates: CERTIFICATES_SCHEMA,
  },
  { title: 'IPsec', description: 'IPsec with IKEv1 or IKEv2.', default: {}, additionalProperties: false },
);

export type IpsecConnectionConfiguration = Static<typeof IPSEC_CONNECTION_SCHEMA>;
