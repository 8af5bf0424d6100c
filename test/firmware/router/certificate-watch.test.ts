import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RouterEvent } from '../../../firmware/api/router-control.ts';
import { parseConfiguration } from '../../../firmware/config/parse.ts';
import type { Configuration } from '../../../firmware/config/schema.ts';
import { CertificateWatch } from '../../../firmware/router/certificate-watch.ts';
import { SimulatedClock } from '../../../hal/simulated/clock.ts';
import { DAY, NOW, Workshop } from '../certificates/test-authority.ts';
import { RouterBench } from './router-bench.ts';

const workshop = new Workshop();
afterAll(() => workshop.remove());

const acme = workshop.authority('/CN=Acme CA', { notBefore: NOW - 400 * DAY });
const branch = acme.issue({
  subject: '/CN=branch',
  extensions: ['subjectAltName=DNS:branch.example'],
  notBefore: NOW - 400 * DAY,
  notAfter: NOW + 31 * DAY,
});
const unused = acme.issue({ subject: '/CN=unused', notAfter: NOW + DAY });

function configuration(change: { readonly certificate?: string } = {}): Configuration {
  const document = {
    ipsec: {
      connections: {
        hq: {
          remote: '192.0.2.2',
          ...{ certificate: 'own', authorities: ['ca'], ...change },
          localSubnets: ['10.1.0.0/16'],
          remoteSubnets: ['10.2.0.0/16'],
        },
      },
      certificates: {
        ca: { certificate: acme.own.pem },
        own: { certificate: branch.pem, key: branch.keyPem },
        unused: { certificate: unused.pem, key: unused.keyPem },
      },
    },
  };
  const parsed = parseConfiguration(JSON.stringify(document), 'x.json');
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.configuration;
}

describe('the watch of certificates', () => {
  it('says 30 days before, 7 days before and after the end what is used and expires, each once', () => {
    const clock = new SimulatedClock(0, NOW);
    const told: string[] = [];
    const watch = new CertificateWatch({
      clock,
      wall: () => ({ at: clock.wall(), trusted: true }),
      tell: (text, connections) => told.push(`${connections.join(' ')}: ${text}`),
    });
    watch.watch(configuration());
    expect(watch.warnings).toEqual([]);
    for (let day = 1; day <= 40; day += 1) clock.advance(DAY);
    expect(told).toEqual([
      'hq: the certificate "CN=branch" ("own") expires in 29 days, on 2026-12-28 12:00 UTC: have it renewed',
      'hq: the certificate "CN=branch" ("own") expires in 6 days, on 2026-12-28 12:00 UTC: have it renewed',
      'hq: the certificate "CN=branch" ("own") has expired on 2026-12-28 12:00 UTC: connections with it fail, have it renewed',
    ]);
    expect(watch.warnings).toHaveLength(1);
    watch.watch(configuration());
    expect(told).toHaveLength(3);
    watch.stop();
    expect(watch.warnings).toEqual([]);
    clock.advance(DAY);
    expect(told).toHaveLength(3);
  });

  it('says that a revocation list is out of date', () => {
    const crl = acme.revocationList([], 1);
    const known = configuration();
    const { certificates } = known.ipsec;
    const listed = {
      ...known,
      ipsec: { ...known.ipsec, certificates: { ...certificates, ca: { certificate: acme.own.pem, crl } } },
    };
    let at = Date.now();
    const watch = new CertificateWatch({
      clock: new SimulatedClock(),
      wall: () => ({ at, trusted: true }),
      tell: () => undefined,
    });
    watch.watch(listed);
    const out = () => watch.warnings.filter((text) => text.includes('revocation list'));
    expect(out()).toEqual([]);
    at += 2 * DAY;
    expect(out()).toEqual([
      expect.stringMatching(/the revocation list of "ca" is out of date since .*: what was revoked later is believed/),
    ]);
    watch.stop();
  });
});

describe('a router with certificates', () => {
  let bench: RouterBench;
  let events: RouterEvent[];
  beforeEach(async () => {
    bench = new RouterBench();
    events = [];
    bench.router.onEvent((event) => events.push(event));
    await bench.network.recover();
  });
  afterEach(() => bench.end());

  it('has warnings in its status, its log and its events', async () => {
    bench.clock.setWall(NOW + 10 * DAY);
    bench.trusted = false;
    await bench.during(bench.router.enforce(configuration()));
    const { warnings } = await bench.router.status();
    expect(warnings).toEqual([
      expect.stringMatching(
        /^the clock of this router has not been set since its start: certificates are judged by 2026-12-07 12:\d\d UTC/,
      ),
      expect.stringMatching(
        /^the certificate "CN=branch" \("own"\) expires in 20 days, .* \(by a clock that has not been set/,
      ),
    ]);
    const told = events.filter(({ kind }) => kind === 'warning');
    // The simulated clock goes on while the router is at work, so that the minute may be another one by then.
    const timeless = (text = '') => text.replace(/12:\d\d UTC/, '');
    expect(told.map(({ connection, detail }) => [connection, timeless(detail)])).toEqual(
      warnings.map((text) => ['hq', timeless(text)]),
    );
    expect(bench.router.log().filter((line) => line.includes('expires in 20 days'))).toHaveLength(1);
  });
});
