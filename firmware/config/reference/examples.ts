/** Whole configurations that work, for docs/configuration.md. */

export interface Example {
  readonly title: string;
  /** What it is for, and what to look at. */
  readonly words: string;
  readonly document: object;
}

const WAN = { device: 'eth0', zone: 'wan' } as const;

/** The two routers of `scripts/demo`. */
export const BRANCH: Example = {
  title: 'A branch that dials head office: L2TP inside IPsec',
  words:
    'The branch of `scripts/demo`, as it would be on a line with a fixed address. `routes` names what is behind head office and goes into the tunnel; `ipsec` names the connection ' +
    'that protects it, whose `remote` is the server. `"mode": "transport"` has to be written, since a connection is for whole ' +
    'networks otherwise. With a server that knows no network behind the branch, add `"masquerade": true` to the client; with one ' +
    'that speaks IKEv1 only, `"version": 1`. `"start": "manual"` waits for `culvert connect hq`.',
  document: {
    system: { hostname: 'branch-12' },
    interfaces: {
      wan: { ...WAN, ipv4: { method: 'static', address: '10.20.0.9/24', gateway: '10.20.0.1' } },
      lan: { device: 'lan0', zone: 'lan', ipv4: { method: 'static', address: '192.168.12.1/24' } },
    },
    l2tp: {
      clients: {
        hq: { server: '10.20.0.2', user: 'alice', password: 'alice-pw', routes: ['10.99.0.0/24'], ipsec: 'hq' },
      },
    },
    ipsec: {
      connections: { hq: { version: 2, remote: '10.20.0.2', mode: 'transport', psk: 'a long secret of both ends' } },
    },
  },
};

export const OFFICE: Example = {
  title: 'Head office, where branches dial in',
  words:
    'The other end of the same demo. `pool` holds the addresses that callers get inside the tunnel, `localAddress` is the end of ' +
    'the office; both lie outside of the LANs. The `routes` of a user are the networks behind that user, and the only sources that ' +
    'are taken from it. `"remote": "any"` takes callers from everywhere who have the key.',
  document: {
    system: { hostname: 'head-office' },
    interfaces: {
      wan: { ...WAN, ipv4: { method: 'static', address: '10.20.0.2/24', gateway: '10.20.0.1' } },
      lan: { device: 'lan0', zone: 'lan', ipv4: { method: 'static', address: '10.99.0.1/24' } },
    },
    l2tp: {
      servers: {
        office: {
          listen: '10.20.0.2',
          localAddress: '10.98.0.1',
          pool: '10.98.0.10-10.98.0.250',
          dns: ['10.98.0.1'],
          users: { alice: { password: 'alice-pw', routes: ['192.168.12.0/24'] } },
          ipsec: 'branches',
        },
      },
    },
    ipsec: {
      connections: {
        branches: { version: 2, remote: 'any', mode: 'transport', psk: 'a long secret of both ends' },
      },
    },
  },
};

/** With its DSL provider. */
export const DSL_LOGIN = { user: 'branch-12@dsl', password: 'dsl-pw' } as const;

/** What the branch of the demo has instead of a fixed address. @param device serial device of the modem. */
export function dslAndLte(device: string): object {
  return {
    modems: { lte: { device, apn: 'internet' } },
    uplinks: {
      dsl: { type: 'pppoe', interface: 'wan', priority: 1, ...DSL_LOGIN },
      lte: { type: 'modem', modem: 'lte', priority: 2 },
    },
  };
}

export const EXAMPLES: readonly Example[] = [
  BRANCH,
  {
    title: 'A branch with a DSL line and a modem',
    words:
      'The same branch with the two uplinks that it has in `scripts/demo`: it dials PPPoE on the port of its DSL modem, and a ' +
      'cellular modem. Traffic and VPN go by the first one that is well, and come back to it. A modem on USB is found without ' +
      '`device`. With a mobile tariff by volume, add `"metered": true` to `lte`, or `"standby": "cold"`, and dialling waits until it is needed.',
    document: {
      ...BRANCH.document,
      interfaces: {
        wan: WAN,
        lan: { device: 'lan0', zone: 'lan', ipv4: { method: 'static', address: '192.168.12.1/24' } },
      },
      ...dslAndLte('/dev/ttyUSB2'),
    },
  },
  OFFICE,
  {
    title: 'Two networks joined by IPsec alone',
    words:
      'Tunnel mode, which needs no L2TP: `localSubnets` and `remoteSubnets` say what is joined. The other end has the same with both ' +
      'turned round. Networks behind another router in the LAN are reached by static `routes`.',
    document: {
      system: { hostname: 'plant' },
      interfaces: {
        wan: {
          ...WAN,
          mtu: 1492,
          ipv4: { method: 'static', address: '203.0.113.10/29', gateway: '203.0.113.9', dns: ['203.0.113.9'] },
        },
        lan: { device: 'lan0', zone: 'lan', ipv4: { method: 'static', address: '10.88.0.1/24' } },
      },
      ipsec: {
        connections: {
          hq: {
            version: 2,
            remote: 'vpn.example.com',
            psk: 'another long secret of both ends',
            localId: 'plant.example.com',
            remoteId: 'vpn.example.com',
            localSubnets: ['10.88.0.0/24', '10.89.0.0/16'],
            remoteSubnets: ['10.99.0.0/24'],
            esp: ['aes256gcm16-modp2048', 'aes256-sha256-modp2048'],
          },
        },
      },
      routes: [{ prefix: '10.89.0.0/16', gateway: '10.88.0.254' }],
    },
  },
  {
    title: 'A branch behind an old server, dialled when it is needed',
    words:
      'IKEv1 with the algorithms of old peers. The first packet for `routes` dials, ten quiet minutes hang up, and the server is ' +
      'asked to prove itself by a tunnel secret.',
    document: {
      interfaces: {
        wan: { ...WAN, ipv4: { method: 'static', address: '192.168.178.20/24', gateway: '192.168.178.1' } },
        lan: { device: 'lan0', zone: 'lan', ipv4: { method: 'static', address: '192.168.13.1/24' } },
      },
      l2tp: {
        clients: {
          hq: {
            server: '198.51.100.2',
            sourcePort: 1701,
            user: 'branch-13@example.com',
            password: 'a good password of the branch',
            secret: 'a tunnel secret of both',
            authentication: ['mschapv2'],
            routes: ['10.99.0.0/16'],
            ipsec: 'hq',
            start: 'on-demand',
            idleSeconds: 600,
            maxFail: 10,
            hello: { idleSeconds: 10, probes: 5 },
          },
        },
      },
      ipsec: {
        connections: {
          hq: { version: 1, remote: '198.51.100.2', mode: 'transport', profile: 'legacy', psk: 'one more long secret' },
        },
      },
    },
  },
  {
    title: 'A server with RADIUS, IPv6, a partner and a branch that it calls',
    words:
      'Users that are not in `users` are judged by the RADIUS servers, the second one while the first is silent. Callers of the realm ' +
      'partner.example are handed on to another server. Each session gets a /64 of the prefix pool. `culvert connect call-14` places ' +
      'a call to the branch that holds a tunnel with `"start": "called"`.',
    document: {
      system: { hostname: 'lns-1' },
      interfaces: {
        wan: { ...WAN, ipv4: { method: 'static', address: '198.51.100.2/24', gateway: '198.51.100.1' } },
        lan: {
          device: 'eth1',
          zone: 'lan',
          ipv4: { method: 'static', address: '10.99.0.1/16' },
          ipv6: { address: '2001:db8:99::1/64' },
        },
      },
      l2tp: {
        servers: {
          office: {
            listen: '198.51.100.2',
            localAddress: '10.98.0.1',
            pool: '10.98.0.10-10.98.3.250',
            ipv6: { pool: '2001:db8:9800::/48', dns: ['2001:db8:99::53'] },
            secret: 'a tunnel secret of all',
            users: {
              'bob@example.com': {
                password: 'a good password of bob',
                address: '10.98.8.7',
                ipv6Prefix: '2001:db8:9800:7::/64',
                routes: ['192.168.14.0/24'],
              },
            },
            radius: {
              servers: [
                { address: '10.99.0.10', secret: 'sixteen random characters' },
                { address: 'radius2.example.com', secret: 'another secret of theirs' },
              ],
              interimSeconds: 300,
            },
            forward: {
              partner: { realms: ['partner.example'], server: '203.0.113.40', secret: 'tunnel secret of the partner' },
            },
            calls: { 'call-14': { host: 'branch-14', number: '14' } },
            limits: { tunnels: 200 },
          },
        },
      },
    },
  },
];
