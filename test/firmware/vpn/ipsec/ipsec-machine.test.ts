import { describe, expect, it } from 'vitest';
import type { IpsecConnectionSettings } from '../../../../firmware/vpn/ipsec/ipsec-types.ts';
import {
  BRANCH,
  dial,
  FAST_ESP_V1,
  FAST_ESP_V2,
  OFFICE,
  psk,
  servedSettings,
  settings,
  TestNetwork,
  TestSite,
} from './two-sites.ts';

type Changes = Partial<IpsecConnectionSettings>;

function transport(version: 1 | 2, branchChanges: Changes = {}, officeChanges: Changes = {}) {
  const branch = new TestSite(BRANCH, 1);
  const office = new TestSite(OFFICE, 2);
  const network = new TestNetwork(branch, office);
  branch.machine.setConnections(network.now, [settings(version, branchChanges)]);
  office.machine.setConnections(network.now, [servedSettings(version, officeChanges)]);
  office.machine.serve(network.now, 'callers');
  return { branch, office, network };
}

const TUNNEL = { device: 'ipsec-hq', mtu: 1400, routing: 'policy', start: 'boot' } as const;

/** Both sides know each other; networks as `10.1.0.0/24`. */
function tunnels(version: 1 | 2, local: readonly string[], remote: readonly string[], changes: Changes = {}) {
  const branch = new TestSite(BRANCH, 1);
  const office = new TestSite(OFFICE, 2);
  const network = new TestNetwork(branch, office);
  const common = { mode: 'tunnel', ...changes } as const;
  const branchTunnel = { ...TUNNEL, localSubnets: local, remoteSubnets: remote };
  const officeTunnel = { ...TUNNEL, localSubnets: remote, remoteSubnets: local };
  branch.machine.setConnections(network.now, [settings(version, { ...common, tunnel: branchTunnel })]);
  const there = settings(version, { ...common, name: 'branch', remote: BRANCH, tunnel: officeTunnel });
  office.machine.setConnections(network.now, [there]);
  branch.machine.serve(network.now, 'hq');
  office.machine.serve(network.now, 'branch');
  return { branch, office, network };
}

function dialTunnel(network: TestNetwork, site: TestSite, connection: string, remoteAddress: string): number {
  const id = site.newId();
  site.machine.dial(network.now, id, { connection, remoteAddress, localAddress: site.address });
  network.settle();
  return id;
}

function onlyChannel(site: TestSite): number {
  const [id, another] = site.up.keys();
  if (id === undefined || another !== undefined) throw new Error(`${site.up.size} channels are up`);
  return id;
}

describe.each([1, 2] as const)('an IPsec machine with IKEv%i', (version) => {
  it('brings a channel up at both ends', () => {
    const { branch, office, network } = transport(version);
    const id = dial(network, branch);
    network.run(2);
    expect(branch.up.get(id)?.path).toEqual({
      local: { address: BRANCH, port: 1701 },
      remote: { address: OFFICE, port: 1701 },
      bearer: id,
    });
    expect([...office.up.values()]).toMatchObject([{ connection: 'callers', initiator: false }]);
    expect(branch.sending(id)?.outbound.spi).toBe(office.sending(onlyChannel(office))?.inbound.spi);
    expect(branch.memory.get('hq')).toEqual({ offer: 'modern', port: 500, udpEncapsulation: false });
  });

  it('shows what stands, in words', () => {
    const { branch, network } = transport(version);
    dial(network, branch);
    network.run(2);
    const [info] = branch.machine.views(network.now, 50_000);
    expect(info).toMatchObject({ name: 'hq', state: 'up' });
    expect(info?.stateSince).toBeGreaterThan(48_000);
    expect(info?.stateSince).toBeLessThan(48_200);
    expect(info?.ikeSas).toMatchObject([
      {
        version,
        state: 'up',
        initiator: true,
        algorithms:
          version === 1
            ? 'AES-CBC with 128-bit key, PRF-HMAC-SHA2-256, 256-bit ECP'
            : 'AES-GCM with 128-bit key, PRF-HMAC-SHA2-256, X25519',
        peerIdentity: OFFICE,
        children: [
          {
            sending: true,
            algorithms: version === 1 ? 'AES-CBC with 128-bit key, HMAC-SHA1-96' : 'AES-GCM with 128-bit key',
            localSelectors: [`${BRANCH} UDP port 1701`],
          },
        ],
      },
    ]);
  });

  it('says which group the keys of a child SA were exchanged in', () => {
    const esp = { ...(version === 1 ? FAST_ESP_V1 : FAST_ESP_V2), group: 'ecp256' };
    const { branch, office, network } = transport(version, { espProposals: [esp] }, { espProposals: [esp] });
    const id = dial(network, branch);
    network.run(2);
    branch.machine.saLifetime(network.now, branch.sending(id)?.key ?? 0, 'soft', 'packets');
    network.run(20);
    for (const site of [branch, office]) {
      const said = JSON.stringify(site.machine.views(network.now, 0)[0]?.ikeSas[0]?.children);
      expect(said).toContain('PFS 256-bit ECP');
    }
  });

  it('keeps two connections to one peer, with keys of their own, names and all', () => {
    const branch = new TestSite(BRANCH, 1);
    const office = new TestSite(OFFICE, 2);
    const network = new TestNetwork(branch, office);
    const names = ['hq', 'hq-2'] as const;
    const psks = ['the key of the first', 'the key of the second'] as const;
    const called = ['callers', 'callers-2'] as const;
    branch.machine.setConnections(
      network.now,
      names.map((name, index) => settings(version, { name, authentication: psk(psks[index] ?? '') })),
    );
    office.machine.setConnections(
      network.now,
      called.map((name, index) => servedSettings(version, { name, authentication: psk(psks[index] ?? '') })),
    );
    for (const name of called) office.machine.serve(network.now, name);
    const first = dial(network, branch, 'hq');
    network.run(2);
    const second = dial(network, branch, 'hq-2');
    network.run(2);
    network.traffic = true;
    network.run(5 * 3600);
    expect([...branch.up.keys()]).toEqual([first, second]);
    expect([...office.up.values()].map(({ connection }) => connection)).toEqual(called);
    expect([...branch.all('channel-down'), ...office.all('channel-down')]).toEqual([]);
    expect(network.unopened).toBe(0);
    network.traffic = false;
    branch.machine.close(network.now, first);
    network.run(60);
    expect([...branch.up.keys()]).toEqual([second]);
    expect(office.up.size).toBe(1);
  });

  it('bounds the channels that one peer makes in one IKE SA', () => {
    const { branch, office, network } = transport(version);
    const names = Array.from({ length: 12 }, (_, index) => `caller-${index}`);
    branch.machine.setConnections(
      network.now,
      names.map((name) => settings(version, { name })),
    );
    let most = 0;
    for (const [index, connection] of names.entries()) {
      const ports = { local: 2000 + index, remote: 1701 };
      const request = { connection, remoteAddress: OFFICE, localAddress: BRANCH, ports };
      branch.machine.dial(network.now, branch.newId(), request);
      network.run(2);
      const held = office.machine.views(network.now, 0)[0]?.ikeSas ?? [];
      for (const { children } of held) most = Math.max(most, new Set(children.map(({ channel }) => channel)).size);
    }
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(8);
  });

  it('never shows the key, in steps, failures or views', () => {
    const { branch, office, network } = transport(version, {}, { authentication: psk('another key altogether') });
    dial(network, branch);
    network.run(60);
    const said = JSON.stringify([
      branch.outputs.filter(({ kind }) => kind === 'step' || kind === 'state' || kind === 'channel-down'),
      branch.machine.views(network.now, 0),
      office.outputs.filter(({ kind }) => kind === 'step' || kind === 'state'),
    ]);
    expect(said).not.toMatch(/a key that is shared|another key altogether/);
    expect(branch.last('channel-down').failure.reason).toMatch(/key/);
  });

  it('carries every packet through the rekeys of 24 hours', () => {
    const { branch, office, network } = transport(version, { dpdSeconds: 60 }, { dpdSeconds: 60 });
    dial(network, branch);
    network.run(1);
    network.traffic = true;
    network.run(24 * 3600);
    expect(network.unopened).toBe(0);
    expect(network.packets).toBeGreaterThan(500);
    expect(branch.all('channel-up')).toHaveLength(1);
    expect(office.all('channel-up')).toHaveLength(1);
    expect(branch.all('channel-down')).toEqual([]);
    expect(new Set(branch.all('put-sa').map(({ sa }) => sa.inbound.spi)).size).toBeGreaterThan(23);
    expect(branch.sas.size).toBeLessThan(4);
    expect(office.sas.size).toBeLessThan(4);
  });

  it('carries every packet through rekeys of both sides at once', () => {
    const { branch, office, network } = transport(version, { dpdSeconds: 0 }, { dpdSeconds: 0 });
    const id = dial(network, branch);
    network.run(1);
    network.traffic = true;
    for (let round = 0; round < 5; round += 1) {
      const [here, there] = [branch.sending(id)?.key ?? 0, office.sending(onlyChannel(office))?.key ?? 0];
      branch.machine.saLifetime(network.now, here, 'soft', 'packets');
      office.machine.saLifetime(network.now, there, 'soft', 'octets');
      network.run(20);
    }
    expect(network.unopened).toBe(0);
    expect(branch.up.size + office.up.size).toBe(2);
    expect(branch.sending(id)?.outbound.spi).not.toBe(branch.all('put-sa')[0]?.sa.outbound.spi);
  });

  it('ends the channel at both ends when its owner closes it, and says nothing to the owner', () => {
    const { branch, office, network } = transport(version);
    const id = dial(network, branch);
    network.run(2);
    branch.machine.close(network.now, id);
    network.run(2);
    expect(branch.all('channel-down')).toEqual([]);
    expect(branch.policies.size + branch.sas.size).toBe(0);
    expect(office.policies.size + office.sas.size).toBe(0);
    expect(office.last('channel-down').failure.step).toBe('DELETE');
    expect(branch.machine.views(network.now, 0)).toMatchObject([{ state: 'down', ikeSas: [] }]);
    expect(branch.machine.quiet).toBe(true);
  });

  it('can be called again at once while the old IKE SA still takes its leave', () => {
    const { branch, office, network } = transport(version);
    const first = dial(network, branch);
    network.run(2);
    branch.machine.close(network.now, first);
    const second = dial(network, branch);
    network.run(2);
    expect([...branch.up.keys()]).toEqual([second]);
    expect(office.up.size).toBe(1);
    expect(branch.sending(second)?.outbound.spi).toBe(office.sending(onlyChannel(office))?.inbound.spi);
  });

  it('leaves nothing behind, closed at whatever moment', () => {
    for (let at = 0; at < 60; at += 2.5) {
      const { branch, office, network } = transport(version);
      const id = dial(network, branch);
      network.run(at / 1000);
      branch.machine.close(network.now, id);
      network.run(90);
      expect(branch.policies.size + branch.sas.size + branch.up.size, `closed after ${at} ms`).toBe(0);
      expect(branch.all('channel-down')).toEqual([]);
      expect(office.policies.size + office.sas.size + office.up.size, `closed after ${at} ms`).toBe(0);
    }
  });

  it('refuses a second channel of one connection to the same peer', () => {
    const { branch, network } = transport(version);
    const first = dial(network, branch);
    const second = dial(network, branch);
    expect(branch.last('channel-down')).toMatchObject({ channel: second, failure: { cause: 'refused' } });
    network.run(2);
    expect([...branch.up.keys()]).toEqual([first]);
  });

  it('tells the owner when the peer is gone, by DPD', () => {
    const { branch, network } = transport(version);
    const id = dial(network, branch);
    network.run(2);
    network.lost = () => true;
    network.run(90);
    expect(branch.last('channel-down')).toMatchObject({ channel: id, failure: { cause: 'silence' } });
    expect(branch.policies.size + branch.sas.size).toBe(0);
    expect(branch.machine.views(network.now, 0)).toMatchObject([{ state: 'failed' }]);
  });

  it('turns a caller away whom nobody serves, and says why', () => {
    const { branch, office, network } = transport(version);
    office.machine.unserve(network.now, 'callers');
    dial(network, branch);
    network.run(2);
    expect(office.up.size + office.policies.size + office.sas.size).toBe(0);
    expect(office.last('state').failure?.reason).toMatch(/nothing here takes calls/);
    expect(branch.up.size).toBe(0);
  });

  it('ends the channels of callers when calls are taken no more', () => {
    const { branch, office, network } = transport(version);
    dial(network, branch);
    network.run(2);
    office.machine.unserve(network.now, 'callers');
    network.run(2);
    expect(office.policies.size + office.sas.size).toBe(0);
    expect(branch.up.size).toBe(0);
    expect(office.machine.views(network.now, 0)).toMatchObject([{ state: 'down' }]);
  });

  it('says which proposals did not match, at both ends', () => {
    const group = version === 1 ? 'modp2048' : 'ecp384';
    const ike = {
      ...settings(version).ikeProposals?.[0],
      encryption: 'aes256',
      integrity: 'sha256',
      prf: 'sha256',
      group,
    };
    const { branch, office, network } = transport(version, {}, { ikeProposals: [ike] });
    dial(network, branch);
    network.run(40);
    expect(branch.last('channel-down').failure.cause).toBe('no-proposal');
    const [info] = office.machine.views(network.now, 0);
    expect(info?.state).toBe('up');
    expect(info?.failure?.reason).toMatch(/aes128/);
    expect(JSON.stringify(info?.failure)).toMatch(/aes256/);
  });

  it('keeps what is unchanged when the configuration changes, and ends what is not', () => {
    const { branch, network } = transport(version);
    const other = settings(version, { name: 'other', remote: '192.0.2.99' });
    const id = dial(network, branch);
    network.run(2);
    branch.machine.setConnections(network.now, [settings(version), other]);
    network.settle();
    expect([...branch.up.keys()]).toEqual([id]);
    branch.machine.setConnections(network.now, [settings(version, { dpdSeconds: 20 }), other]);
    network.run(1);
    expect(branch.last('channel-down')).toMatchObject({ channel: id, failure: { step: 'configuration' } });
    expect(branch.policies.size + branch.sas.size).toBe(0);
    const again = dial(network, branch);
    network.run(2);
    expect([...branch.up.keys()]).toEqual([again]);
  });

  it('tells owners and peers of a shutdown, and begins nothing afterwards', () => {
    const { branch, office, network } = transport(version);
    const id = dial(network, branch);
    network.run(2);
    branch.machine.shutdown(network.now);
    network.run(2);
    expect(branch.last('channel-down')).toMatchObject({ channel: id, failure: { step: 'close' } });
    expect(branch.machine.quiet).toBe(true);
    expect(office.up.size).toBe(0);
    dial(network, branch);
    network.run(1);
    expect(branch.up.size).toBe(0);
    expect(branch.policies.size + branch.sas.size).toBe(0);
  });

  it('rekeys when packets run low, and ends the channel when they are used up without a successor', () => {
    const { branch, network } = transport(version);
    const id = dial(network, branch);
    network.run(1);
    const before = branch.sending(id);
    branch.machine.saLifetime(network.now, before?.key ?? 0, 'soft', 'packets');
    network.run(1);
    const after = branch.sending(id);
    expect(after?.key).not.toBe(before?.key);
    network.run(90);
    network.lost = () => true;
    branch.machine.saLifetime(network.now, after?.key ?? 0, 'hard', 'sequence');
    network.settle();
    expect(branch.last('channel-down').failure.reason).toMatch(/sequence numbers/);
    expect(branch.sas.size).toBe(0);
  });

  it('lets a peer that has lost its IKE SA take its channel over', () => {
    const { branch, office, network } = transport(version);
    dial(network, branch);
    network.run(2);
    const channel = onlyChannel(office);
    const before = office.sending(channel)?.key;
    // The same peer with an empty memory, which does not say so.
    const again = new TestSite(BRANCH, 3);
    const next = new TestNetwork(again, office);
    next.now = network.now;
    again.machine.setConnections(next.now, [settings(version)]);
    dial(next, again);
    next.run(2);
    expect(again.up.size).toBe(1);
    const still = office.up.has(channel);
    if (still) expect(office.sending(channel)?.key).not.toBe(before);
    expect(office.up.size).toBe(1);
    expect(again.sending(onlyChannel(again))?.outbound.spi).toBe(office.sending(onlyChannel(office))?.inbound.spi);
  });

  it('connects networks, and is called while it calls', () => {
    const { branch, office, network } = tunnels(version, ['10.1.0.0/24'], ['10.2.0.0/24']);
    const here = dialTunnel(network, branch, 'hq', OFFICE);
    dialTunnel(network, office, 'branch', BRANCH);
    network.run(3);
    expect([...branch.up.keys()]).toEqual([here]);
    expect(office.up.size).toBe(1);
    network.traffic = true;
    network.run(3 * 3600);
    expect(network.unopened).toBe(0);
    expect(branch.up.size + office.up.size).toBe(2);
    expect(branch.policies.get(here)).toMatchObject({
      localSelectors: [{ firstAddress: '10.1.0.0', lastAddress: '10.1.0.255' }],
      remoteSelectors: [{ firstAddress: '10.2.0.0', lastAddress: '10.2.0.255' }],
    });
  });

  it('connects networks and stays', () => {
    const { branch, office, network } = tunnels(version, ['10.1.0.0/24'], ['10.2.0.0/24']);
    dialTunnel(network, branch, 'hq', OFFICE);
    network.run(3);
    network.traffic = true;
    network.run(6 * 3600);
    expect(network.unopened).toBe(0);
    expect(branch.all('channel-up').length + office.all('channel-up').length).toBe(2);
    expect(branch.up.size + office.up.size).toBe(2);
  });

  it('connects several networks', () => {
    const { branch, office, network } = tunnels(version, ['10.1.0.0/24', '10.3.0.0/24'], ['10.2.0.0/24']);
    const id = dialTunnel(network, branch, 'hq', OFFICE);
    network.run(3);
    expect(branch.up.size).toBe(version === 1 ? 2 : 1);
    expect(office.up.size).toBe(version === 1 ? 2 : 1);
    network.traffic = true;
    network.run(5 * 3600);
    expect(network.unopened).toBe(0);
    expect(branch.up.size).toBe(version === 1 ? 2 : 1);
    network.traffic = false;
    for (const channel of new Set([id, ...branch.up.keys()])) branch.machine.close(network.now, channel);
    network.run(3);
    expect(branch.sas.size + branch.policies.size + office.sas.size + office.policies.size).toBe(0);
  });
});

describe('an IPsec machine with IKEv2, called twice from one place', () => {
  it('has a channel for each of two callers that differ in nothing but their IKE SA', () => {
    const { branch, office, network } = transport(2);
    branch.machine.setConnections(network.now, [settings(2), settings(2, { name: 'hq-2' })]);
    const first = dial(network, branch);
    network.run(2);
    const second = dial(network, branch, 'hq-2');
    network.run(60);
    expect([...branch.up.keys()]).toEqual([first, second]);
    const [one = 0, other = 0] = office.up.keys();
    expect(office.up.size).toBe(2);
    expect(office.sending(one)?.inbound.spi).toBe(branch.sending(first)?.outbound.spi);
    expect(office.sending(other)?.inbound.spi).toBe(branch.sending(second)?.outbound.spi);
  });
});
