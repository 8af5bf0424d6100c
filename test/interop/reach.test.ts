/** `culvert ping` and `culvert traceroute` between two Culverts: through their tunnel, past it, and where it is not. */
import { afterEach, expect, it } from 'vitest';
import type { PingEvent, TracerouteEvent } from '../../firmware/diagnosis/reach/reach-event.ts';
import type { LabCulvert } from '../../scripts/lab/culvert.ts';
import { waitFor } from '../../scripts/lab/wait.ts';
import { allUp, networksOf, Sites, siteConnection, wanOf } from './ipsec-sites.ts';

let sites: Sites | undefined;
afterEach(async () => {
  await sites?.remove();
  sites = undefined;
});

async function reach<Event>(router: LabCulvert, ...words: string[]) {
  const { code, stdout, stderr } = await router.culvert(...words, '--json');
  const lines = stdout.split('\n').filter((line) => line !== '');
  const events = lines.map((line) => JSON.parse(line) as Event);
  return { code, stderr, events, end: events.at(-1) };
}

const QUICKLY = ['--count', '3', '--interval', '200'];

it('a router reaches the other site through the tunnel, and nothing of it past the tunnel', async () => {
  sites = await Sites.create();
  const one = await sites.add(1, {
    two: siteConnection(networksOf(1), networksOf(2), { version: 2, remote: wanOf(2) }),
  });
  const two = await sites.add(2, { one: siteConnection(networksOf(2), networksOf(1), { version: 2, remote: 'any' }) });
  const [host, behind] = two.hosts;
  const ping = (...words: string[]) => reach<PingEvent>(one.router, 'ping', ...words);
  await one.router.start();
  // The other side does not run yet: what belongs into the tunnel stays here.
  await waitFor('the routes', async () =>
    (await ping(host, '--count', '1')).stderr.includes('the tunnel to it is down'),
  );

  await two.router.start();
  await one.router.client.connect('two');
  await allUp([one, 'two']);
  for (const via of [[], ['--via', 'two'], ['--via', 'ipsec-two']]) {
    const { code, events, end } = await ping(host, ...QUICKLY, ...via);
    expect({ via, code, end }).toMatchObject({ via, code: 0, end: { kind: 'end', sent: 3, received: 3 } });
    expect(events[0]).toMatchObject({ kind: 'began', ...(via.length > 0 && { device: 'ipsec-two' }) });
    expect(events[1]).toMatchObject({ kind: 'reply', from: host, hopLimit: 63 });
  }
  expect(await ping(wanOf(2), '--via', 'uplink', ...QUICKLY)).toMatchObject({ code: 0, end: { received: 3 } });
  expect(await ping(wanOf(2), '--via', 'wan', ...QUICKLY)).toMatchObject({ code: 0, end: { received: 3 } });
  const past = await ping(host, '--via', 'uplink', '--count', '1');
  expect(past).toMatchObject({ code: 1, end: { received: 0 }, stderr: expect.stringMatching(/has no route there/) });

  const way = await reach<TracerouteEvent>(one.router, 'traceroute', behind);
  expect(way).toMatchObject({ code: 0, end: { kind: 'end', reached: true, hops: 2 } });
  expect(way.events[1]).toMatchObject({ hop: 1, probes: Array(3).fill({ from: '10.2.0.1' }) });
  expect(way.events[2]).toMatchObject({ hop: 2, probes: Array(3).fill({ from: behind }) });

  // First this end of the tunnel, then a router behind it says how large a packet may be.
  const whole = await ping(host, '--df', '--size', '1472', '--count', '1');
  expect(whole).toMatchObject({ code: 1, end: { largestSize: expect.any(Number) } });
  const { largestSize = 0 } = whole.end?.kind === 'end' ? whole.end : {};
  expect(largestSize).toBeGreaterThan(1200);
  expect(await ping(host, '--df', '--size', String(largestSize), ...QUICKLY)).toMatchObject({ code: 0 });
  expect(await ping(host, '--size', '3000', ...QUICKLY)).toMatchObject({ code: 0, end: { received: 3 } });
  await two.router.namespace.ip('link', 'set', 'lan0', 'mtu', '1200');
  const narrow = await ping(host, '--df', '--size', '1250', ...QUICKLY);
  expect(narrow).toMatchObject({ code: 1, end: { received: 0, pathMtu: 1200, largestSize: 1172 } });
  expect(narrow.events[1]).toMatchObject({ kind: 'error', from: '10.2.0.1', pathMtu: 1200 });
  expect(await ping(host, '--df', '--size', '1172', ...QUICKLY)).toMatchObject({ code: 0 });
});
