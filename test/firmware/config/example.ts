/** The configuration of the outside contract's example, with IPsec and without it. */
import { parseConfiguration } from '../../../firmware/config/parse.ts';
import type { Configuration } from '../../../firmware/config/schema.ts';

/** A fresh copy, as it is written in a file. */
export function exampleDocument() {
  return {
    system: { hostname: 'branch-12' },
    interfaces: {
      wan: {
        device: 'eth0',
        zone: 'wan',
        ipv4: { method: 'static', address: '10.20.0.9/24', gateway: '10.20.0.1' },
      },
      lan: { device: 'lan0', zone: 'lan', ipv4: { method: 'static', address: '192.168.12.1/24' } },
    },
    l2tp: {
      clients: {
        hq: {
          server: '10.20.0.2',
          user: 'alice',
          password: 'alice-pw',
          secret: 'tunnel secret, if the server wants one',
          routes: ['10.99.0.0/16'],
        },
      },
      servers: {
        office: {
          listen: '10.20.0.9',
          localAddress: '10.98.0.1',
          pool: '10.98.0.10-10.98.0.250',
          dns: ['10.98.0.1'],
          users: { bob: { password: 'bob-pw' } },
          authentication: ['mschapv2', 'chap'],
        },
      },
    },
  };
}

/** The whole example of the outside contract, word for word. */
export function contractDocument(): unknown {
  const ipsec = {
    connections: {
      hq: { version: 1, remote: '10.20.0.2', psk: 'labpsk', mode: 'transport', profile: 'auto' },
      plant: {
        version: 2,
        remote: '10.20.0.8',
        psk: 'labpsk',
        localId: 'cl.lab',
        remoteId: 'srv.lab',
        mode: 'tunnel',
        localSubnets: ['192.168.12.0/24'],
        remoteSubnets: ['10.88.0.0/24'],
        virtualAddress: true,
        start: 'boot',
      },
    },
  };
  return { ...(withValue(exampleDocument(), 'l2tp.clients.hq.ipsec', 'hq') as object), ipsec };
}

/** The same without the virtual address: the plant is connected network to network. */
export function protectedDocument(): unknown {
  return withValue(contractDocument(), 'ipsec.connections.plant.virtualAddress', undefined);
}

/** Parses a document; fails the test with the problems when it is refused. */
export function parsed(document: unknown): Configuration {
  const result = parseConfiguration(JSON.stringify(document), 'branch.json');
  if (!result.ok) throw new Error(JSON.stringify(result.problems, undefined, 1));
  return result.configuration;
}

export function exampleConfiguration(): Configuration {
  return parsed(exampleDocument());
}

/** Sets one value in a document by its path, such as `l2tp.clients.hq.port`; `undefined` removes the key. */
export function withValue(document: unknown, path: string, value: unknown): unknown {
  const copy: unknown = structuredClone(document);
  const keys = path.split('.');
  let at: unknown = copy;
  for (const key of keys.slice(0, -1)) at = member(at, key);
  if (typeof at !== 'object' || at === null) throw new Error(`no object at ${path}`);
  const last = keys.at(-1) ?? '';
  if (value === undefined) Reflect.deleteProperty(at, last);
  else Reflect.set(at, last, value);
  return copy;
}

function member(at: unknown, key: string): unknown {
  if (typeof at !== 'object' || at === null) throw new Error(`no object above ${key}`);
  if (!Reflect.has(at, key)) Reflect.set(at, key, {});
  return Reflect.get(at, key);
}
