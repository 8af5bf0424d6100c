/** Keys of an L2TP client or server about its data messages, and about when to dial and to hang up. */
import Type from 'typebox';
import { count } from './schema-parts.ts';

export const CLIENT_SEQUENCING = Type.Enum(['off', 'on'], {
  title: 'Sequencing',
  description:
    '"on" numbers data messages and demands the same of the server (Sequencing Required, RFC 2661 section 4.4.6); "off" does ' +
    'as the server does.',
  default: 'off',
});

export const SERVER_SEQUENCING = Type.Enum(['follow', 'on'], {
  title: 'Sequencing',
  description:
    '"on" numbers data messages, so that callers do the same (RFC 2661 section 5.4); "follow" does as each caller does.',
  default: 'follow',
});

export const DSCP = count({
  title: 'DSCP',
  description: 'Mark of the outer packets that carry user packets and PPP, ESP included (RFC 2983, RFC 3308).',
  default: 0,
  minimum: 0,
  maximum: 63,
  unit: 'code point',
});

export const IDLE_SECONDS = count({
  title: 'Idle time-out',
  description: 'Hang up after so much silence of user packets both ways; keepalives do not count. 0: never.',
  default: 0,
  minimum: 0,
  maximum: 86_400,
  unit: 'seconds',
});

export const MAX_FAIL = count({
  title: 'Failures',
  description:
    'Failed attempts in a row after which nothing is dialled until "culvert connect" or, on demand, until packets come ' +
    'after a minute. 0: dial for ever.',
  default: 0,
  minimum: 0,
  maximum: 1000,
  unit: 'attempts',
});

export const REORDER = Type.Object(
  {
    packets: count({
      title: 'Packets',
      description: 'Numbered packets that may wait for those they have overtaken; 0 drops overtaken ones.',
      default: 16,
      minimum: 0,
      maximum: 256,
      unit: 'packets',
    }),
    milliseconds: count({
      title: 'Time',
      description: 'How long they wait at most; then what is missing counts as lost.',
      default: 20,
      minimum: 1,
      maximum: 1000,
      unit: 'milliseconds',
    }),
  },
  {
    title: 'Reordering',
    description: 'How packets that overtook each other are put in order, where they are numbered.',
    default: {},
    additionalProperties: false,
  },
);
