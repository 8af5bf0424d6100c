/** Schema of `l2tp.servers.NAME.forward`: callers that are handed on into a tunnel to another server. */
import Type, { type Static } from 'typebox';
import { flag, ipAddress, NAME, NAME_ALLOWED, port, secret } from './schema-parts.ts';

const FORWARD_TARGET_SCHEMA = Type.Object(
  {
    realms: Type.Array(
      Type.String({
        title: 'Realm',
        description: 'What stands behind the @.',
        pattern: '^[\\x21-\\x3f\\x41-\\x7e]{1,128}$',
      }),
      {
        title: 'Realms',
        description: 'Users whose names end in @ and one of these, in upper or lower case.',
        default: [],
        maxItems: 64,
        uniqueItems: true,
      },
    ),
    users: Type.Array(Type.String({ title: 'User', description: 'A whole user name.', format: 'ppp-credential' }), {
      title: 'Users',
      description: 'Users by their whole names.',
      default: [],
      maxItems: 256,
      uniqueItems: true,
    }),
    server: ipAddress({ title: 'Server', description: 'Address of the other L2TP server.' }),
    port: port({ title: 'Port', description: 'Its UDP port.', default: 1701 }),
    secret: Type.Optional(
      secret({ title: 'Tunnel secret', description: 'Shared with the other server (RFC 2661 section 5.1.1).' }),
    ),
    hideAvps: flag({
      title: 'Hide AVPs',
      description: 'Hide what the caller proved itself with; the other server must be able to read it.',
      default: false,
    }),
  },
  {
    title: 'Forwarding',
    description: 'Another server, and which callers are for it. One tunnel carries all of them.',
    additionalProperties: false,
  },
);

export const FORWARD_SCHEMA = Type.Record(NAME, FORWARD_TARGET_SCHEMA, {
  title: 'Forwarding',
  description: 'Servers that take callers over by realm or user, with what PPP said so far (RFC 2661 section 4.4.5).',
  default: {},
  maxProperties: 32,
  additionalProperties: false,
  'x-allowed': NAME_ALLOWED,
});

export type ForwardConfiguration = Static<typeof FORWARD_SCHEMA>;
