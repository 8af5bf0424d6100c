/** What passed through each connection, out of the status. */
import type { CountersEvent, RouterStatus } from './router-control.ts';

interface Passed {
  readonly packetsReceived?: number | undefined;
  readonly octetsReceived?: number | undefined;
  readonly packetsSent?: number | undefined;
  readonly octetsSent?: number | undefined;
}

/** One entry for each connection of the configuration, however many sessions it has. @param at wall clock, ms since 1970. */
export function countersEvent({ l2tp, ipsec, counters }: RouterStatus, at: number): CountersEvent {
  return {
    at,
    connections: [
      ...l2tp.map(({ name, sessions }) => ({ kind: 'l2tp' as const, name, ...sum(sessions) })),
      ...ipsec.map(({ name, children }) => ({ kind: 'ipsec' as const, name, ...sum(children) })),
    ],
    counters,
  };
}

function sum(parts: readonly Passed[]) {
  const of = (key: keyof Passed) => parts.reduce((total, part) => total + (part[key] ?? 0), 0);
  return {
    packetsReceived: of('packetsReceived'),
    octetsReceived: of('octetsReceived'),
    packetsSent: of('packetsSent'),
    octetsSent: of('octetsSent'),
  };
}
