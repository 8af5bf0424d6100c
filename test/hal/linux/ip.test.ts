import { describe, expect, it } from 'vitest';
import { routeArguments, ruleArguments } from '../../../hal/ip-arguments.ts';
import type { Route } from '../../../hal/links.ts';
import { saidByLine } from '../../../hal/linux/ip-batch.ts';
import { errorCodeOf, errorTextOf } from '../../../hal/linux/ip-errors.ts';
import { parseAddresses, parseLinks, parseRoutes, parseRules } from '../../../hal/linux/ip-json.ts';
import { sysctlPath } from '../../../hal/linux/sysctl.ts';

describe('the output of ip', () => {
  it('names protocols, scopes, types and tables that some versions print instead of numbers', () => {
    const routes =
      '[{"type":"unreachable","dst":"default","protocol":"static","metric":7,"flags":[]},\
      {"dst":"10.0.0.0/24","dev":"eth0","protocol":"kernel","scope":"link","flags":[]},{"dst":"10.1.0.0/24","dev":"eth0"}]';
    expect(parseRoutes(routes, 4, 254)).toEqual([
      { prefix: '0.0.0.0/0', type: 'unreachable', protocol: 4, metric: 7, table: 254 },
      { prefix: '10.0.0.0/24', type: 'unicast', device: 'eth0', protocol: 2, scope: 'link', table: 254 },
      { prefix: '10.1.0.0/24', type: 'unicast', device: 'eth0', protocol: 3, table: 254 },
    ]);
    expect(parseRules('[{"priority":32766,"src":"all","table":"main","protocol":"kernel"}]', 4)).toEqual([
      { priority: 32_766, family: 4, table: 254, protocol: 2 },
    ]);
  });

  it('leaves out routes and rules that the port cannot express, so that none is taken for a plainer one', () => {
    expect(parseRoutes('[{"type":"2","dst":"10.0.0.1","dev":"eth0"}]', 4, 255)).toEqual([]);
    const rules = [
      { src: '10.0.0.0', srclen: 8, not: null, fwmark: '0x1' },
      { src: '10.0.0.0', srclen: 8, not: null },
      { src: 'all', goto: 7 },
      { src: 'all', fwmark: '0x1', fwmask: '0xff', not: null },
      { src: 'all', iif: 'eth0' },
      { src: 'all', not: null, dst: '10.0.0.0', dstlen: 8 },
      { src: 'all', not: null },
    ].map((rule) => ({ priority: 5, table: '99', ...rule }));
    expect(parseRules(JSON.stringify(rules), 4)).toEqual([]);
    expect(parseRules('[{"priority":5,"src":"all","action":"unreachable"}]', 4)).toEqual([]);
  });

  it('shows a gateway of the other family', () => {
    const [route] = parseRoutes('[{"dst":"10.6.0.0/24","via":{"family":"inet6","host":"fd00::9"},"dev":"d0"}]', 4, 99);
    expect(route?.gateway).toBe('fd00::9');
    expect(route && routeArguments(route).join(' ')).toBe('10.6.0.0/24 via inet6 fd00::9 dev d0 table 99 proto 3');
  });

  it('may be nothing at all', () => {
    expect(parseLinks('')).toEqual([]);
    expect(parseAddresses('[{}]')).toEqual([]);
  });

  it.each(['{', '{}', '[1]', '[{"ifname":7}]', '[{"ifname":"a","ifindex":1,"mtu":"1500","flags":[]}]'])(
    'is refused in words when it is %s',
    (text) => {
      expect(() => parseLinks(text)).toThrow(/The program ip printed/);
    },
  );
});

describe('the arguments of ip', () => {
  const route: Route = { prefix: '10.0.0.0/8', type: 'unicast', table: 99, protocol: 77 };

  it('say all that a route has', () => {
    const whole: Route = {
      ...route,
      gateway: '10.1.1.1',
      device: 'eth0',
      source: '10.1.1.2',
      metric: 5,
      scope: 'site',
    };
    expect(routeArguments(whole).join(' ')).toBe(
      '10.0.0.0/8 via 10.1.1.1 dev eth0 src 10.1.1.2 metric 5 scope site table 99 proto 77',
    );
    expect(routeArguments({ ...route, type: 'throw' }).join(' ')).toBe('throw 10.0.0.0/8 table 99 proto 77');
  });

  it.each<[string, Partial<Route>]>([
    ['a prefix that is a word', { prefix: 'default' }],
    ['a device that is an option', { device: '-batch' }],
    ['a device with a space', { device: 'a b' }],
    ['a gateway that is a word', { gateway: 'dev' }],
    ['a metric that is no number', { metric: Number.NaN }],
    ['a metric of 33 bits', { metric: 2 ** 32 }],
    ['a table below zero', { table: -1 }],
    ['a protocol of 9 bits', { protocol: 256 }],
    ['a scope of its own', { scope: 'galaxy' }],
  ])('refuse %s', (_what, fields) => {
    expect(() => routeArguments({ ...route, ...fields })).toThrow(expect.objectContaining({ code: 'EINVAL' }));
  });

  it('put the mark of a rule behind "not"', () => {
    const rule = { priority: 100, family: 4, notMark: 0x77, table: 99, protocol: 77 } as const;
    expect(ruleArguments(rule).join(' ')).toBe('not fwmark 0x77 lookup 99 priority 100 protocol 77');
    const source = '10.0.0.0/8';
    expect(() => ruleArguments({ ...rule, source })).toThrow(expect.objectContaining({ code: 'EINVAL' }));
  });

  it('have a table or another rule to go to', () => {
    const rule = { priority: 100, family: 4, mark: 0x77, source: '10.0.0.0/8' } as const;
    expect(ruleArguments({ ...rule, goto: 200 }).join(' ')).toBe('from 10.0.0.0/8 fwmark 0x77 goto 200 priority 100');
    expect(() => ruleArguments(rule)).toThrow(expect.objectContaining({ code: 'EINVAL' }));
  });
});

describe('what ip says about a batch', () => {
  it('is brought back to the lines that it is about', () => {
    const said =
      'Error: ipv4: Address already assigned.\nCommand failed -:2\nCannot find device "x"\nCommand failed -:5\n';
    expect([...saidByLine(said)].map(([line, text]) => [line, errorCodeOf(text)])).toEqual([
      [2, 'EEXIST'],
      [5, 'ENODEV'],
    ]);
  });
});

describe('the errors of ip', () => {
  it.each([
    ['RTNETLINK answers: File exists\n', 'EEXIST', 'File exists'],
    ['Error: ipv4: Address already assigned.\n', 'EEXIST', 'ipv4: Address already assigned'],
    ['Error: 8021q: VLAN device already exists.\n', 'EEXIST', '8021q: VLAN device already exists'],
    ['Error: ipv6: address not found.\n', 'EADDRNOTAVAIL', 'ipv6: address not found'],
    ['Cannot find device "x"\n', 'ENODEV', 'Cannot find device "x"'],
    ['Error: ipv4: FIB table does not exist.\nDump terminated\n', 'ENOENT', 'ipv4: FIB table does not exist'],
    ['RTNETLINK answers: No such process\n', 'ESRCH', 'No such process'],
    ['RTNETLINK answers: Operation not permitted\n', 'EPERM', 'Operation not permitted'],
    ['Error: Device for nexthop is not up.\n', 'ENETDOWN', 'Device for nexthop is not up'],
    ['Error: something new.\n', '', 'something new'],
    ['', '', 'no reason given'],
  ])('%j is %s', (stderr, code, text) => {
    expect(errorCodeOf(stderr)).toBe(code);
    expect(errorTextOf(stderr)).toBe(text);
  });
});

describe('sysctlPath', () => {
  it.each([
    ['net.ipv4.ip_forward', '/proc/sys/net/ipv4/ip_forward'],
    ['net.ipv4.conf.eth0/5.rp_filter', '/proc/sys/net/ipv4/conf/eth0.5/rp_filter'],
    ['net.ipv6.conf.l2tp-hq.disable_ipv6', '/proc/sys/net/ipv6/conf/l2tp-hq/disable_ipv6'],
  ])('%s is %s', (key, path) => {
    expect(sysctlPath(key)).toBe(path);
  });

  it.each(['', 'net', 'net..ipv4', 'net.//.ipv4', '/etc/passwd', '../x', 'net.a b', 'net.//./.x'])(
    'refuses %j',
    (key) => {
      expect(() => sysctlPath(key)).toThrow(/is no kernel parameter/);
    },
  );
});
