/** What a router may be found in, and which known failure it is. */
import type { LiveFacts, PppFacts, SessionFacts } from '../../../firmware/diagnosis/live/live-facts.ts';

const SESSION: SessionFacts = { name: 'hq', up: true, traffic: { received: 9, sent: 9, drops: {} } };
const PPP: PppFacts = {
  up: true,
  localAddress: '10.98.0.10',
  peerAddress: '10.98.0.1',
  authentication: 'mschapv2',
  mtu: 1400,
  hasIpv6: false,
};

/** A client that is up and to which nothing is amiss. */
export const HEALTHY: LiveFacts = {
  name: 'hq',
  kind: 'l2tp-client',
  state: 'up',
  failures: [],
  uplinks: [{ name: 'wan', device: 'eth0', state: 'up', addresses: ['10.20.0.9/24'], gateway: '10.20.0.1' }],
  server: 'hq.example',
  addresses: ['10.20.0.2'],
  source: '10.20.0.9',
  wall: Date.UTC(2027, 0, 1),
  floor: Date.UTC(2026, 0, 1),
  isProtected: false,
  tunnel: { up: true, peer: '10.20.0.2:1701', peerTunnelId: 7 },
  sessions: [SESSION],
  ppp: [PPP],
  ipsec: [],
  prefixes: ['10.99.0.0/16'],
  routed: ['10.99.0.0/16'],
  networks: [{ name: 'lan', prefix: '192.168.12.0/24' }],
  drops: {},
  log: [],
};

const UPLINK = { name: 'wan', device: 'eth0', state: 'up', addresses: ['10.20.0.9/24'], gateway: '10.20.0.1' } as const;
const DOWN = { state: 'failed', sessions: [], ppp: [] } as const;

function withDrops(drops: Readonly<Record<string, number>>): Partial<LiveFacts> {
  return { sessions: [{ ...SESSION, traffic: { ...SESSION.traffic, drops } }] };
}

function withSa(received: number, sent: number, drops: Readonly<Record<string, number>> = {}): Partial<LiveFacts> {
  const child = { up: true, algorithms: 'AES', traffic: { received, sent, drops } };
  const ike = { ikeUp: true, peer: '10.20.0.2:500', algorithms: 'AES', nat: 'none', children: [child] };
  return { isProtected: true, ipsec: [ike] };
}

/** The known failure, and what is different from {@link HEALTHY}. */
export const LIVE_CASES: readonly (readonly [string, Partial<LiveFacts>])[] = [
  ['waits-for-connect', { ...DOWN, state: 'down' }],
  [
    'max-fail',
    {
      ...DOWN,
      failures: [{ step: 'SCCRQ', reason: 'x did not answer the SCCRQ; given up after 3 failed attempts', remedy: '' }],
    },
  ],
  ['wan-device-missing', { ...DOWN, uplinks: [{ ...UPLINK, state: 'missing', addresses: [] }] }],
  ['wan-link-down', { ...DOWN, uplinks: [{ ...UPLINK, state: 'down' }] }],
  ['wan-no-address', { ...DOWN, uplinks: [{ ...UPLINK, addresses: ['fe80::1/64'] }] }],
  ['gateway-outside', { ...DOWN, uplinks: [{ ...UPLINK, gateway: '10.21.0.1' }] }],
  ['clock-wrong', { wall: 1000 }],
  ['route-missing-here', { prefixes: ['10.99.0.0/16', '10.100.0.0/16'] }],
  ['no-routes-configured', { prefixes: [], routed: [] }],
  ['lan-overlap', { prefixes: ['192.168.12.0/25'], routed: ['192.168.12.0/25'] }],
  ['one-way-traffic', { sessions: [{ ...SESSION, traffic: { received: 0, sent: 20, drops: {} } }] }],
  ['nothing-sent', { sessions: [{ ...SESSION, traffic: { received: 20, sent: 0, drops: {} } }] }],
  ['source-drops', withDrops({ wrongSource: 4 })],
  ['no-destination-drops', { drops: { noRoute: 12 } }],
  ['mtu-black-hole', withDrops({ tooBig: 40 })],
  ['no-sa-drops', { drops: { noSa: 5 } }],
  ['integrity-drops', withSa(9, 9, { notAuthentic: 5 })],
  ['replay-drops', withSa(9, 9, { replayed: 50 })],
  [
    'nat-mapping-lost',
    {
      isProtected: true,
      ipsec: [
        {
          ikeUp: true,
          peer: '10.20.0.2:4500',
          algorithms: 'AES',
          nat: 'here',
          note: 'the peer was at 10.20.0.2:4500 before: a NAT on the way has given it another address or port',
          children: [],
        },
      ],
    },
  ],
];
