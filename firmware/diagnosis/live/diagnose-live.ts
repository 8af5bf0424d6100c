/** A running connection, judged by what is known of it: the ladder of its steps, and what is wrong. */
import { findingOf } from '../catalogue/catalogue.ts';
import type { Diagnosis } from '../diagnosis.ts';
import { LADDER, type LadderStep } from '../ladder.ts';
import { Notes } from '../notes.ts';
import type { LiveFacts } from './live-facts.ts';
import { endsOfLog, stepsOfLog } from './live-steps.ts';
import { judgeTraffic } from './live-traffic.ts';
import { judgeUplink } from './live-uplink.ts';

const UPLINK: readonly LadderStep[] = ['configuration', 'link', 'address', 'dns', 'route', 'clock'];
const IPSEC: readonly LadderStep[] = ['ike', 'ike-authentication', 'child-sa', 'esp'];
const L2TP: readonly LadderStep[] = ['l2tp-tunnel', 'l2tp-session', 'lcp', 'ppp-authentication', 'ipcp'];
const INSIDE: readonly LadderStep[] = ['routes', 'traffic'];

/** How a client says that it tries no more. */
const GIVEN_UP = /(given up after \d+ failed attempts?[^;]*)$/;

export function diagnoseLive(facts: LiveFacts): Diagnosis {
  const notes = new Notes();
  const taken = takenBy(facts);
  const log = stepsOfLog(facts.log);
  for (const [step, lines] of log) for (const line of lines) notes.seen(step, line);
  notes.ok('configuration', `it is configured as ${kindText(facts)}`);
  judgeUplink(facts, notes);
  judgeIpsec(facts, notes);
  judgeTunnel(facts, notes);
  judgeFailures(facts, notes, taken);
  judgeTraffic(facts, notes);
  return notes.diagnosis(facts.name, facts.state, taken);
}

function takenBy({ kind, isProtected, ppp }: LiveFacts): ReadonlySet<LadderStep> {
  const ipv6: readonly LadderStep[] = ppp.some(({ hasIpv6 }) => hasIpv6) ? ['ipv6cp'] : [];
  const wanted = [
    ...UPLINK,
    ...(isProtected || kind === 'ipsec' ? IPSEC : []),
    ...(kind === 'ipsec' ? [] : [...L2TP, ...ipv6]),
    ...INSIDE,
  ];
  return new Set(LADDER.filter((step) => wanted.includes(step)));
}

function kindText({ kind, isProtected, server }: LiveFacts): string {
  const whom = server === undefined ? '' : ` of ${server}`;
  if (kind === 'ipsec')
    return server === undefined ? 'an IPsec connection for callers' : `an IPsec connection to ${server}`;
  const clear = isProtected ? 'inside IPsec' : 'in clear text';
  return `an L2TP ${kind === 'l2tp-client' ? `client${whom}` : 'server'} ${clear}`;
}

function judgeIpsec({ ipsec }: LiveFacts, notes: Notes): void {
  for (const { ikeUp, peer, algorithms, nat, note, children } of ipsec) {
    if (!ikeUp) continue;
    notes.ok('ike', `the IKE SA with ${peer} stands (${algorithms})`);
    notes.ok('ike-authentication', nat === 'none' ? 'no NAT is between the two ends' : `a NAT is ${nat}`);
    if (note !== undefined) notes.sign('nat-mapping-lost', note);
    for (const child of children) {
      if (child.up) notes.ok('child-sa', `a child SA stands (${child.algorithms})`);
      const { received, sent } = child.traffic;
      if (received > 0) notes.ok('esp', `${received} packets came through the SA, ${sent} were sent`);
      else if (child.up) notes.seen('esp', `nothing came through the SA yet, ${sent} packets were sent`);
    }
  }
}

function judgeTunnel({ tunnel, sessions, ppp, state }: LiveFacts, notes: Notes): void {
  if (tunnel?.up === true)
    notes.ok('l2tp-tunnel', `the tunnel with ${tunnel.peer} stands, its id there ${tunnel.peerTunnelId}`);
  if (sessions.some(({ up }) => up)) notes.ok('l2tp-session', 'the session stands');
  if (state !== 'up') return;
  for (const { up, localAddress, peerAddress, authentication, mtu, hasIpv6 } of ppp) {
    if (!up) continue;
    notes.ok('lcp', mtu === undefined ? 'LCP is open' : `LCP is open, with an MTU of ${mtu} octets`);
    notes.ok('ppp-authentication', authentication === '' ? 'nobody asked for a proof' : `done with ${authentication}`);
    if (localAddress !== '') notes.ok('ipcp', `${localAddress} here, ${peerAddress || 'no address'} there`);
    if (hasIpv6) notes.ok('ipv6cp', 'IPv6 is open');
  }
}

function judgeFailures(facts: LiveFacts, notes: Notes, taken: ReadonlySet<LadderStep>): void {
  const { state, failures, kind, log } = facts;
  if (kind === 'l2tp-server') for (const failure of endsOfLog(log)) notes.failure(failure);
  if (state === 'down' && failures.length === 0 && kind !== 'l2tp-server') {
    notes.sign('waits-for-connect', 'the connection is down, and nobody has asked for it');
  }
  if (state === 'up' || kind === 'l2tp-server') return;
  const [first] = failures;
  if (first === undefined) return;
  // The attempt got as far as where it failed.
  const failed = LADDER.indexOf(findingOf(first).step);
  for (const step of taken) {
    if (LADDER.indexOf(step) >= failed || UPLINK.includes(step)) continue;
    notes.ok(step, 'the last attempt came past it');
  }
  for (const failure of failures) notes.failure(failure);
  const [, given] = GIVEN_UP.exec(first.reason) ?? [];
  if (given !== undefined) notes.sign('max-fail', `it was ${given}`);
}
