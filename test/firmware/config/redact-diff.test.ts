import { describe, expect, it } from 'vitest';
import { diffConfigurations } from '../../../firmware/config/diff.ts';
import { leaves, secretLeaves } from '../../../firmware/config/leaves.ts';
import { collectSecrets, REDACTED, redactConfiguration } from '../../../firmware/config/redact.ts';
import { exampleConfiguration, exampleDocument, parsed, protectedDocument, withValue } from './example.ts';

describe('redactConfiguration', () => {
  it('puts stars in the place of every secret and leaves the rest', () => {
    const redacted = redactConfiguration(exampleConfiguration());
    for (const secret of collectSecrets(exampleConfiguration())) {
      expect(JSON.stringify(redacted)).not.toContain(secret);
    }
    expect(redacted.l2tp.clients['hq']).toEqual({
      ...exampleConfiguration().l2tp.clients['hq'],
      password: REDACTED,
      secret: REDACTED,
    });
    expect(redacted.l2tp.servers['office']?.users['bob']?.password).toBe(REDACTED);
    expect(redacted.interfaces).toEqual(exampleConfiguration().interfaces);
  });

  it('hides the keys of IPsec, and the log gets them to strike out', () => {
    const configuration = parsed(protectedDocument());
    expect(JSON.stringify(redactConfiguration(configuration))).not.toContain('labpsk');
    expect(redactConfiguration(configuration).ipsec.connections['hq']?.psk).toBe(REDACTED);
    expect(collectSecrets(configuration)).toContain('labpsk');
  });

  it('leaves the original as it was', () => {
    const configuration = exampleConfiguration();
    redactConfiguration(configuration).l2tp.clients['hq']?.routes.push('10.1.0.0/16');
    expect(configuration).toEqual(exampleConfiguration());
  });
});

describe('collectSecrets', () => {
  it('finds every secret once, the longest first', () => {
    const twice = withValue(exampleDocument(), 'l2tp.servers.office.users.eve', { password: 'alice-pw' });
    expect(collectSecrets(parsed(twice))).toEqual(['tunnel secret, if the server wants one', 'alice-pw', 'bob-pw']);
  });
});

describe('secretLeaves', () => {
  it('are the secrets among all leaves', () => {
    const configuration = parsed(protectedDocument());
    expect(secretLeaves(configuration)).toEqual(leaves(configuration).filter(({ secret }) => secret));
    expect(secretLeaves(configuration)).toHaveLength(5);
  });
});

describe('diffConfigurations', () => {
  it('says that a key of IPsec was set or changed, and not to what', () => {
    const before = parsed(protectedDocument());
    const after = parsed(withValue(protectedDocument(), 'ipsec.connections.hq.psk', 'another key'));
    expect(diffConfigurations(before, after)).toEqual(['~ ipsec.connections.hq.psk (changed)']);
    const added = diffConfigurations(exampleConfiguration(), before);
    expect(added).toContain('+ ipsec.connections.plant.psk (set)');
    expect(added).toContain('+ l2tp.clients.hq.ipsec = "hq"');
    expect(added.join()).not.toContain('labpsk');
  });

  it('says nothing when nothing changed', () => {
    expect(diffConfigurations(exampleConfiguration(), exampleConfiguration())).toEqual([]);
  });

  it('shows what is added to nothing, without defaults and without secrets', () => {
    expect(diffConfigurations(undefined, exampleConfiguration())).toEqual([
      '+ system.hostname = "branch-12"',
      '+ interfaces.wan.device = "eth0"',
      '+ interfaces.wan.zone = "wan"',
      '+ interfaces.wan.ipv4.method = "static"',
      '+ interfaces.wan.ipv4.address = "10.20.0.9/24"',
      '+ interfaces.wan.ipv4.gateway = "10.20.0.1"',
      '+ interfaces.lan.device = "lan0"',
      '+ interfaces.lan.zone = "lan"',
      '+ interfaces.lan.ipv4.method = "static"',
      '+ interfaces.lan.ipv4.address = "192.168.12.1/24"',
      '+ l2tp.clients.hq.server = "10.20.0.2"',
      '+ l2tp.clients.hq.user = "alice"',
      '+ l2tp.clients.hq.password (set)',
      '+ l2tp.clients.hq.secret (set)',
      '+ l2tp.clients.hq.routes = ["10.99.0.0/16"]',
      '+ l2tp.servers.office.listen = "10.20.0.9"',
      '+ l2tp.servers.office.localAddress = "10.98.0.1"',
      '+ l2tp.servers.office.pool = "10.98.0.10-10.98.0.250"',
      '+ l2tp.servers.office.dns = ["10.98.0.1"]',
      '+ l2tp.servers.office.users.bob.password (set)',
    ]);
  });

  it('shows changes, removals and additions', () => {
    let document = withValue(exampleDocument(), 'l2tp.clients.hq.user', 'carol');
    document = withValue(document, 'l2tp.clients.hq.password', 'another-pw');
    document = withValue(document, 'l2tp.clients.hq.secret', undefined);
    document = withValue(document, 'l2tp.clients.hq.port', 1702);
    document = withValue(document, 'routes', [{ prefix: '10.50.0.0/16', gateway: '10.20.0.3' }]);
    document = withValue(document, 'l2tp.servers.office.users', { 'eve@x': { password: 'long enough' } });
    expect(diffConfigurations(exampleConfiguration(), parsed(document))).toEqual([
      '- l2tp.clients.hq.secret',
      '- l2tp.servers.office.users.bob.password',
      '~ l2tp.clients.hq.port: 1701 -> 1702',
      '~ l2tp.clients.hq.user: "alice" -> "carol"',
      '~ l2tp.clients.hq.password (changed)',
      '+ l2tp.servers.office.users["eve@x"].password (set)',
      '+ routes[0].prefix = "10.50.0.0/16"',
      '+ routes[0].gateway = "10.20.0.3"',
    ]);
  });
});
