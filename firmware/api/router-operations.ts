/** The routes of the control API that are not about configurations, as {@link ./routes.ts} serves them. */
import { Type } from 'typebox';
import { CAPTURE_END_TRAILER, CAPTURE_ID_HEADER } from './capture-query.ts';
import { captureQuery } from './capture-stream.ts';
import { ifNoneMatchHeaders } from './entity-tags.ts';
import { eventsHeaders, eventsQuery } from './event-schemas.ts';
import { MAX_NAME } from './limits.ts';
import { limitsSchema } from './limits-schema.ts';
import { EVENT_STREAM_TYPE, PCAPNG_TYPE } from './media-types.ts';
import { ETAG, json, NOT_MODIFIED, operation } from './operation.ts';
import {
  diagnosisSchema,
  doneSchema,
  ipsecKeysSchema,
  logSchema,
  routerStatusSchema,
  trafficHistorySchema,
  trafficRingSchema,
  trafficSchema,
} from './schemas.ts';

const named = (description: string) =>
  Type.Object({ name: Type.String({ minLength: 1, maxLength: MAX_NAME, description }) });

const connectionParameters = named('Name of a connection in the configuration.');

const NO_CONNECTION = 'There is no connection of that name; `names` has those that there are.';
const DONE = 'It is done.';

export const getStatus = operation({
  id: 'getStatus',
  tag: 'status',
  summary: 'What the router does at the moment',
  description: 'Every interface, tunnel, session and SA with its state, and why one that should be up is not.',
  answer: json(routerStatusSchema, 'The status.'),
});

export const getLimits = operation({
  id: 'getLimits',
  tag: 'status',
  summary: 'What this router cannot do, or not fast, or not more of at a time',
  description:
    'Which engine moves packets and why, what the kernel lacks and what that costs, and how full tables are.',
  answer: json(limitsSchema, 'The limits.'),
});

export const connectConnection = operation({
  id: 'connectConnection',
  tag: 'connections',
  summary: 'Connect, and wait for the outcome',
  description:
    'The answer comes when the connection is up or has failed; that may take as long as its peer does. Who closes the ' +
    'request stops the waiting, not the attempt.',
  params: connectionParameters,
  answer: json(doneSchema, 'It is up.'),
  errors: { 404: NO_CONNECTION, 409: 'It failed: `step` says where, `detail` why, `remedy` what to do.' },
});

export const disconnectConnection = operation({
  id: 'disconnectConnection',
  tag: 'connections',
  summary: 'Disconnect, and wait until it is down',
  description: 'Takes up to 15 s, for the goodbyes of the peer.',
  params: connectionParameters,
  answer: json(doneSchema, 'It is down.'),
  errors: { 404: NO_CONNECTION, 409: 'It was connected again meanwhile.' },
});

export const diagnoseConnection = operation({
  id: 'diagnoseConnection',
  tag: 'connections',
  summary: 'What is wrong with a connection',
  description: 'Judges every step towards the peer. By POST, for it asks DNS servers; takes some seconds at most.',
  params: connectionParameters,
  answer: json(diagnosisSchema, 'What was seen at each step, and what follows from it.'),
  errors: { 404: NO_CONNECTION, 409: 'It cannot be diagnosed now.' },
});

export const getIpsecKeys = operation({
  id: 'getIpsecKeys',
  tag: 'connections',
  summary: "Keys of IPsec, as Wireshark's tables take them",
  description:
    'Whoever has the answer reads the traffic: keep it as you would a password. By POST, so that nothing that reads ahead ' +
    'gets it; no log has it, and no other route.',
  querystring: Type.Object({
    name: Type.Optional(
      Type.String({ minLength: 1, maxLength: MAX_NAME, description: 'Of one connection; without it of all.' }),
    ),
  }),
  answer: json(ipsecKeysSchema, 'The keys; none while no SA stands.'),
  errors: { 404: 'There is no IPsec connection of that name; `names` has those that there are.' },
});

export const getTraffic = operation({
  id: 'getTraffic',
  tag: 'status',
  summary: 'What passed in the last minute, hour and day',
  description:
    'One entry per counter: each interface and each tunnel has one for what it received and one for what it sent.',
  answer: json(trafficSchema, 'The totals.'),
});

export const getTrafficHistory = operation({
  id: 'getTrafficHistory',
  tag: 'status',
  summary: 'What passed when',
  description: 'The values of one counter over time.',
  params: named('Name of the counter, `interface.wan.received` and the like.'),
  querystring: Type.Object({
    ring: { ...trafficRingSchema, description: 'Length of a step: `second` goes an hour back, `hour` a year.' },
  }),
  answer: json(trafficHistorySchema, 'The values.'),
  errors: { 404: 'Nothing of that name is recorded; `names` has what is.' },
});

export const startCapture = operation({
  id: 'startCapture',
  tag: 'observation',
  summary: 'Capture packets, as they pass',
  description:
    'The answer is a pcapng file that grows until a limit is reached, the capture is stopped (`stopCapture`) or the reader ' +
    `goes. The trailer \`${CAPTURE_END_TRAILER}\` says how it went, as JSON; without it the file is not whole. Whoever has ` +
    'the answer sees the traffic, and inside a tunnel sees it in clear.',
  params: named('An interface of the configuration, a network device, or a tunnel.'),
  querystring: captureQuery,
  answer: {
    description: 'The file as it grows.',
    headers: {
      [CAPTURE_ID_HEADER]: { type: 'integer', description: 'Number of the capture, for `stopCapture`.' },
      trailer: { type: 'string', description: `\`${CAPTURE_END_TRAILER}\`.` },
    },
    content: { [PCAPNG_TYPE]: { schema: Type.Unsafe<Uint8Array>({ type: 'string', contentMediaType: PCAPNG_TYPE }) } },
  },
  errors: {
    404: 'There is nothing of that name; `names` has what can be captured.',
    409: 'It cannot be captured now.',
    503: 'As many captures run as may at a time.',
  },
});

export const stopCapture = operation({
  id: 'stopCapture',
  tag: 'observation',
  summary: 'End a capture as it should end',
  description: 'Its reader gets the rest of the file and the trailer.',
  params: Type.Object({
    id: Type.Integer({ minimum: 1, description: `Of the header \`${CAPTURE_ID_HEADER}\`.` }),
  }),
  answer: json(doneSchema, DONE),
  errors: { 404: 'It has ended already.' },
});

export const getLog = operation({
  id: 'getLog',
  tag: 'observation',
  summary: 'The last log lines',
  description: 'As many as the memory keeps, those of the start included. No secret is among them.',
  answer: json(logSchema, 'The lines.'),
});

export const getEvents = operation({
  id: 'getEvents',
  tag: 'observation',
  summary: 'Events as they happen',
  description:
    'Server-sent events (WHATWG HTML section 9.2), without an end. `event: state` is a `RouterEvent`, with an `id`; ' +
    '`event: log` a log line, one JSON object as `getLog` has it; `event: counters` a `CountersEvent`, every five seconds ' +
    'while somebody listens. `event: gap` (a `StreamNotice`) says that events are missing before the next one, and ' +
    '`event: end` why the router ends the stream: a reader that is too far behind is dropped. A comment every 15 s tells ' +
    'that the router lives.',
  querystring: eventsQuery,
  headers: eventsHeaders,
  answer: {
    description: 'The events. `: subscribed` comes first: from there on nothing is missed.',
    content: { [EVENT_STREAM_TYPE]: { schema: Type.String() } },
  },
  errors: { 503: 'As many clients read the events as may at a time.' },
});

export const getOpenApi = operation({
  id: 'getOpenApi',
  tag: 'contract',
  summary: 'This document',
  description: 'OpenAPI 3.1. It is the one of the version that runs.',
  headers: ifNoneMatchHeaders,
  answer: json(Type.Unsafe<unknown>({ type: 'object', additionalProperties: true }), 'The document.', ETAG),
  others: NOT_MODIFIED,
});
