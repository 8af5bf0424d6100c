/** Head office in the demo: a second Culvert, or one of the servers that are not ours. */
import { addresses, type BranchNetwork, officeConfiguration, officeTaps } from '../lab/branch-network.ts';
import { LabCulvert } from '../lab/culvert.ts';
import { startGuest } from '../lab/guest.ts';
import { startL2tpns } from '../lab/l2tpns.ts';
import { addDefaultRoute } from '../lab/namespaces.ts';
import { l2tpConnection, startStrongswanInGuest } from '../lab/strongswan-guest.ts';
import { startXl2tpdLns } from '../lab/xl2tpd-lns.ts';

export const OFFICE_KINDS = ['culvert', 'l2tpns', 'xl2tpd'] as const;
export type OfficeKind = (typeof OFFICE_KINDS)[number];

export function isOfficeKind(text: string): text is OfficeKind {
  return OFFICE_KINDS.some((kind) => kind === text);
}

/** How the tunnel is protected. */
export interface Protection {
  readonly ikeVersion: 1 | 2;
  readonly psk: string;
}

export interface Office {
  /** What the branch's client needs beside server, user and password. */
  readonly client: Readonly<Record<string, unknown>>;
  /** False where the server knows no IPsec. */
  readonly protected: boolean;
  stop(): Promise<void>;
}

const USERS = [{ name: 'alice', password: 'alice-pw' }];

/** Starts head office and returns when it takes calls. */
export async function startOffice(kind: OfficeKind, network: BranchNetwork, protection: Protection): Promise<Office> {
  if (kind === 'culvert') return await startCulvert(network, protection);
  return kind === 'l2tpns' ? await startRealL2tpns(network) : await startRealXl2tpd(network, protection);
}

/** `ipsec` of the branch's configuration. */
export function branchIpsec({ ikeVersion, psk }: Protection): object {
  return {
    connections: { hq: { version: ikeVersion, remote: addresses.officeWan, mode: 'transport', psk } },
  };
}

/** Culvert to Culvert: head office routes to the branch's LAN, nothing is masqueraded. */
async function startCulvert(network: BranchNetwork, { ikeVersion, psk }: Protection): Promise<Office> {
  const branches = { version: ikeVersion, remote: 'any', mode: 'transport', psk };
  const office = new LabCulvert({
    name: 'office',
    namespace: network.office,
    configuration: {
      ...officeConfiguration({ ipsec: 'branches' }),
      ipsec: { connections: { branches } },
    },
  });
  await office.start();
  return { client: { ipsec: 'hq' }, protected: true, stop: () => office.remove() };
}

/** These servers know of no network behind the branch: it appears under the address that they assign. */
async function startRealL2tpns(network: BranchNetwork): Promise<Office> {
  const { office } = network;
  await office.ip('address', 'add', `${addresses.officeWan}/24`, 'dev', 'eth0');
  await office.ip('address', 'add', `${addresses.officeLan}/24`, 'dev', 'lan0');
  await addDefaultRoute(office, addresses.internet);
  await office.run('sysctl', '-qw', 'net.ipv4.ip_forward=1');
  const secret = 'tunnel secret';
  const server = await startL2tpns({ namespace: office, address: addresses.officeWan, users: USERS, secret });
  return { client: { secret, masquerade: true }, protected: false, stop: () => server.stop() };
}

async function startRealXl2tpd(network: BranchNetwork, { ikeVersion, psk }: Protection): Promise<Office> {
  const guest = await startGuest({
    name: 'office',
    namespace: network.internet,
    gateway: addresses.internet,
    cards: [
      { tap: officeTaps.wan, addresses: [`${addresses.officeWan}/24`] },
      { tap: officeTaps.lan, addresses: [`${addresses.officeLan}/24`] },
    ],
  });
  await guest.exec('sysctl -qw net.ipv4.ip_forward=1');
  const ike = l2tpConnection('server', { version: ikeVersion, localAddress: addresses.officeWan, psk });
  const strongswan = await startStrongswanInGuest(guest, [ike]);
  const server = await startXl2tpdLns(guest, {
    users: USERS,
    authentication: 'mschapv2',
    pool: '10.98.0.10-10.98.0.60',
    insideAddress: '10.98.0.1',
  });
  return {
    client: { masquerade: true, ipsec: 'hq' },
    protected: true,
    stop: async () => {
      await server.stop();
      await strongswan.stop();
      await guest.stop();
    },
  };
}
