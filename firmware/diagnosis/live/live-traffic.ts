/** A connection that is up: whether it carries anything, and what is dropped. */
import { overlaps, parseCidr } from '../../protocol/ip-address.ts';
import type { Notes } from '../notes.ts';
import type { LiveFacts, TrafficFacts } from './live-facts.ts';

/** Packets one way, and none the other, from which on it is no chance. */
const ONE_WAY = 3;

/** Drops that have one likely cause, by the reason that the data plane counts them under. */
const DROPS: ReadonlyMap<string, { readonly id: string; readonly what: string }> = new Map([
  ['wrongSource', { id: 'source-drops', what: 'had a source that the peer may not use' }],
  ['selectors', { id: 'source-drops', what: 'came out of an SA whose traffic selectors do not allow them' }],
  ['wrongInside', { id: 'source-drops', what: 'were authentic and not what the policy carries' }],
  ['notAuthentic', { id: 'integrity-drops', what: 'did not verify' }],
  ['replayed', { id: 'replay-drops', what: 'came twice' }],
  ['tooOld', { id: 'replay-drops', what: 'came too late' }],
  ['noSa', { id: 'no-sa-drops', what: 'had no SA to be sent by' }],
  ['noRoute', { id: 'no-destination-drops', what: 'for the tunnel matched no session and no traffic selector' }],
  ['tooBig', { id: 'mtu-black-hole', what: 'were larger than the MTU of the tunnel' }],
]);

/** Drops of these reasons are told only from so many on: a few are nothing. */
const MANY = 10;
const NEEDS_MANY: ReadonlySet<string> = new Set(['replay-drops', 'no-destination-drops', 'mtu-black-hole']);

export function judgeTraffic(facts: LiveFacts, notes: Notes): void {
  judgeDrops(facts.drops, notes);
  judgeRoutes(facts, notes);
  if (facts.state !== 'up') return;
  for (const { name, up, traffic } of facts.sessions) if (up) judgeCounters(name, traffic, notes);
  for (const { children } of facts.ipsec) {
    for (const { up, traffic } of children) {
      judgeDrops(traffic.drops, notes);
      if (up && facts.kind === 'ipsec') judgeCounters(facts.name, traffic, notes);
    }
  }
}

function judgeCounters(name: string, { received, sent, drops }: TrafficFacts, notes: Notes): void {
  judgeDrops(drops, notes);
  const words = `${name}: ${sent} packets were sent into the tunnel, and ${received} came out of it`;
  if (sent >= ONE_WAY && received === 0) notes.sign('one-way-traffic', words);
  else if (received >= ONE_WAY && sent === 0) notes.sign('nothing-sent', words);
  else if (received > 0 && sent > 0) notes.ok('traffic', words);
  else notes.seen('traffic', words);
}

function judgeDrops(drops: Readonly<Record<string, number>>, notes: Notes): void {
  for (const [reason, count] of Object.entries(drops)) {
    const known = DROPS.get(reason);
    if (known === undefined || count === 0) continue;
    if (NEEDS_MANY.has(known.id) && count < MANY) notes.seen('traffic', `${count} packets ${known.what}`);
    else notes.sign(known.id, `${count} packets ${known.what}`);
  }
}

function judgeRoutes({ kind, state, prefixes, routed, networks }: LiveFacts, notes: Notes): void {
  for (const prefix of prefixes) {
    const far = parseCidr(prefix);
    // The default route covers everything, which is what it is for.
    if (far === undefined || far.length === 0) continue;
    const near = networks.find((network) => {
      const own = parseCidr(network.prefix);
      return own !== undefined && overlaps(own, far) && far.length >= own.length;
    });
    if (near !== undefined) {
      notes.sign(
        'lan-overlap',
        `${prefix} behind the tunnel lies in the network of interface ${near.name} (${near.prefix})`,
      );
    }
  }
  if (state !== 'up' || kind === 'l2tp-server') return;
  if (prefixes.length === 0) notes.sign('no-routes-configured', 'no networks behind the other side are configured');
  if (routed === undefined) return;
  const missing = prefixes.filter((prefix) => !routed.includes(prefix));
  if (missing.length > 0) notes.sign('route-missing-here', `not routed into the tunnel: ${missing.join(', ')}`);
  else if (prefixes.length > 0) notes.ok('routes', `routed into the tunnel: ${prefixes.join(', ')}`);
}
