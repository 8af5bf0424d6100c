/** Schema of `l2tp.servers.NAME.radius`: servers that say who may dial in, and are told of it. */
import Type, { type Static } from 'typebox';
import { count, flag, port, secret } from './schema-parts.ts';

const RADIUS_PEER_SCHEMA = Type.Object(
  {
    address: Type.String({
      title: 'Address',
      description: 'Address or name of the RADIUS server.',
      format: 'ip-or-host-name',
    }),
    port: port({ title: 'Port', description: 'UDP port of authentication (RFC 2865).', default: 1812 }),
    accountingPort: port({
      title: 'Accounting port',
      description: 'UDP port of accounting (RFC 2866).',
      default: 1813,
    }),
    secret: secret({
      title: 'Shared secret',
      description: 'Known to this router and that server; 16 random characters or more.',
    }),
    timeoutSeconds: count({
      title: 'Time-out',
      description: 'Wait for the first answer; each further wait is twice as long, at most four times.',
      default: 1,
      minimum: 1,
      maximum: 10,
      unit: 'seconds',
    }),
    tries: count({
      title: 'Tries',
      description: 'How often a question is sent before the next server is asked.',
      default: 3,
      minimum: 1,
      maximum: 10,
      unit: 'tries',
    }),
  },
  { title: 'RADIUS server', description: 'One server, reached by the uplink.', additionalProperties: false },
);

export const RADIUS_SCHEMA = Type.Object(
  {
    servers: Type.Array(RADIUS_PEER_SCHEMA, {
      title: 'RADIUS servers',
      description: 'The preferred one first; the next one is asked when it is silent.',
      minItems: 1,
      maxItems: 8,
    }),
    accounting: flag({
      title: 'Accounting',
      description: 'Tell the servers when sessions begin and end, and how much they carry (RFC 2866).',
      default: true,
    }),
    interimSeconds: Type.Optional(
      Type.Integer({
        title: 'Interim updates',
        description: 'Interval of accounting updates; otherwise what the server asks for, or 600 (RFC 2869).',
        minimum: 1,
        maximum: 86400,
        'x-unit': 'seconds',
      }),
    ),
    nasIdentifier: Type.Optional(
      Type.String({
        title: 'NAS identifier',
        description: 'Name of this router towards the RADIUS servers; otherwise its host name.',
        pattern: '^[\\x21-\\x7e]{1,64}$',
        'x-allowed': '1 to 64 printable characters without spaces',
      }),
    ),
    deadSeconds: count({
      title: 'Dead time',
      description: 'How long a server that was silent is passed over before it is tried again.',
      default: 30,
      minimum: 1,
      maximum: 3600,
      unit: 'seconds',
    }),
    requireMessageAuthenticator: flag({
      title: 'Require Message-Authenticator',
      description: 'Believe no answer that could be forged (CVE-2024-3596); old servers leave the proof out.',
      default: true,
    }),
  },
  {
    title: 'RADIUS',
    description: 'Servers that judge users who are not configured here (RFC 2865).',
    additionalProperties: false,
  },
);

export type RadiusConfiguration = Static<typeof RADIUS_SCHEMA>;
