/**
 * The network of the demo and of most interop tests: head office, internet, branch, and a host in each of the two LANs.
 *
 *   branch host --- branch router === internet === head office --- office host
 *   192.168.12.10   .1   10.20.0.9    (bridge)     10.20.0.2  .1   10.99.0.10
 */
import { addBridge, addDefaultRoute, addTap, connect, createNamespace, type Namespace } from './namespaces.ts';
import { createNat, type Nat } from './nat.ts';

export interface BranchNetwork {
  /** A bridge `br0`, 10.20.0.1/24: stands for everything between the two sites. */
  readonly internet: Namespace;
  /** `eth0` towards the internet, `lan0` towards the office host; without addresses, those are the router's business. */
  readonly office: Namespace;
  readonly officeHost: Namespace;
  /** `eth0` towards the internet, `lan0` towards the branch host; without addresses. */
  readonly branch: Namespace;
  readonly branchHost: Namespace;
  /** Between the internet and the branch, where one was asked for. */
  readonly nat?: Nat;
  delete(): void;
}

export const addresses = {
  internet: '10.20.0.1',
  officeWan: '10.20.0.2',
  officeLan: '10.99.0.1',
  officeHost: '10.99.0.10',
  officeNetwork: '10.99.0.0/24',
  branchWan: '10.20.0.9',
  /** Of the branch's `eth0` and its gateway behind a NAT, which has {@link branchWan} then. */
  branchBehindNat: '192.168.7.9',
  natInside: '192.168.7.1',
  branchLan: '192.168.12.1',
  branchHost: '192.168.12.10',
  branchNetwork: '192.168.12.0/24',
} as const;

/** TAP devices of the internet's namespace for a guest that is the head office: its WAN and its LAN. */
export const officeTaps = { wan: 'hqwan', lan: 'hqlan' } as const;

/**
 * Builds it.
 * @param office `namespace`: programs of the host are the head office; `guest`: a guest with {@link officeTaps} will be.
 * @param behindNat a NAT lies between the internet and the branch.
 */
export async function createBranchNetwork(office: 'namespace' | 'guest', behindNat = false): Promise<BranchNetwork> {
  const internet = await createNamespace('internet');
  const officeSite = await createNamespace('office');
  const officeHost = await createNamespace('officehost');
  const branch = await createNamespace('branch');
  const branchHost = await createNamespace('branchhost');
  await addBridge(internet, 'br0', [`${addresses.internet}/24`]);
  let nat: Nat | undefined;
  if (behindNat) {
    nat = await createNat({ internet, address: `${addresses.branchWan}/24` });
    await nat.join(branch, 9);
  } else {
    await connect({ namespace: internet, device: 'vbranch', bridge: 'br0' }, { namespace: branch, device: 'eth0' });
  }
  await joinHost(branch, branchHost, `${addresses.branchHost}/24`, addresses.branchLan);
  if (office === 'namespace') {
    await connect({ namespace: internet, device: 'voffice', bridge: 'br0' }, { namespace: officeSite, device: 'eth0' });
    await joinHost(officeSite, officeHost, `${addresses.officeHost}/24`, addresses.officeLan);
  } else {
    await addTap({ namespace: internet, device: officeTaps.wan, bridge: 'br0' });
    await addBridge(internet, 'brlan');
    await addTap({ namespace: internet, device: officeTaps.lan, bridge: 'brlan' });
    const hostEnd = { namespace: officeHost, device: 'eth0', addresses: [`${addresses.officeHost}/24`] };
    await connect({ namespace: internet, device: 'vhost', bridge: 'brlan' }, hostEnd);
    await addDefaultRoute(officeHost, addresses.officeLan);
  }
  const all = [branchHost, branch, officeHost, officeSite, internet];
  return {
    internet,
    office: officeSite,
    officeHost,
    branch,
    branchHost,
    ...(nat === undefined ? {} : { nat }),
    delete: () => {
      nat?.delete();
      for (const namespace of all) namespace.delete();
    },
  };
}

async function joinHost(site: Namespace, host: Namespace, address: string, gateway: string): Promise<void> {
  await connect({ namespace: site, device: 'lan0' }, { namespace: host, device: 'eth0', addresses: [address] });
  await addDefaultRoute(host, gateway);
}

export interface SiteOptions {
  /** `ipsec.connections`. Default: none. */
  readonly ipsec?: Readonly<Record<string, unknown>>;
  /** The branch has an address behind the NAT. Default: false. */
  readonly behindNat?: boolean;
  /** The branch's `eth0` has no address: an uplink dials on it. Default: false. */
  readonly dialled?: boolean;
}

function ipsecSection(connections: SiteOptions['ipsec']): Record<string, unknown> {
  return connections === undefined ? {} : { ipsec: { connections } };
}

/** The configuration of the branch router, over which `client` is laid. */
export function branchConfiguration(
  client: Readonly<Record<string, unknown>>,
  { ipsec, behindNat = false, dialled = false }: SiteOptions = {},
): Record<string, unknown> {
  const [address, gateway] = behindNat
    ? [addresses.branchBehindNat, addresses.natInside]
    : [addresses.branchWan, addresses.internet];
  return {
    system: { hostname: 'branch-12' },
    interfaces: {
      wan: {
        device: 'eth0',
        zone: 'wan',
        ...(dialled ? {} : { ipv4: { method: 'static', address: `${address}/24`, gateway } }),
      },
      lan: { device: 'lan0', zone: 'lan', ipv4: { method: 'static', address: `${addresses.branchLan}/24` } },
    },
    l2tp: {
      clients: {
        hq: {
          server: addresses.officeWan,
          user: 'alice',
          password: 'alice-pw',
          routes: [addresses.officeNetwork],
          ...client,
        },
      },
    },
    ...ipsecSection(ipsec),
  };
}

/** The configuration of a Culvert at head office, over whose server `server` is laid. */
export function officeConfiguration(
  server: Readonly<Record<string, unknown>>,
  { ipsec }: SiteOptions = {},
): Record<string, unknown> {
  return {
    system: { hostname: 'head-office' },
    interfaces: {
      wan: {
        device: 'eth0',
        zone: 'wan',
        ipv4: { method: 'static', address: `${addresses.officeWan}/24`, gateway: addresses.internet },
      },
      lan: { device: 'lan0', zone: 'lan', ipv4: { method: 'static', address: `${addresses.officeLan}/24` } },
    },
    l2tp: {
      servers: {
        office: {
          listen: addresses.officeWan,
          localAddress: '10.98.0.1',
          pool: '10.98.0.10-10.98.0.250',
          dns: ['10.98.0.1'],
          users: { alice: { password: 'alice-pw', routes: [addresses.branchNetwork] } },
          ...server,
        },
      },
    },
    ...ipsecSection(ipsec),
  };
}
