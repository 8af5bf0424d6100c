import type { Clock } from '../../hal/clock.ts';
import type { ConnectionSet } from './connection-set.ts';
import { tunnelEntry } from './ipsec-connections.ts';

/** Milliseconds after its DPD interval within which a dead peer of IPsec has certainly been noticed: retransmissions. */
const DPD_ROUNDS_MS = 30_000;

/**
 * Names of the L2TP clients, called branches and IPsec connections in tunnel mode that are up.
 * @param since monotonic, ms: only those that came up or were heard after that instant. An IPsec connection tells not when
 * it was heard: one that stands since before counts when dead-peer detection would have found it out by now.
 */
export function upConnections(
  connections: ConnectionSet,
  clock: Pick<Clock, 'now' | 'wall'>,
  since?: number,
): string[] {
  const from = since ?? Number.NEGATIVE_INFINITY;
  const clients = [...connections.clients].flatMap(([name, { state, machine }]) =>
    state === 'up' && (machine.tunnel?.lastHeard ?? Number.NEGATIVE_INFINITY) >= from ? [name] : [],
  );
  const called = Object.entries(connections.configuration.l2tp.servers).flatMap(([name, { calls }]) =>
    Object.keys(calls).filter((call) => connections.servers.get(name)?.machine.callView(call)?.state === 'up'),
  );
  const tunnels = connections.ipsecConnections.flatMap(({ name, state, stateSince }) => {
    const entry = tunnelEntry(connections.configuration, name);
    if (entry === undefined || state !== 'up') return [];
    const sinceUp = clock.now() - (clock.wall() - stateSince);
    const found = clock.now() >= from + entry.dpdSeconds * 1000 + DPD_ROUNDS_MS;
    return sinceUp >= from || found ? [name] : [];
  });
  return [...clients, ...called, ...tunnels];
}
