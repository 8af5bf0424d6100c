/** Schema of `l2tp`: clients (LAC, voluntary tunnels) and servers (LNS). */
import Type, { type Static } from 'typebox';
import { CALLS_SCHEMA } from './calls-schema.ts';
import { FORWARD_SCHEMA } from './forward-schema.ts';
import { CLIENT_SEQUENCING, DSCP, IDLE_SECONDS, MAX_FAIL, REORDER, SERVER_SEQUENCING } from './l2tp-data-schema.ts';
import { CLIENT_IPV6, SERVER_IPV6, USER_IPV6_PREFIX } from './l2tp-ipv6-schema.ts';
import { RADIUS_SCHEMA } from './radius-schema.ts';
import {
  count,
  flag,
  ipAddress,
  ipNetworks,
  ipv4Address,
  NAME,
  NAME_ALLOWED,
  NAME_PATTERN,
  port,
  secret,
  USER_NAME,
  USER_NAME_ALLOWED,
} from './schema-parts.ts';

const AUTHENTICATION_METHOD = Type.Enum(['pap', 'chap', 'mschapv1', 'mschapv2', 'eap'], {
  title: 'Method',
  description:
    'PAP (RFC 1334), CHAP with MD5 (RFC 1994), MS-CHAPv2 (RFC 2759), EAP (RFC 3748, with MSCHAPv2 or MD5), or MS-CHAPv1 ' +
    '(RFC 2433), which is broken and for peers that have nothing else.',
});

const HELLO_SCHEMA = Type.Object(
  {
    idleSeconds: count({
      title: 'Idle time',
      description: 'Silence after which the peer is asked whether it is still there.',
      default: 4,
      minimum: 1,
      maximum: 3600,
      unit: 'seconds',
    }),
    probeSeconds: count({
      title: 'Probe interval',
      description: 'Time between probes while none is answered.',
      default: 1,
      minimum: 1,
      maximum: 60,
      unit: 'seconds',
    }),
    probes: count({
      title: 'Probes',
      description: 'Unanswered probes after which the tunnel counts as dead.',
      default: 8,
      minimum: 1,
      maximum: 20,
      unit: 'probes',
    }),
  },
  {
    title: 'Keepalive',
    description: 'How soon a dead tunnel is noticed (Hello, RFC 2661 section 6.5).',
    default: {},
    additionalProperties: false,
  },
);

const MRU = count({
  title: 'MRU',
  description: 'Largest packet inside the tunnel; leave room for the outer headers.',
  default: 1400,
  minimum: 576,
  maximum: 9000,
  unit: 'octets',
});

const TUNNEL_SECRET = secret({
  'x-priority': 'basic',
  title: 'Tunnel secret',
  description: 'Shared by both ends of the tunnel, which then prove it to each other (RFC 2661 section 5.1.1).',
});

const HIDE_AVPS = flag({
  title: 'Hide AVPs',
  description: 'Hide sensitive values in control messages (RFC 2661 section 4.3); many peers cannot read them.',
  default: false,
});

/** A rule checks that there is such a connection, and a fitting one. */
function ipsecConnection(description: string) {
  return Type.Optional(
    Type.String({
      'x-priority': 'basic',
      title: 'IPsec connection',
      description,
      pattern: NAME_PATTERN,
      'x-refers-to': 'ipsec.connections',
      'x-allowed': NAME_ALLOWED,
    }),
  );
}

const L2TP_CLIENT_SCHEMA = Type.Object(
  {
    server: Type.String({
      'x-priority': 'basic',
      title: 'Server',
      description: 'Address or name of the L2TP server.',
      format: 'ip-or-host-name',
    }),
    port: port({ title: 'Port', description: 'UDP port of the server.', default: 1701 }),
    sourcePort: Type.Union([Type.Integer({ minimum: 1, maximum: 65535 }), Type.Literal('ephemeral')], {
      title: 'Source port',
      description: 'UDP port to send from; "ephemeral" lets the system choose. Some servers accept only 1701.',
      default: 'ephemeral',
    }),
    user: Type.String({
      'x-priority': 'basic',
      title: 'User',
      description: 'User name for PPP.',
      format: 'ppp-credential',
    }),
    password: secret({ 'x-priority': 'basic', title: 'Password', description: 'Password for PPP.' }),
    secret: Type.Optional(TUNNEL_SECRET),
    hideAvps: HIDE_AVPS,
    ipsec: ipsecConnection('The IPsec connection that protects the tunnel; without it the tunnel is in clear text.'),
    ipv6: CLIENT_IPV6,
    routes: ipNetworks({
      'x-priority': 'basic',
      title: 'Routes',
      description: 'Networks behind the server: they go into the tunnel.',
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
    masquerade: flag({
      title: 'Masquerade',
      description: 'Let the branch appear under the address that the server assigned.',
      default: false,
    }),
    authentication: Type.Array(AUTHENTICATION_METHOD, {
      title: 'Authentication',
      description: 'Methods by which this client is willing to prove itself.',
      default: ['pap', 'chap', 'mschapv2', 'eap'],
      minItems: 1,
      maxItems: 5,
      uniqueItems: true,
    }),
    mru: MRU,
    start: Type.Enum(['boot', 'manual', 'on-demand', 'called'], {
      'x-priority': 'basic',
      title: 'Start',
      description:
        '"boot" dials at once and for ever; "manual" waits for "culvert connect"; "on-demand" dials when packets come for ' +
        'the routes; "called" holds the tunnel, and the server places the call.',
      default: 'boot',
    }),
    idleSeconds: IDLE_SECONDS,
    accessLine: flag({
      title: 'Access line',
      description: 'Tell the server the rates of the DSL line of this branch (RFC 5515), where an interface has one.',
      default: false,
    }),
    maxFail: MAX_FAIL,
    sequencing: CLIENT_SEQUENCING,
    reorder: REORDER,
    dscp: DSCP,
    number: Type.String({
      title: 'Number',
      description: 'The number at which this client is called, where it starts "called".',
      default: '1',
      pattern: '^[\\x21-\\x7e]{1,64}$',
      'x-allowed': '1 to 64 printable characters without spaces',
    }),
    hello: HELLO_SCHEMA,
  },
  { title: 'L2TP client', description: 'A tunnel that this router dials.', additionalProperties: false },
);

const L2TP_USER_SCHEMA = Type.Object(
  {
    password: secret({ 'x-priority': 'basic', title: 'Password', description: 'Password for PPP.' }),
    address: Type.Optional(
      ipv4Address({ title: 'Address', description: 'Always given to this user; otherwise one of the pool.' }),
    ),
    ipv6Prefix: USER_IPV6_PREFIX,
    routes: ipNetworks({ 'x-priority': 'basic', title: 'Routes', description: 'Networks behind this user.' }),
  },
  { title: 'User', description: 'Somebody who may dial in.', additionalProperties: false },
);

const LIMITS_SCHEMA = Type.Object(
  {
    halfOpenPerAddress: count({
      title: 'Half-open tunnels per address',
      description: 'Tunnels that one address may begin and not finish.',
      default: 4,
      minimum: 1,
      maximum: 1024,
      unit: 'tunnels',
    }),
    halfOpenTotal: count({
      title: 'Half-open tunnels',
      description: 'Tunnels begun and not finished, over all addresses.',
      default: 64,
      minimum: 1,
      maximum: 65535,
      unit: 'tunnels',
    }),
    tunnels: count({
      title: 'Tunnels',
      description: 'Tunnels in all.',
      default: 1024,
      minimum: 1,
      maximum: 65535,
      unit: 'tunnels',
    }),
  },
  {
    title: 'Limits',
    description: 'What strangers can make this server hold.',
    default: {},
    additionalProperties: false,
  },
);

const L2TP_SERVER_SCHEMA = Type.Object(
  {
    listen: ipAddress({
      'x-priority': 'basic',
      title: 'Listen address',
      description: 'Address of this router where clients dial in.',
    }),
    port: port({ title: 'Port', description: 'UDP port where clients dial in.', default: 1701 }),
    localAddress: ipv4Address({
      'x-priority': 'basic',
      title: 'Local address',
      description: 'Address of this router inside the tunnels.',
    }),
    pool: Type.String({
      'x-priority': 'basic',
      title: 'Address pool',
      description: 'Addresses for the users, the first and the last; at most 65536.',
      format: 'ipv4-range',
    }),
    dns: Type.Array(ipv4Address({ title: 'DNS server', description: 'Address of a DNS server.' }), {
      title: 'DNS servers',
      description: 'Told to the users (RFC 1877), at most two.',
      default: [],
      maxItems: 2,
      uniqueItems: true,
    }),
    ipv6: SERVER_IPV6,
    users: Type.Record(USER_NAME, L2TP_USER_SCHEMA, {
      'x-priority': 'basic',
      title: 'Users',
      description: 'Who may dial in, by user name.',
      default: {},
      maxProperties: 4096,
      additionalProperties: false,
      'x-allowed': USER_NAME_ALLOWED,
    }),
    radius: Type.Optional(RADIUS_SCHEMA),
    forward: FORWARD_SCHEMA,
    calls: CALLS_SCHEMA,
    authentication: Type.Array(AUTHENTICATION_METHOD, {
      title: 'Authentication',
      description: 'Methods by which users must prove themselves, the best first.',
      default: ['mschapv2', 'chap'],
      minItems: 1,
      maxItems: 5,
      uniqueItems: true,
    }),
    proxyAuthentication: Type.Enum(['off', 'lcp', 'full'], {
      title: 'Proxy authentication',
      description:
        'How far a LAC is believed that has begun PPP in place of this server (RFC 2661 section 4.4.5): "off" begins anew, ' +
        '"lcp" takes over what it negotiated and challenges the caller anew, "full" judges the proof that it relays, too.',
      default: 'off',
    }),
    secret: Type.Optional(TUNNEL_SECRET),
    hideAvps: HIDE_AVPS,
    mru: MRU,
    ipsec: ipsecConnection('The IPsec connection by which clients call; the port in clear text is not opened then.'),
    limits: LIMITS_SCHEMA,
    sequencing: SERVER_SEQUENCING,
    reorder: REORDER,
    dscp: DSCP,
    hello: HELLO_SCHEMA,
  },
  { title: 'L2TP server', description: 'A place where others dial in.', additionalProperties: false },
);

export const L2TP_SCHEMA = Type.Object(
  {
    clients: Type.Record(NAME, L2TP_CLIENT_SCHEMA, {
      title: 'L2TP clients',
      description: 'Tunnels that this router dials, by name.',
      'x-restarts': 'This client hangs up and dials anew; others stay up.',
      default: {},
      maxProperties: 256,
      additionalProperties: false,
      'x-allowed': NAME_ALLOWED,
    }),
    servers: Type.Record(NAME, L2TP_SERVER_SCHEMA, {
      title: 'L2TP servers',
      description: 'Places where others dial in, by name.',
      'x-restarts': 'This server hangs up and starts anew, so that its callers dial again; others stay up.',
      default: {},
      maxProperties: 64,
      additionalProperties: false,
      'x-allowed': NAME_ALLOWED,
    }),
  },
  { title: 'L2TP', description: 'Layer Two Tunneling Protocol (RFC 2661).', default: {}, additionalProperties: false },
);

export type L2tpClientConfiguration = Static<typeof L2TP_CLIENT_SCHEMA>;
export type L2tpServerConfiguration = Static<typeof L2TP_SERVER_SCHEMA>;
export type L2tpUserConfiguration = Static<typeof L2TP_USER_SCHEMA>;
export type HelloConfiguration = Static<typeof HELLO_SCHEMA>;
