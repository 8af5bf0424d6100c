/** A hub that asks callers who they are (XAUTH), users who are told, and rough ones. */
import type { IkeConnection } from '../../../../../firmware/protocol/ike/ike-types.ts';
import { PoolLeases } from '../../../../../firmware/vpn/ipsec/address-leases.ts';
import { SeededRandom } from '../../../../support/seeded-random.ts';
import { type Faults, Host, Network } from './network.ts';
import { RoughCaller } from './rough-caller.ts';
import { branch, CLIENT, headOffice, range, SERVER } from './setup.ts';

export const ALICE = { user: 'alice', password: 'wonder land' };
const POOL = '10.99.0.7-10.99.0.9';

/** Users of the server, to be changed by a test. */
export const directory = (): Map<string, string> =>
  new Map([
    ['alice', 'wonder land'],
    ['bob', 'builder'],
  ]);

export function server(users = directory(), extra: Partial<IkeConnection> = {}): IkeConnection {
  const { remoteSelectors: _, ...connection } = headOffice({
    xauthUsers: (user) => users.get(user),
    leases: new PoolLeases(POOL, ['10.2.0.53']),
  });
  return { ...connection, ...extra };
}

export function user(extra: Partial<IkeConnection> = {}): IkeConnection {
  const { localSelectors: _, ...connection } = branch({ xauth: ALICE, requestAddress: true, ...extra });
  return { ...connection, ...extra };
}

export function meet(own = user(), their = server(), { seed = 1, faults = {} as Faults, ms = 3000 } = {}) {
  const network = new Network(seed, faults);
  const client = network.add('client', CLIENT, [own]);
  const hub = network.add('server', SERVER, [their]);
  const ikeId = client.endpoint.initiate(network.now, 'client', client.to(SERVER));
  network.run(ms);
  return { network, client, hub, ikeId };
}

/** A caller in Main Mode that has been asked who it is. */
export function rough(their = server(), seed = 1) {
  const network = new Network(seed);
  const hub = network.add('server', SERVER, [their]);
  const own = branch({ xauth: ALICE, localSelectors: [range('10.99.0.7', '10.99.0.7')] });
  const path = { local: { address: CLIENT, port: 500 }, remote: { address: SERVER, port: 500 } };
  const caller = new RoughCaller(network.now, own, path, new SeededRandom(seed + 3));
  network.hosts.push(new Host('caller', CLIENT, caller));
  network.run(500);
  return { network, hub, caller, own };
}

export const reasons = (host: Host) => host.all('ike-down').map(({ failure }) => failure.reason);
export const addressesOf = (host: Host) =>
  host.all('child-up').map(({ child }) => child.remoteSelectors[0]?.firstAddress);
