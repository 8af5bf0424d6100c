import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import {
  checkConfiguration,
  checkStoredConfiguration,
  MAX_CONFIGURATION_OCTETS,
  parseConfiguration,
} from '../../../firmware/config/parse.ts';
import { formatProblem, type Problem } from '../../../firmware/config/problem.ts';
import {
  contractDocument,
  exampleConfiguration,
  exampleDocument,
  parsed,
  protectedDocument,
  withValue,
} from './example.ts';

function problemsOf(text: string, fileName = 'branch.json'): readonly Problem[] {
  const result = parseConfiguration(text, fileName);
  return result.ok ? [] : result.problems;
}

function refused(document: unknown): readonly Problem[] {
  return problemsOf(JSON.stringify(document));
}

describe('a configuration that has been in force', () => {
  it('is taken with what breaks a rule among its warnings, and refused when it breaks the schema', () => {
    const document = withValue(exampleDocument(), 'routes', [{ prefix: '10.0.0.0/8' }]);
    expect(checkConfiguration(document)).toMatchObject({ ok: false });
    const taken = checkStoredConfiguration(document);
    expect(taken.ok && taken.warnings.map(({ rule, severity }) => `${severity} ${rule}`)).toEqual([
      'error route-next-hop',
      'warning weak-secret',
    ]);
    expect(checkStoredConfiguration(withValue(document, 'routes', [{}]))).toMatchObject({ ok: false });
  });
});

describe('a good configuration', () => {
  it('is the example of the contract, with every default filled in', () => {
    const configuration = exampleConfiguration();
    expect(configuration.l2tp.clients['hq']).toEqual({
      server: '10.20.0.2',
      port: 1701,
      sourcePort: 'ephemeral',
      user: 'alice',
      password: 'alice-pw',
      secret: 'tunnel secret, if the server wants one',
      hideAvps: false,
      ipv6: false,
      routes: ['10.99.0.0/16'],
      masquerade: false,
      authentication: ['pap', 'chap', 'mschapv2', 'eap'],
      mru: 1400,
      start: 'boot',
      idleSeconds: 0,
      maxFail: 0,
      sequencing: 'off',
      reorder: { packets: 16, milliseconds: 20 },
      dscp: 0,
      number: '1',
      hello: { idleSeconds: 4, probeSeconds: 1, probes: 8 },
    });
    expect(configuration.l2tp.servers['office']).toMatchObject({
      port: 1701,
      hideAvps: false,
      proxyAuthentication: 'off',
      mru: 1400,
      limits: { halfOpenPerAddress: 4, halfOpenTotal: 64, tunnels: 1024 },
      users: { bob: { password: 'bob-pw', routes: [] } },
    });
    expect(configuration.interfaces['lan']?.ipv4?.dns).toEqual([]);
    expect(configuration.routes).toEqual([]);
  });

  it('may be empty', () => {
    const none = {
      l2tp: { clients: {}, servers: {} },
      ipsec: { connections: {}, certificates: {} },
      routes: [],
      users: {},
    };
    const system = { hostname: 'culvert', syslog: {}, console: { idleMinutes: 15 } };
    const empty = { system, interfaces: {}, modems: {}, uplinks: {}, ...none };
    expect(parsed({})).toEqual(empty);
    expect(parseConfiguration('', 'empty.yaml')).toMatchObject({ ok: true, configuration: empty });
  });

  it('is the same in YAML, by the file name or by its looks', () => {
    const yaml = stringify(exampleDocument());
    for (const name of ['branch.yaml', 'branch.YML', 'stdin']) {
      expect(parseConfiguration(yaml, name)).toMatchObject({ ok: true, configuration: exampleConfiguration() });
    }
    expect(parseConfiguration(JSON.stringify(exampleDocument()), '-')).toMatchObject({ ok: true });
  });

  it('may begin with a byte order mark', () => {
    expect(parseConfiguration('\ufeff{}', 'x.json')).toMatchObject({ ok: true });
  });

  it('does not share its defaults with the next one', () => {
    parsed(exampleDocument()).l2tp.clients['hq']?.authentication.splice(0);
    expect(exampleConfiguration().l2tp.clients['hq']?.authentication).toHaveLength(4);
  });

  it('takes user names such as constructor for what they are', () => {
    const users = { constructor: { password: 'long enough' }, 'DOM\\bob@x': { password: 'long enough' } };
    const configuration = parsed(withValue(exampleDocument(), 'l2tp.servers.office.users', users));
    expect(Object.keys(configuration.l2tp.servers['office']?.users ?? {})).toEqual(['constructor', 'DOM\\bob@x']);
    expect(exampleConfiguration().l2tp.servers['office']?.users['constructor']).toBeUndefined();
  });
});

describe('a key that does not belong', () => {
  it('is refused with its path and the key that was meant, and the missing key is not told twice', () => {
    const document = withValue(
      withValue(exampleDocument(), 'l2tp.clients.hq.sever', '10.20.0.2'),
      'l2tp.clients.hq.server',
      undefined,
    );
    expect(refused(document)).toEqual([
      expect.objectContaining({
        rule: 'unknown-key',
        path: 'l2tp.clients.hq.sever',
        found: 'the unknown key "sever"',
        suggestion: 'server',
      }),
    ]);
    expect(formatProblem(refused(document)[0] as Problem)).toMatch(
      /^l2tp\.clients\.hq\.sever: found .*"sever"; allowed: the keys server, .*; did you mean "server"\?$/,
    );
  });

  it.each([
    ['l2tp.clients.hq.pasword', 'x', undefined],
    ['l2tp.clients.hq.mtu', 1400, 'mru'],
    ['interfaces.lan.zoen', 'lan', undefined],
    ['interfase', {}, undefined],
    ['routs', [], 'routes'],
    ['l2tp.client', {}, undefined],
    ['l2tp.clients.hq.frobnicate', 1, undefined],
    ['uplink', {}, 'uplinks'],
  ])('%s is refused', (path, value, suggestion) => {
    const [problem, ...more] = refused(withValue(exampleDocument(), path, value));
    expect(more).toEqual([]);
    expect(problem).toMatchObject({ rule: 'unknown-key', path });
    expect(problem?.suggestion).toBe(suggestion);
  });

  it.each(['firewall', 'dhcp', 'dns'])('and is %s, is refused as not available in this version', (key) => {
    const [problem, ...more] = refused(withValue(exampleDocument(), key, {}));
    expect(more).toEqual([]);
    expect(problem).toMatchObject({ rule: 'not-available', path: key });
    expect(problem?.found).toContain('not available in this version');
    expect(problem?.suggestion).toBeUndefined();
  });

  it('is refused even when it is called __proto__', () => {
    const problems = problemsOf('{"system": {"__proto__": {"hostname": "x"}}, "interfaces": {"__proto__": {}}}');
    expect(problems.map(({ path }) => path)).toContain('system.__proto__');
    expect(problems.map(({ path }) => path)).toContain('interfaces.__proto__');
  });
});

describe('IPsec', () => {
  it('of the example of the contract is taken', () => {
    expect(parseConfiguration(JSON.stringify(contractDocument()), 'branch.json')).toMatchObject({ ok: true });
  });

  it('gets every default filled in', () => {
    const { hq, plant } = parsed(protectedDocument()).ipsec.connections;
    expect(hq).toEqual({
      version: 1,
      remote: '10.20.0.2',
      psk: 'labpsk',
      mode: 'transport',
      protocol: 'esp',
      profile: 'auto',
      encapsulation: 'auto',
      dpdSeconds: 10,
      localSubnets: [],
      remoteSubnets: [],
      routing: 'policy',
      start: 'boot',
      aggressive: false,
      idleSeconds: 0,
      virtualAddress: false,
      dns: [],
    });
    expect(plant).toMatchObject({
      version: 2,
      localId: 'cl.lab',
      remoteId: 'srv.lab',
      localSubnets: ['192.168.12.0/24'],
    });
    const bare = {
      remote: 'vpn.example.com',
      psk: 'long enough',
      localSubnets: ['10.1.0.0/16'],
      remoteSubnets: ['10.2.0.0/16'],
    };
    const { connections } = parsed({ ipsec: { connections: { bare } } }).ipsec;
    expect(connections['bare']).toMatchObject({ version: 2, mode: 'tunnel', profile: 'auto' });
  });
});

const PEER = { remote: '10.20.0.8', psk: 'long enough', localSubnets: ['10.1.0.0/16'], remoteSubnets: ['10.2.0.0/16'] };

describe('a wrong value', () => {
  it.each([
    ['system.hostname', 'branch 12', '"branch 12"', /one label/],
    ['system.hostname', 7, '7', /in quotes$/],
    ['interfaces.lan.zone', 'wam', '"wam"', /^"wan", "lan" or "management"$/],
    ['interfaces.lan.mtu', 500, '500', /^a whole number from 576 to 65535 octets$/],
    ['interfaces.lan.device', 'a/b', '"a/b"', /device name/],
    ['interfaces.lan.ipv4.address', '192.168.12.1', '"192.168.12.1"', /prefix length/],
    ['interfaces.wan.ipv4.gateway', '10.20.0.256', '"10.20.0.256"', /IPv4 address/],
    ['interfaces.wan.ipv4', 'dhcp', 'text (not shown)', /keys method, address, gateway, clientId, hostname, dns/],
    ['l2tp.clients.hq.server', '10.20.0', '"10.20.0"', /host name/],
    ['l2tp.clients.hq.server', 'bad name', '"bad name"', /host name/],
    ['l2tp.clients.hq.port', '1701', '"1701"', /from 1 to 65535$/],
    ['l2tp.clients.hq.port', 1701.5, '1701.5', /whole number/],
    ['l2tp.clients.hq.sourcePort', 'any', '"any"', /^a whole number from 1 to 65535 or "ephemeral"$/],
    ['l2tp.clients.hq.masquerade', 'yes', '"yes"', /^true or false$/],
    ['l2tp.clients.hq.routes', '10.99.0.0/16', 'text (not shown)', /^a list/],
    ['l2tp.clients.hq.routes', ['10.99.0.1/16'], '"10.99.0.1/16"', /no bits set behind/],
    ['l2tp.clients.hq.authentication', ['chap', 'eep'], '"eep"', /"eap"$/],
    ['l2tp.clients.hq.authentication', [], '0 entries', /^1 to 5$/],
    ['l2tp.clients.hq.authentication', ['chap', 'chap'], '"chap" for the second time', /once/],
    ['l2tp.clients.hq.hello.probes', 0, '0', /from 1 to 20 probes$/],
    ['l2tp.clients.hq.mru', null, 'null', /whole number/],
    ['l2tp.clients.hq', [], 'a list', /keys server/],
    ['l2tp.servers.office.pool', '10.98.0.10', '"10.98.0.10"', /hyphen/],
    ['ipsec.connections.x', { ...PEER, version: 3 }, '3', /^1 or 2$/],
    ['ipsec.connections.x', { ...PEER, version: '1' }, '"1"', /^1 or 2$/],
    ['ipsec.connections.x', { ...PEER, remote: '10.20.0' }, '"10.20.0"', /host name such as .*, or "any"$/],
    ['ipsec.connections.x', { ...PEER, localId: '#abc' }, '"#abc"', /KEY_ID/],
    ['ipsec.connections.x', { ...PEER, localId: 'a b' }, '"a b"', /name such as branch\.example/],
    ['ipsec.connections.x', { ...PEER, lifetimeSeconds: 5 }, '5', /from 20 to 86400 seconds/],
    ['ipsec.connections.x', { ...PEER, ike: [] }, '0 entries', /^1 to 16$/],
    ['ipsec.connections.x', { ...PEER, mode: 'tunel' }, '"tunel"', /"transport" or "tunnel"/],
    ['l2tp.servers.office.users', { '': { password: 'long enough' } }, 'the name ""', /user name/],
    ['l2tp.servers.office.users', { bob: {} }, 'nothing', /255 octets/],
    ['routes', [{ gateway: '10.20.0.1' }], 'nothing', /IPv4 network/],
  ])('for %s: %j', (path, value, found, allowed) => {
    const problems = refused(withValue(exampleDocument(), path, value));
    expect(problems).toHaveLength(1);
    expect(problems[0]?.path.startsWith(path)).toBe(true);
    expect(problems[0]?.found).toBe(found);
    expect(problems[0]?.allowed).toMatch(allowed);
  });

  it('names the item of a list', () => {
    const problems = refused(withValue(exampleDocument(), 'l2tp.clients.hq.routes', ['10.1.0.0/16', 'x', 'y']));
    expect(problems.map(({ path }) => path)).toEqual(['l2tp.clients.hq.routes[1]', 'l2tp.clients.hq.routes[2]']);
  });

  it('suggests the word that was meant', () => {
    const [problem] = refused(withValue(exampleDocument(), 'interfaces.lan.ipv4.method', 'statc'));
    expect(problem?.suggestion).toBe('static');
  });

  it('never comes alone when there are more: all of them are told', () => {
    const document = { system: { hostname: '-' }, interfaces: { lan: { device: 'lan0' } }, routes: {}, sytem: {} };
    expect(refused(document).map(({ path }) => path)).toEqual([
      'sytem',
      'system.hostname',
      'interfaces.lan.zone',
      'routes',
    ]);
  });
});

describe('a secret', () => {
  const secret = 'S3CR3T-do-not-print';

  it.each([
    ['where it belongs, of the wrong kind', 'l2tp.clients.hq.password', [secret]],
    ['where it belongs, with a control character', 'l2tp.clients.hq.password', `${secret}\n`],
    ['where it belongs, too long', 'l2tp.clients.hq.secret', secret.repeat(20)],
    ['as a pre-shared key with a line feed', 'ipsec.connections', { x: { remote: '10.20.0.8', psk: `${secret}\n` } }],
    ['under a misspelt key of IPsec', 'ipsec.connections', { x: { remote: '10.20.0.8', pks: secret } }],
    ['under a misspelt key', 'l2tp.clients.hq.pasword', secret],
    ['in the place of an object', 'l2tp.servers.office.users.bob', secret],
    ['in the place of a list', 'l2tp.clients.hq.routes', secret],
    ['inside an object in the place of text', 'l2tp.clients.hq.user', { password: secret }],
  ])('is not shown %s', (_, path, value) => {
    const problems = refused(withValue(exampleDocument(), path, value));
    expect(problems.length).toBeGreaterThan(0);
    expect(JSON.stringify(problems)).not.toContain('S3CR3T');
  });

  it.each([
    ['JSON', 'x.json', `{"password": "${secret}" "x": 1}`],
    ['JSON without quotes', 'x.json', `{"password": ${secret}}`],
    ['JSON without an end', 'x.json', `{"password": "${secret}`],
    ['YAML', 'x.yaml', `password: "${secret}\nx: [`],
    ['YAML with an odd tag', 'x.yaml', `password: !${secret} x`],
    ['YAML with an alias', 'x.yaml', `password: *${secret}`],
  ])('is not shown in a mistake of %s', (_, name, text) => {
    const problems = problemsOf(text, name);
    expect(problems.length).toBeGreaterThan(0);
    expect(JSON.stringify(problems)).not.toContain('S3CR3T');
  });
});

describe('the file', () => {
  it('may not be larger than a mebibyte', () => {
    const text = `{"system": {}}${' '.repeat(MAX_CONFIGURATION_OCTETS)}`;
    expect(problemsOf(text)).toEqual([expect.objectContaining({ rule: 'size', path: '' })]);
  });

  it.each([
    ['{"system": {"hostname": "a", "hostname": "b"}}', 'x.json', 'system.hostname'],
    ['system:\n  hostname: a\n  hostname: b\n', 'x.yaml', 'system.hostname'],
    ['{"l2tp": {}, "l2tp": {}}', 'x.json', 'l2tp'],
  ])('may have no key twice: %j', (text, name, path) => {
    expect(problemsOf(text, name)).toEqual([expect.objectContaining({ rule: 'duplicate-key', path })]);
  });

  it.each([
    ['{\n "a": 1,\n}', /line 3, column 1$/, /key in double quotes/],
    ['{"a" 1}', /line 1, column 6$/, /colon/],
    ['{"a": 1} x', /line 1, column 10$/, /end of the file/],
    ['{"a": [1 2]}', /line 1, column 10$/, /bracket/],
    ['{"a": 01}', /line 1, column 8$/, /comma or a closing brace/],
    ['{"a": "\\x"}', /line 1, column 7$/, /double quotes/],
    ['{"a": tru}', /line 1, column 7$/, /a value/],
    ['', /line 1, column 1$/, /a value/],
    ['['.repeat(100_000), /line 1, column 66$/, /levels of nesting/],
  ])('has its mistakes of syntax told by line and column: %j', (text, found, allowed) => {
    const [problem, ...more] = problemsOf(text);
    expect(more).toEqual([]);
    expect(problem).toMatchObject({ rule: 'syntax', path: '' });
    expect(problem?.found).toMatch(found);
    expect(problem?.allowed).toMatch(allowed);
  });

  it.each(['a: b: c', '\ta: 1', 'a: [1, 2', '- 1\n- 2\n--- \n- 3', '? [1]\n: 2', '[', '['.repeat(10_000)])(
    'is refused where the YAML is wrong: %j',
    (text) => {
      expect(problemsOf(text, 'x.yaml').length).toBeGreaterThan(0);
    },
  );

  it('reads every JSON value as the platform does', () => {
    const value = { a: [1, -2.5, 1e3, true, false, null, '', 'é\u2028"\\/\b\n', {}], b: { c: { d: [] } } };
    const text = JSON.stringify({ system: value }, undefined, 2);
    expect(problemsOf(text).map(({ path }) => path)).toEqual(['system.a', 'system.b']);
  });
});
