import { afterAll, describe, expect, it } from 'vitest';
import { parseConfiguration } from '../../../firmware/config/parse.ts';
import { Workshop } from '../certificates/test-authority.ts';
import { exampleDocument, withValue } from './example.ts';

const workshop = new Workshop();
afterAll(() => workshop.remove());
const ca = workshop.authority('/CN=Log authority').own.pem;

function problems(...changes: readonly (readonly [path: string, value: unknown])[]) {
  let document: unknown = exampleDocument();
  for (const [path, value] of changes) document = withValue(document, path, value);
  const result = parseConfiguration(JSON.stringify(document), 'x.json');
  return (result.ok ? result.warnings : result.problems).filter(({ rule }) => /^(syslog|metrics)-/.test(rule));
}

const office = { address: '192.168.12.5' };

describe('the rules of remote syslog', () => {
  it('find nothing in a server of each transport on the LAN', () => {
    const servers = {
      a: office,
      b: { ...office, transport: 'tcp' },
      c: { address: 'log.example', transport: 'tls', ca, serverName: 'log.example' },
    };
    expect(problems(['system.syslog', servers])).toEqual([]);
  });

  it('refuse a server that is there already, however it is written', () => {
    const servers = { a: { address: 'Log.example' }, b: { address: 'log.example', port: 514 } };
    expect(problems(['system.syslog', servers])).toMatchObject(
      [{ rule: 'syslog-server-twice', severity: 'error', path: 'system.syslog.b.address', found: /as "a" has/ }].map(
        (expected) => ({ ...expected, found: expect.stringMatching(expected.found) }),
      ),
    );
    const other = { a: { address: 'log.example' }, b: { address: 'log.example', transport: 'tcp', port: 514 } };
    expect(problems(['system.syslog', other])).toEqual([]);
  });

  it('refuse authorities that cannot be read', () => {
    const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
    const servers = { a: { address: 'log.example', transport: 'tls', ca: broken } };
    expect(problems(['system.syslog', servers])).toMatchObject([
      { rule: 'syslog-authority-unreadable', severity: 'error', path: 'system.syslog.a.ca' },
    ]);
  });

  it('warn of a check that nobody makes', () => {
    const servers = { a: { ...office, transport: 'tcp', ca, serverName: 'log.example' } };
    expect(problems(['system.syslog', servers])).toMatchObject([
      { rule: 'syslog-without-tls', severity: 'warning', path: 'system.syslog.a.ca' },
      { rule: 'syslog-without-tls', severity: 'warning', path: 'system.syslog.a.serverName' },
    ]);
  });

  it.each([
    ['192.0.2.5', 'udp', 'uplink', true],
    ['2001:db8::5', 'tcp', 'uplink', true],
    ['192.0.2.5', 'tls', 'uplink', false],
    ['192.0.2.5', 'udp', 'tunnels', false],
    ['10.99.0.5', 'udp', 'uplink', false],
    ['100.64.3.5', 'udp', 'uplink', false],
    ['172.32.0.5', 'udp', 'uplink', true],
    ['fd00:99::5', 'udp', 'uplink', false],
    ['log.example', 'udp', 'uplink', false],
  ])('of a log in clear: %s by %s over %s', (address, transport, route, warned) => {
    const found = problems(['system.syslog', { a: { address, transport, route } }]);
    const expected = { rule: 'syslog-in-clear', severity: 'warning', path: 'system.syslog.a.transport' };
    expect(found).toMatchObject(warned ? [expected] : []);
  });
});

describe('the rules of metrics', () => {
  it.each([
    ['192.168.12.1', []],
    ['127.0.0.1', []],
    ['::1', []],
    ['10.20.0.9', ['metrics-on-wan']],
    ['0.0.0.0', ['metrics-on-wan']],
    ['::', ['metrics-on-wan']],
    ['192.168.12.2', ['metrics-address']],
  ])('of %s say %j', (listen, rules) => {
    const found = problems(['system.metrics', { listen }]);
    expect(found.map(({ rule }) => rule)).toEqual(rules);
    for (const problem of found) expect(problem).toMatchObject({ severity: 'warning', path: 'system.metrics.listen' });
  });

  it('know the IPv6 address of an interface, however it is written', () => {
    const ipv6 = { address: 'fd00:12::1/64' };
    expect(problems(['interfaces.lan.ipv6', ipv6], ['system.metrics', { listen: 'FD00:12:0::1' }])).toEqual([]);
    const found = problems(['interfaces.wan.ipv6', ipv6], ['system.metrics', { listen: 'fd00:12::1' }]);
    expect(found).toMatchObject([{ rule: 'metrics-on-wan' }]);
  });
});
