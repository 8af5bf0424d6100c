/** The routes of {@link ./reach-stream.ts}. */
import { Type } from 'typebox';
import { REACH_BOUNDS } from '../diagnosis/reach/reach-event.ts';
import { MAX_HOST, MAX_NAME } from './limits.ts';
import { NDJSON_TYPE } from './media-types.ts';
import { type AnswerAbout, json, operation } from './operation.ts';
import { REACH_ID_HEADER } from './reach-query.ts';
import { doneSchema } from './schemas.ts';

const bounded = (key: keyof typeof REACH_BOUNDS, description: string) => {
  const { least, most, default: usual } = REACH_BOUNDS[key];
  return Type.Optional(
    Type.Integer({ minimum: least, maximum: most, description: `${description} Without it ${usual}.` }),
  );
};

const common = {
  host: Type.String({ minLength: 1, maxLength: MAX_HOST, description: 'A name or an address.' }),
  via: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: MAX_NAME,
      description: '`tunnel` (as the traffic of the branch goes, the default), `uplink`, a connection or an interface.',
    }),
  ),
  size: bounded('size', 'Octets of data in each request.'),
  dontFragment: Type.Optional(Type.Boolean({ description: 'Nobody may fragment it: finds the MTU of the path.' })),
};

const pingQuery = Type.Object({
  ...common,
  count: bounded('count', 'Requests.'),
  interval: bounded('interval', 'Between two of them, ms.'),
});

const tracerouteQuery = Type.Object({ ...common, hops: bounded('hops', 'Hops at most.') });

const answer: AnswerAbout = {
  description: 'A line of JSON for each thing that is found: `began` first, `end` last, where nobody ends it before.',
  headers: { [REACH_ID_HEADER]: { type: 'integer', description: 'Its number, for `stopReach`.' } },
  content: { [NDJSON_TYPE]: { schema: Type.String() } },
};

const errors = {
  404: 'There is nothing of the name in `via`; `names` has what there is.',
  409: 'The host has no address, or there is no such way at the moment.',
  503: 'As many run as may at a time.',
};

export const ping = operation({
  id: 'ping',
  tag: 'observation',
  summary: 'Whether a host answers, how fast, and how large a packet may be',
  description:
    'ICMP echo requests of the router itself. An object has a `kind`: `reply`, `no-reply`, `error` (who refused it and why, ' +
    'with `pathMtu` where it was too large), and `end` with what it comes to. It ends with its reader.',
  querystring: pingQuery,
  answer,
  errors,
});

export const traceroute = operation({
  id: 'traceroute',
  tag: 'observation',
  summary: 'Over which routers the way to a host goes',
  description:
    'Three requests for each `hop`; its `probes` say who has answered, after how many ms, or why nobody does.',
  querystring: tracerouteQuery,
  answer,
  errors,
});

export const stopReach = operation({
  id: 'stopReach',
  tag: 'observation',
  summary: 'End a ping or a traceroute as it should end',
  description: 'Its reader gets what it comes to up to then.',
  params: Type.Object({ id: Type.Integer({ minimum: 1, description: `Of the header \`${REACH_ID_HEADER}\`.` }) }),
  answer: json(doneSchema, 'It is done.'),
  errors: { 404: 'It has ended already.' },
});
