/**
 * Provokes known failures on the peers of the lab and captures them, for the tests of `culvert diagnose --replay`. Run by
 * hand, since it takes minutes: scripts/lab/enter node scripts/lab/provoke-failures.ts [NAME...]
 */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  addresses,
  type BranchNetwork,
  branchConfiguration,
  createBranchNetwork,
  officeConfiguration,
  officeTaps,
} from './branch-network.ts';
import { startCapture } from './capture.ts';
import { LabCulvert } from './culvert.ts';
import { startGuest } from './guest.ts';
import { blockUdp4500, type Impairment, impair } from './impairments.ts';
import { startL2tpns } from './l2tpns.ts';
import { startStrongswan } from './strongswan.ts';
import type { SwanConnection } from './swanctl.ts';
import { waitFor } from './wait.ts';
import { startXl2tpdLns, type Xl2tpdLnsOptions } from './xl2tpd-lns.ts';

const FOLDER = join(import.meta.dirname, '../../test/diagnosis/captures');
const FILTER = 'udp or icmp or proto 50';
const PSK = 'a pre-shared key of the lab';
const USERS = [{ name: 'alice', password: 'alice-pw' }];
const FAILED_MS = 120_000;

type Overlay = Readonly<Record<string, unknown>>;

/** What a failure is provoked with. */
interface Provocation {
  /** Laid over the branch's client. */
  readonly client?: Overlay;
  /** `ipsec.connections` of the branch; the connection `hq` is waited for, where the client does not use it. */
  readonly ipsec?: Overlay;
  /** DNS servers of the branch's WAN. */
  readonly dns?: readonly string[];
  readonly behindNat?: boolean;
  readonly impairment?: Impairment;
  /** Who answers at head office. Default: nobody, but its address is there. */
  readonly office?: (network: BranchNetwork) => Promise<() => Promise<void>>;
  readonly guest?: Xl2tpdLnsOptions;
  /** Done when the client is up; then the failure is waited for. */
  readonly whenUp?: (network: BranchNetwork) => Promise<void>;
}

const drop = (name: string, ...rules: string[]): Impairment => ({ name, rules });
const dropUdp = (...ports: number[]): Impairment =>
  drop(`drop_${ports.join('_')}`, ...ports.map((port) => `ip daddr ${addresses.officeWan} udp dport ${port} drop`));

function culvert(server: Overlay, ipsec?: Overlay): NonNullable<Provocation['office']> {
  return async ({ office: namespace }) => {
    const configuration = officeConfiguration(server, ipsec === undefined ? {} : { ipsec });
    const office = new LabCulvert({ name: 'office', namespace, configuration });
    await office.start();
    return () => office.remove();
  };
}

function l2tpns(authentication: 'pap' | 'chap', secret?: string): NonNullable<Provocation['office']> {
  return async ({ office: namespace }) => {
    await giveAddress(namespace);
    const settings = { namespace, address: addresses.officeWan, users: USERS, authentication: [authentication] };
    const server = await startL2tpns({ ...settings, ...(secret === undefined ? {} : { secret }) });
    return () => server.stop();
  };
}

function strongswan(
  overlay: Partial<SwanConnection> & { readonly version: 1 | 2 },
): NonNullable<Provocation['office']> {
  return async ({ office: namespace }) => {
    await giveAddress(namespace);
    const peer = await startStrongswan({
      namespace,
      connections: [
        {
          localAddress: addresses.officeWan,
          remoteAddress: addresses.branchWan,
          psk: PSK,
          mode: 'tunnel',
          localTraffic: addresses.officeNetwork,
          remoteTraffic: addresses.branchNetwork,
          ...overlay,
        },
      ],
    });
    return () => peer.stop();
  };
}

/** The branch's connection between networks. */
function networks(version: 1 | 2, overlay: Overlay = {}): Overlay {
  const subnets = { localSubnets: [addresses.branchNetwork], remoteSubnets: [addresses.officeNetwork] };
  return {
    hq: { version, remote: addresses.officeWan, psk: PSK, mode: 'tunnel', start: 'boot', ...subnets, ...overlay },
  };
}

/** The branch's connection for its client. */
function transport(version: 1 | 2, overlay: Overlay = {}): Overlay {
  return { hq: { version, remote: addresses.officeWan, psk: PSK, mode: 'transport', ...overlay } };
}

function answering(version: 1 | 2, overlay: Overlay = {}): Overlay {
  return { branches: { version, remote: 'any', psk: PSK, mode: 'transport', ...overlay } };
}

const PROTECTED = { ipsec: 'hq' };
const ANSWERS = { ipsec: 'branches' };
const OTHER_PSK = 'another pre-shared key, of nobody';

const PROVOCATIONS: Readonly<Record<string, Provocation>> = {
  'l2tp-port-closed': {},
  'l2tp-silent': { impairment: dropUdp(1701) },
  'tunnel-secret-wrong': { client: { secret: 'one secret' }, office: culvert({ secret: 'another secret' }) },
  'tunnel-secret-missing-there': { client: { secret: 'one secret' }, office: culvert({}) },
  'tunnel-secret-missing-here': { office: culvert({ secret: 'another secret' }) },
  'l2tp-answers-lost': {
    office: culvert({}),
    impairment: drop('drop_answers', `ip saddr ${addresses.officeWan} udp sport 1701 drop`),
  },
  'auth-691': { client: { password: 'not-alice-pw' }, office: culvert({ authentication: ['mschapv2'] }) },
  'auth-protocol-refused': {
    client: { authentication: ['pap'] },
    office: culvert({ authentication: ['mschapv2'] }),
  },
  'tunnel-limit': { client: { user: 'alice' }, office: fullServer() },
  'hello-lost': {
    office: culvert({}),
    whenUp: async ({ office }) => {
      await office.ip('link', 'set', 'eth0', 'down');
    },
  },
  'hung-up-authenticating-pap-l2tpns': { client: { password: 'not-alice-pw' }, office: l2tpns('pap') },
  'hung-up-authenticating-chap-l2tpns': { client: { user: 'nobody' }, office: l2tpns('chap') },
  'tunnel-secret-wrong-l2tpns': { client: { secret: 'one secret' }, office: l2tpns('chap', 'another secret') },
  'dns-silent': {
    client: { server: 'hq.example' },
    dns: [addresses.officeWan],
    impairment: dropUdp(53),
  },
  'port-500-blocked-v1': { client: PROTECTED, ipsec: transport(1), impairment: dropUdp(500, 4500) },
  'port-500-blocked-v2': { client: PROTECTED, ipsec: transport(2), impairment: dropUdp(500, 4500) },
  'ike-refused-port': { client: PROTECTED, ipsec: transport(2) },
  'psk-wrong-v1': {
    client: PROTECTED,
    ipsec: transport(1),
    office: culvert(ANSWERS, answering(1, { psk: OTHER_PSK })),
  },
  'psk-wrong-v2': {
    client: PROTECTED,
    ipsec: transport(2),
    office: culvert(ANSWERS, answering(2, { psk: OTHER_PSK })),
  },
  'ike-no-proposal-v1': {
    client: PROTECTED,
    ipsec: transport(1, { ike: ['aes128-sha256-ecp256'] }),
    office: culvert(ANSWERS, answering(1, { ike: ['aes256-sha512-modp4096'] })),
  },
  'child-refused-v1': {
    client: PROTECTED,
    ipsec: transport(1, { esp: ['aes128gcm16'] }),
    office: culvert(ANSWERS, answering(1, { esp: ['aes256-sha256'] })),
  },
  'child-refused-v2': {
    client: PROTECTED,
    ipsec: transport(2, { esp: ['aes128gcm16'] }),
    office: culvert(ANSWERS, answering(2, { esp: ['aes256-sha256'] })),
  },
  'port-4500-blocked-v1': {
    client: PROTECTED,
    ipsec: transport(1),
    behindNat: true,
    office: culvert(ANSWERS, answering(1)),
    impairment: blockUdp4500,
  },
  'port-4500-blocked-v2': {
    client: PROTECTED,
    ipsec: transport(2),
    behindNat: true,
    office: culvert(ANSWERS, answering(2)),
    impairment: blockUdp4500,
  },
  // Two Culverts put ESP in UDP even without a NAT; all but IKE, which has four zero octets in front, is dropped.
  'esp-in-udp-mute': {
    client: PROTECTED,
    ipsec: transport(2),
    office: culvert(ANSWERS, answering(2)),
    impairment: drop('drop_esp_in_udp', 'meta l4proto udp th dport 4500 @th,64,32 != 0 drop'),
  },
  'psk-wrong-v1-strongswan': { ipsec: networks(1), office: strongswan({ version: 1, psk: OTHER_PSK }) },
  'psk-wrong-v2-strongswan': { ipsec: networks(2), office: strongswan({ version: 2, psk: OTHER_PSK }) },
  'ike-no-proposal-v2-strongswan': {
    ipsec: networks(2, { ike: ['aes128-sha256-ecp256'] }),
    office: strongswan({ version: 2, ike: ['aes256-sha512-modp4096'] }),
  },
  'child-refused-v2-strongswan': {
    ipsec: networks(2),
    office: strongswan({ version: 2, localTraffic: '10.111.0.0/24' }),
  },
  'pap-refused-xl2tpd': { client: { password: 'not-alice-pw' }, guest: { users: USERS, authentication: 'pap' } },
  'auth-691-xl2tpd': { client: { password: 'not-alice-pw' }, guest: { users: USERS, authentication: 'mschapv2' } },
  'tunnel-secret-wrong-xl2tpd': { client: { secret: 'onesecret' }, guest: { users: USERS, secret: 'othersecret' } },
};

/** A server whose only tunnel is taken by a client at head office itself. */
function fullServer(): NonNullable<Provocation['office']> {
  return async (network) => {
    const stop = await culvert({ limits: { tunnels: 1 }, hello: { idleSeconds: 60 } })(network);
    await network.internet.ip('address', 'add', '10.20.0.77/24', 'dev', 'br0');
    const namespace = network.internet;
    const configuration = branchConfiguration({});
    const other = new LabCulvert({
      name: 'other',
      namespace,
      configuration: { ...configuration, interfaces: {} },
    });
    await other.start();
    await waitFor('the other client', async () => (await other.l2tp('hq'))?.state === 'up', { timeoutMs: FAILED_MS });
    return async () => {
      await other.remove();
      await stop();
    };
  };
}

async function giveAddress(office: BranchNetwork['office']): Promise<void> {
  await office.ip('address', 'add', `${addresses.officeWan}/24`, 'dev', 'eth0');
  await office.ip('address', 'add', `${addresses.officeLan}/24`, 'dev', 'lan0');
}

function branchOf({ client, ipsec, dns, behindNat = false }: Provocation): Overlay {
  const whole = branchConfiguration(client ?? {}, { ...(ipsec === undefined ? {} : { ipsec }), behindNat });
  // A connection between networks stands by itself.
  if (ipsec !== undefined && client === undefined) delete whole['l2tp'];
  if (dns !== undefined) {
    const interfaces = whole['interfaces'] as { wan: { ipv4: Record<string, unknown> } };
    interfaces.wan.ipv4['dns'] = dns;
  }
  return whole;
}

async function provoke(name: string, provocation: Provocation): Promise<void> {
  const { office, guest, whenUp, impairment, ipsec, client, behindNat = false } = provocation;
  const folder = mkdtempSync(join(tmpdir(), 'provoked-'));
  const network = await createBranchNetwork(guest === undefined ? 'namespace' : 'guest', behindNat);
  const ends: (() => Promise<void>)[] = [];
  try {
    if (impairment !== undefined) await impair(network.internet, impairment);
    if (guest !== undefined) ends.push(await startOffice(network, guest));
    else if (office === undefined) await giveAddress(network.office);
    else ends.push(await office(network));
    const branch = new LabCulvert({ name: 'branch', namespace: network.branch, configuration: branchOf(provocation) });
    ends.push(() => branch.remove());
    const capture = await startCapture({
      namespace: network.internet,
      device: 'br0',
      file: join(folder, 'x.pcap'),
      filter: `(${FILTER}) and host ${addresses.branchWan}`,
    });
    await branch.start();
    const state = async () => {
      if (ipsec !== undefined && client === undefined) {
        return (await branch.status()).ipsec.find((entry) => entry.name === 'hq');
      }
      return await branch.l2tp('hq');
    };
    const until = async (wanted: string) => {
      // Before IPsec has started its connections are failed, and nothing is said of why.
      const is = (entry: Awaited<ReturnType<typeof state>>) =>
        entry?.state === wanted && (wanted === 'up' || entry.reason !== undefined);
      const timeoutMs = FAILED_MS;
      await waitFor(`${name} being ${wanted}`, async () => is(await state().catch(() => undefined)), { timeoutMs });
    };
    if (whenUp !== undefined) {
      await until('up');
      await whenUp(network);
    }
    await until('failed');
    const said = (await state())?.reason ?? '';
    await capture.stop();
    copyFileSync(capture.file, join(FOLDER, `${name}.pcap`));
    process.stdout.write(`${name}: ${said}\n`);
  } finally {
    for (const end of ends.reverse()) await end().catch(() => undefined);
    network.delete();
    rmSync(folder, { recursive: true });
  }
}

async function startOffice(network: BranchNetwork, options: Xl2tpdLnsOptions): Promise<() => Promise<void>> {
  const guest = await startGuest({
    name: 'office',
    namespace: network.internet,
    gateway: addresses.internet,
    cards: [
      { tap: officeTaps.wan, addresses: [`${addresses.officeWan}/24`] },
      { tap: officeTaps.lan, addresses: [`${addresses.officeLan}/24`] },
    ],
  });
  await startXl2tpdLns(guest, options);
  return async () => {
    await guest.stop();
  };
}

mkdirSync(FOLDER, { recursive: true });
const wanted = process.argv.slice(2);
for (const [name, provocation] of Object.entries(PROVOCATIONS)) {
  if (wanted.length > 0 && !wanted.some((word) => name.startsWith(word))) continue;
  await provoke(name, provocation).catch((error: unknown) => process.stdout.write(`${name}: NOT PROVOKED: ${error}\n`));
}
