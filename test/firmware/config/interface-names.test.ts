import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { interfaceName, tunnelInterfaceNames } from '../../../firmware/config/interface-names.ts';
import type { Configuration } from '../../../firmware/config/schema.ts';
import { exampleConfiguration, exampleDocument, parsed, protectedDocument, withValue } from './example.ts';

describe('interfaceName', () => {
  it('puts the kind in front and cuts after 15 characters', () => {
    expect(interfaceName('l2tp', 'hq', new Set())).toBe('l2tp-hq');
    expect(interfaceName('ipsec', 'head-office-north', new Set())).toBe('ipsec-head-offi');
  });

  it('puts a number at the end when the name is taken', () => {
    expect(interfaceName('l2tp', 'hq', new Set(['l2tp-hq']))).toBe('l2tp-hq-2');
    expect(interfaceName('l2tp', 'headquarters2', new Set(['l2tp-headquarte']))).toBe('l2tp-headquar-2');
  });

  it('gives any number of equal names different devices of at most 15 characters', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 120 }), (count) => {
        const taken = new Set<string>();
        for (let index = 0; index < count; index += 1) {
          const name = interfaceName('l2tp', 'a-rather-long-name', taken);
          expect(name.length).toBeLessThanOrEqual(15);
          expect(taken.has(name)).toBe(false);
          taken.add(name);
        }
      }),
      { numRuns: 5 },
    );
  });
});

describe('tunnelInterfaceNames', () => {
  it('names the tunnels of the example', () => {
    const { clients, servers } = tunnelInterfaceNames(exampleConfiguration());
    expect([...clients, ...servers]).toEqual([
      ['hq', 'l2tp-hq'],
      ['office', 'l2tp-office'],
    ]);
  });

  it('names IPsec connections in tunnel mode, and no others', () => {
    const { connections } = tunnelInterfaceNames(parsed(protectedDocument()));
    expect([...connections]).toEqual([['plant', 'ipsec-plant']]);
  });

  it('tells a client from a server of the same name, in whatever order they are written', () => {
    const office = { server: 'x.example', user: 'u', password: 'long enough' };
    const document = withValue(exampleDocument(), 'l2tp.clients', { zulu: office, office, alpha: office });
    const { clients, servers } = tunnelInterfaceNames(parsed(document));
    expect(clients.get('office')).toBe('l2tp-office');
    expect(servers.get('office')).toBe('l2tp-office-2');
    expect([...clients.keys()]).toEqual(['alpha', 'office', 'zulu']);
  });

  it('names uplinks that dial, and no others', () => {
    const uplinks = {
      adsl: { type: 'pppoe', interface: 'wan', user: 'u', password: 'p' },
      lte: { type: 'modem', modem: 'stick' },
      fibre: { type: 'ethernet', interface: 'wan' },
    };
    const named = tunnelInterfaceNames({ ...exampleConfiguration(), uplinks } as unknown as Configuration).uplinks;
    expect([...named]).toEqual([
      ['adsl', 'ppp-adsl'],
      ['lte', 'ppp-lte'],
    ]);
  });
});
