/** Schema of `l2tp.servers.NAME.calls`: branches that the server calls. */
import Type from 'typebox';
import { NAME, NAME_ALLOWED } from './schema-parts.ts';

const CALL_SCHEMA = Type.Object(
  {
    host: Type.String({
      title: 'Host name',
      description: 'Host name of the branch, as it tells it in L2TP; its client starts "called" and holds the tunnel.',
      pattern: '^[\\x21-\\x7e]{1,255}$',
      'x-allowed': 'a host name',
    }),
    number: Type.String({
      title: 'Number',
      description: 'The number at which the branch is called (Called Number, RFC 2661 section 4.4.4).',
      default: '1',
      pattern: '^[\\x21-\\x7e]{1,64}$',
      'x-allowed': '1 to 64 printable characters without spaces',
    }),
    start: Type.Enum(['boot', 'manual'], {
      title: 'Start',
      description: '"boot" calls whenever the tunnel of the branch stands; "manual" waits for "culvert connect".',
      default: 'manual',
    }),
  },
  { title: 'Call', description: 'A branch that is called.', additionalProperties: false },
);

export const CALLS_SCHEMA = Type.Record(NAME, CALL_SCHEMA, {
  title: 'Calls',
  description: 'Outgoing calls (RFC 2661 section 6.9), by a name for "culvert connect".',
  default: {},
  maxProperties: 256,
  additionalProperties: false,
  'x-allowed': NAME_ALLOWED,
});
