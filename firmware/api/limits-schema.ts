/** `GET /v1/limits`: what this router cannot do, or not fast, or not more of at a time, and why. */
import { Type } from 'typebox';
import { count, text } from './schema-parts.ts';

const choice = {
  reason: text('Why it is so, one sentence without a full stop.'),
  cost: text('What that costs, one sentence without a full stop.'),
};

export const limitsSchema = Type.Object({
  dataPlane: Type.Object({ engine: Type.Enum(['userspace']), ...choice }),
  cipher: Type.Object({ engine: text('What encrypts packets: `evp` or `node:crypto`.'), ...choice }),
  offloads: Type.Array(Type.Object({ name: text('`UDP GSO` and the like.'), used: Type.Boolean(), ...choice }), {
    description: 'By which a kernel moves several packets at once.',
  }),
  kernel: Type.Object({
    release: text('As `uname -r` prints it.'),
    features: Type.Array(
      Type.Object({
        name: text('`esp`, `ppp`, `vlan` ...'),
        state: Type.Enum(['present', 'loadable', 'absent', 'unknown']),
        use: Type.Enum(['needed', 'wanted', 'unused'], {
          description:
            'By this version: without what is needed it does not run, without what is wanted something is missing.',
        }),
        evidence: text('By what the state is known, a clause.'),
        meaning: text('What follows for this router, one sentence without a full stop.'),
      }),
    ),
  }),
  tables: Type.Array(
    Type.Object({
      name: text('Stable, for programs: `l2tpTunnels`, `captures` ...'),
      most: count('Entries at most.'),
      inUse: Type.Optional(count('Entries now, of the whole router.')),
      what: text('Of what, and of how many of them each.'),
      whenFull: text('What happens to one more.'),
    }),
  ),
});
