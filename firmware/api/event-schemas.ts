/** The events of `GET /v1/events`, and what is asked of it. */
import { Type } from 'typebox';
import { count, text } from './schema-parts.ts';

/** What somebody may listen to. */
export const EVENT_TOPICS = ['state', 'log', 'counters'] as const;

export type EventTopic = (typeof EVENT_TOPICS)[number];

const topic = `(?:${EVENT_TOPICS.join('|')})`;

export const eventsQuery = Type.Object({
  topics: Type.Optional(
    Type.String({
      pattern: `^${topic}(?:,${topic}){0,${EVENT_TOPICS.length - 1}}$`,
      maxLength: 64,
      description: 'Names with commas between them: `state`, `log`, `counters`. Without it `state`.',
    }),
  ),
});

/** RFC 9110 bounds no header; ours are short. */
export const eventsHeaders = Type.Object({
  'last-event-id': Type.Optional(
    Type.String({
      maxLength: 64,
      description: 'The `id` of the last event that was read: what came since is told first, or a `gap`.',
    }),
  ),
});

const total = (what: string) => count(`${what}, of all sessions or SAs that it has now.`);

/** How much passed; the sums fall when a session or an SA ends. */
export const countersEventSchema = Type.Object({
  at: Type.Number({ description: 'Wall-clock ms since 1970.' }),
  connections: Type.Array(
    Type.Object({
      kind: Type.Enum(['l2tp', 'ipsec']),
      name: text('Name in the configuration.'),
      packetsReceived: total('Packets from the peer'),
      octetsReceived: total('Octets of those packets'),
      packetsSent: total('Packets to the peer'),
      octetsSent: total('Octets of those packets'),
    }),
  ),
  counters: Type.Record(Type.String(), Type.Number(), { description: 'As in the status.' }),
});

/** Why a stream has a hole or ends. */
export const streamNoticeSchema = Type.Object({
  detail: text('What happened, one sentence without a full stop.'),
  remedy: text('What to do about it, one sentence without a full stop.'),
});
