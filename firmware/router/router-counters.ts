import type { DataPlaneCounters } from '../dataplane/data-plane.ts';
import type { ConnectionSet } from './connection-set.ts';

/** What was received and dropped, by reason, as the status has it. */
export function routerCounters(
  dataPlane: DataPlaneCounters,
  { servers }: Pick<ConnectionSet, 'servers'>,
): Record<string, number> {
  const counters: Record<string, number> = {};
  for (const [reason, count] of Object.entries(dataPlane.drops)) counters[`dropped.${reason}`] = count;
  // Of all policies together: one that has no SA at the moment belongs to no entry of the status.
  for (const { drops } of dataPlane.policies) {
    for (const [reason, count] of Object.entries(drops)) {
      const name = `ipsec.dropped.${reason}`;
      counters[name] = (counters[name] ?? 0) + count;
    }
  }
  for (const server of servers.values()) {
    for (const [what, count] of Object.entries(server.machine.counters))
      counters[`l2tp.${server.name}.${what}`] = count;
  }
  return counters;
}
