/** Users who are judged by Debian's FreeRADIUS, and accounted there. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { L2tpSessionStatus } from '../../firmware/api/router-control.ts';
import { addresses, branchConfiguration } from '../../scripts/lab/branch-network.ts';
import {
  type AccountingRecord,
  type Freeradius,
  type FreeradiusOptions,
  LAB_RADIUS_SECRET,
  type RadiusUser,
  startFreeradius,
} from '../../scripts/lab/freeradius.ts';
import { waitFor } from '../../scripts/lab/wait.ts';
import { expectAgreement } from './decode-agrees.ts';
import { Recording } from './recording.ts';
import { expectFailure, ping, SitePair, waitForState } from './site-pair.ts';

const USERS: readonly RadiusUser[] = [
  {
    name: 'branch',
    password: 'branch-pw',
    reply: [
      'Framed-IP-Address = 10.98.0.77',
      'Framed-IP-Netmask = 255.255.255.255',
      `Framed-Route = "${addresses.branchNetwork} 0.0.0.0 1"`,
      `Framed-Route += "${addresses.officeNetwork} 0.0.0.0 1"`,
      'Reply-Message = "welcome to head office"',
      'Class = 0x676f6c64',
    ],
  },
  { name: 'pap', password: 'pap-pw', reply: ['Framed-IP-Address = 255.255.255.254'] },
  { name: 'chap', password: 'chap-pw' },
  { name: 'mschapv1', password: 'mschapv1-pw' },
  { name: 'eap-md5', password: 'eap-pw', eap: 'md5' },
  { name: 'eap-mschapv2', password: 'eap-pw', eap: 'mschapv2' },
  { name: 'brief', password: 'brief-pw', reply: ['Session-Timeout = 2'] },
  { name: 'lazy', password: 'lazy-pw', reply: ['Idle-Timeout = 1'] },
  { name: 'stranger', password: 'another password' },
];

const PREFERRED = 1812;
const OTHER = 2812;

/** Patience of a test: the servers are on the same machine. */
const server = (port: number, secret = LAB_RADIUS_SECRET) => ({
  address: addresses.officeHost,
  port,
  accountingPort: port + 1,
  secret,
  timeoutSeconds: 1,
  tries: 1,
});

let pair: SitePair;
let first: Freeradius;
let second: Freeradius;
const recording = new Recording();

beforeAll(async () => {
  const users = { local: { password: 'local-pw', address: '10.98.0.200' } };
  const radius = { servers: [server(PREFERRED), server(OTHER)], deadSeconds: 2, interimSeconds: 1 };
  pair = await SitePair.build({}, { users, authentication: ['mschapv2', 'chap', 'pap', 'eap', 'mschapv1'], radius });
  const manual = { server: addresses.officeWan, start: 'manual' };
  const document = branchConfiguration({ start: 'manual', user: 'branch', password: 'branch-pw' });
  Object.assign((document['l2tp'] as { clients: object }).clients, {
    pap: { ...manual, user: 'pap', password: 'pap-pw', authentication: ['pap'] },
    chap: { ...manual, user: 'chap', password: 'chap-pw', authentication: ['chap'] },
    v1: { ...manual, user: 'mschapv1', password: 'mschapv1-pw', authentication: ['mschapv1'] },
    md5: { ...manual, user: 'eap-md5', password: 'eap-pw', authentication: ['eap'] },
    mschapv2: { ...manual, user: 'eap-mschapv2', password: 'eap-pw', authentication: ['eap'] },
    brief: { ...manual, user: 'brief', password: 'brief-pw' },
    lazy: { ...manual, user: 'lazy', password: 'lazy-pw' },
    stranger: { ...manual, user: 'stranger', password: 'stranger-pw' },
    local: { ...manual, user: 'local', password: 'local-pw' },
  });
  pair.branch.writeConfiguration(document);
  [first, second] = await Promise.all([startServer(PREFERRED), startServer(OTHER)]);
  await recording.start(pair.network.internet, 'br0', 'udp port 1701');
  await pair.office.start();
  await pair.branch.start();
}, 60_000);

afterAll(async () => {
  await recording.remove();
  await Promise.all([pair?.remove(), first?.remove(), second?.remove()]);
});

describe('users whom FreeRADIUS knows', () => {
  it.each([
    { name: 'pap', method: 'pap' },
    { name: 'chap', method: 'chap' },
    { name: 'hq', method: 'mschapv2' },
    { name: 'v1', method: 'mschapv1' },
    { name: 'md5', method: 'eap' },
    { name: 'mschapv2', method: 'eap' },
  ])('dial in with $method as $name', async ({ name, method }) => {
    await connect(name);
    expect(await pair.branch.ppp(name)).toMatchObject({ state: 'up', authentication: method });
  });

  it('have the address and the networks that it grants, save one that is head office’s own', async () => {
    const status = await pair.branch.ppp('hq');
    expect(status).toMatchObject({ localAddress: '10.98.0.77', peerAddress: '10.98.0.1' });
    await pair.pingThrough();
    expect(await ping(pair.network.officeHost, addresses.branchHost)).toBe(true);
    const routes = await pair.network.office.ip('route', 'show', 'table', 'all');
    expect(routes).toMatch(/192\.168\.12\.0\/24 dev l2tp-office/);
    expect(routes).not.toMatch(/10\.99\.0\.0\/24 dev l2tp-office/);
    for (const words of ['Framed-Route 10.99.0.0/24 is left out', 'welcome to head office']) {
      expect(pair.office.log().includes(words), words).toBe(true);
    }
  });

  it('are accounted with what they carry, from their start on, with their class', async () => {
    const interim = await record('branch', 'Interim-Update');
    const start = await record('branch', 'Start');
    const same = ['Acct-Session-Id', 'Framed-IP-Address', 'Class', 'NAS-Port', 'Calling-Station-Id'];
    for (const name of same) expect(interim.get(name)).toBe(start.get(name));
    expect(Object.fromEntries(start)).toMatchObject({
      'NAS-Identifier': 'head-office',
      'NAS-IP-Address': addresses.officeWan,
      'NAS-Port-Type': 'Virtual',
      'Service-Type': 'Framed-User',
      'Framed-Protocol': 'PPP',
      'Framed-IP-Address': '10.98.0.77',
      'Tunnel-Client-Endpoint': addresses.branchWan,
      'Calling-Station-Id': addresses.branchWan,
      'Acct-Authentic': 'RADIUS',
      Class: '0x676f6c64',
    });
    expect(first.records[0]?.get('Acct-Status-Type')).toBe('Accounting-On');
    const carried = (await session('branch'))?.octetsReceived;
    expect(await pair.branch.culvert('disconnect', 'hq')).toMatchObject({ code: 0 });
    const stop = await record('branch', 'Stop');
    expect(stop.get('Acct-Session-Id')).toBe(start.get('Acct-Session-Id'));
    expect(stop.get('Acct-Terminate-Cause')).toBe('User-Request');
    expect(Number(stop.get('Acct-Input-Octets'))).toBeGreaterThanOrEqual(Number(carried));
    expect(Number(carried)).toBeGreaterThan(0);
    expect(Number(stop.get('Acct-Output-Packets'))).toBeGreaterThan(0);
  });

  it('are put out when their time is up, or when they are silent', async () => {
    await Promise.all([connect('brief'), connect('lazy')]);
    expect((await record('brief', 'Stop')).get('Acct-Terminate-Cause')).toBe('Session-Timeout');
    expect((await record('lazy', 'Stop')).get('Acct-Terminate-Cause')).toBe('Idle-Timeout');
    await waitFor('the words of both ends', () =>
      [/the 2 s are over that the RADIUS server gave/, /no user packet came or went for 1 s/].every((words) =>
        words.test(pair.office.log()),
      ),
    );
    await Promise.all(['brief', 'lazy'].map((name) => pair.branch.culvert('disconnect', name)));
  });

  it('with a wrong password are refused, in words', async () => {
    await pair.branch.client.connect('stranger').catch(() => undefined);
    await expectFailure(pair.branch, 'stranger', /refused user stranger .*wrong user name or password/, /password/);
    expect(pair.office.log().includes('Access-Reject')).toBe(true);
    await pair.branch.culvert('disconnect', 'stranger');
  });

  it('do not keep users of the configuration from being judged here, and accounted there', async () => {
    await connect('local');
    expect(await pair.branch.ppp('local')).toMatchObject({ localAddress: '10.98.0.200' });
    expect((await record('local', 'Start')).get('Acct-Authentic')).toBe('Local');
    expect(first.log()).not.toContain('[local]');
  });
});

describe('when RADIUS servers', () => {
  it('are killed, the next one is asked, and the first again when it is back', async () => {
    await first.stop();
    await reconnect('chap');
    expect(await states()).toContain('authentication 10.99.0.10:1812 silent');
    await waitFor('a record at the second server', () =>
      second.records.some((each) => each.get('User-Name') === 'chap'),
    );
    await first.remove();
    first = await startServer(PREFERRED);
    await waitFor('the return to the first server', async () => {
      await reconnect('chap');
      return first.log().includes('[chap]');
    });
    expect(await states()).toContain('authentication 10.99.0.10:1812 answers');
  });

  it('prove nothing in their answers, head office says so', async () => {
    await Promise.all([first.remove(), second.remove()]);
    first = await startServer(PREFERRED, { messageAuthenticator: false });
    await refused('pap');
    await waitFor('the words of head office', () => /1812 answers without a Message-Auth/.test(pair.office.log()));
  });

  it('have another secret, head office says so', async () => {
    await first.remove();
    first = await startServer(PREFERRED, { secret: 'quite another secret' });
    await refused('pap');
    await waitFor('the words of head office', () => /1812 does not answer.*the same secret/.test(pair.office.log()));
  });

  it('are all gone, users are refused in time, and head office says which servers were silent', async () => {
    await first.remove();
    const begun = performance.now();
    await refused('pap');
    expect(performance.now() - begun).toBeLessThan(10_000);
    const words =
      /session ended.*RADIUS: the RADIUS server 10\.99\.0\.10:1812 [^;]*; the RADIUS server 10\.99\.0\.10:2812/;
    await waitFor('the words of head office', () => words.test(pair.office.log()));
  });
});

describe('what branches and head office said to each other meanwhile', () => {
  it('is decoded as tshark decodes it, EAP and MS-CHAPv1 as well', async () => {
    const methods = [
      'ppp-eap Request',
      'ppp-eap Response',
      'ppp-eap Success',
      'ppp-pap Authenticate-Ack',
      'ppp-chap Success',
    ];
    await expectAgreement(recording, [...methods, 'l2tp CDN']);
  });
});

function startServer(port: number, options: Partial<FreeradiusOptions> = {}): Promise<Freeradius> {
  return startFreeradius({
    namespace: pair.network.officeHost,
    address: addresses.officeHost,
    port,
    users: USERS,
    ...options,
  });
}

async function connect(name: string): Promise<void> {
  await pair.branch.client.connect(name);
  await waitForState(pair.branch, name, 'up');
}

/** Dials once, in vain. */
async function refused(name: string): Promise<void> {
  await pair.branch.culvert('disconnect', name);
  await pair.branch.client.connect(name).catch(() => undefined);
  await waitForState(pair.branch, name, 'failed');
  await pair.branch.culvert('disconnect', name);
}

async function reconnect(name: string): Promise<void> {
  await pair.branch.culvert('disconnect', name);
  await connect(name);
}

/** The newest record of a user at the first server, once there is one. */
function record(user: string, status: string): Promise<AccountingRecord> {
  return waitFor(`a ${status} of ${user}`, () =>
    first.records.findLast((each) => each.get('User-Name') === user && each.get('Acct-Status-Type') === status),
  );
}

/** A session of head office. */
async function session(user: string): Promise<L2tpSessionStatus | undefined> {
  const { l2tp } = await pair.office.status();
  return l2tp.flatMap(({ sessions }) => sessions).find(({ name }) => name === user);
}

/** What head office says of its RADIUS servers. */
async function states(): Promise<readonly string[]> {
  const { l2tp } = await pair.office.status();
  const servers = l2tp.find(({ name }) => name === 'office')?.radius ?? [];
  return servers.map(({ service, address, state }) => `${service} ${address} ${state}`);
}
