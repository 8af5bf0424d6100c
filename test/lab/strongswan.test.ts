import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { LabAuthority } from '../../scripts/lab/certificates.ts';
import { connect, createNamespace, type Namespace } from '../../scripts/lab/namespaces.ts';
import { type Strongswan, startStrongswan } from '../../scripts/lab/strongswan.ts';
import type { SwanConnection } from '../../scripts/lab/swanctl.ts';
import { waitFor } from '../../scripts/lab/wait.ts';
import { describeWithNamespaces } from './needs.ts';

const LEFT = { address: '10.20.0.8', network: '10.88.0.0/24', host: '10.88.0.1' };
const RIGHT = { address: '10.20.0.9', network: '10.77.0.0/24', host: '10.77.0.1' };

describeWithNamespaces('strongSwan in two namespaces', () => {
  let left: Namespace;
  let right: Namespace;
  const running: Strongswan[] = [];

  beforeAll(async () => {
    [left, right] = [await createNamespace('left'), await createNamespace('right')];
    await connect(
      { namespace: left, device: 'eth0', addresses: [`${LEFT.address}/24`] },
      { namespace: right, device: 'eth0', addresses: [`${RIGHT.address}/24`] },
    );
    await left.ip('address', 'add', `${LEFT.host}/24`, 'dev', 'lo');
    await right.ip('address', 'add', `${RIGHT.host}/24`, 'dev', 'lo');
  });

  afterEach(async () => {
    for (const strongswan of running.splice(0)) await strongswan.stop();
  });

  afterAll(() => {
    left?.delete();
    right?.delete();
  });

  type Common = Pick<SwanConnection, 'version'> & Partial<SwanConnection>;

  async function startBoth(common: Common, dialling: Partial<SwanConnection> = {}) {
    const secret = common.localAuth === undefined ? { psk: 'labpsk' } : {};
    const base = { ...secret, mode: 'tunnel', ...common } as const;
    const answers = { localAddress: LEFT.address, localTraffic: LEFT.network, remoteTraffic: RIGHT.network };
    const dials = { localAddress: RIGHT.address, localTraffic: RIGHT.network, remoteTraffic: LEFT.network };
    const server = await startStrongswan({ namespace: left, connections: [{ ...base, ...answers }] });
    running.push(server);
    const client = await startStrongswan({
      namespace: right,
      connections: [{ ...base, ...dials, remoteAddress: LEFT.address, ...dialling }],
    });
    running.push(client);
    return { server, client };
  }

  const ping = (count = '1') => right.run('ping', '-c', count, '-i', '0.05', '-W', '2', '-I', RIGHT.host, LEFT.host);

  it.each([
    [2, 'aes256gcm16-prfsha256-ecp256', 'aes128gcm16', 'AES_GCM_16-128'],
    [2, 'aes128-sha256-x25519', 'chacha20poly1305', 'CHACHA20_POLY1305'],
    [1, '3des-sha1-modp1024', '3des-sha1', '3DES_CBC/HMAC_SHA1_96'],
  ] as const)('carries packets with keys of IKEv%i, %s and %s', async (version, ike, esp, algorithms) => {
    const { server, client } = await startBoth({ version, ike: [ike], esp: [esp] });
    await client.control.initiate();
    await ping();
    const [sa] = await server.control.listSas();
    expect(sa).toMatchObject({ name: 'vpn', version, state: 'ESTABLISHED' });
    expect(sa?.children).toMatchObject([{ name: 'vpn', mode: 'tunnel', encapsulated: true, algorithms }]);
  });

  it('makes new keys when it is told to, without losing a packet', async () => {
    const { server, client } = await startBoth({ version: 2 });
    await client.control.initiate();
    const [before] = await client.control.installed();
    const pings = ping('30');
    await client.control.rekey('child');
    await server.control.rekey('ike');
    expect(await pings).toContain(' 0% packet loss');
    const [after] = await client.control.installed();
    expect(after?.id).not.toBe(before?.id);
  });

  it('refuses a wrong key, and says so', async () => {
    const { client } = await startBoth({ version: 2 }, { psk: 'another' });
    await expect(client.control.initiate()).rejects.toThrow(/AUTHENTICATION_FAILED/);
    expect(await client.control.installed()).toEqual([]);
  });

  it('proves itself by certificate and lets somebody in by EAP-MSCHAPv2 with an inner address', async () => {
    const authority = await LabAuthority.create();
    try {
      const own = await authority.issue({ kind: 'ecdsa', name: 'left.lab' });
      const { server, client } = await startBoth(
        {
          version: 2,
          users: { alice: 'alice-pw' },
          localId: 'left.lab',
          remoteId: '%any',
          localAuth: 'pubkey',
          remoteAuth: 'eap-mschapv2',
          remoteTraffic: 'dynamic',
          pool: { addresses: '10.77.0.1/32' },
          certificates: { own, authority: authority.pem },
        },
        {
          localId: 'alice',
          remoteId: 'left.lab',
          localAuth: 'eap-mschapv2',
          remoteAuth: 'pubkey',
          user: 'alice',
          localTraffic: 'dynamic',
          remoteTraffic: LEFT.network,
          virtualAddress: true,
          certificates: { authority: authority.pem },
        },
      );
      await client.control.initiate();
      await ping();
      expect(await server.control.installed()).toHaveLength(1);
    } finally {
      authority.remove();
    }
  });

  it('ends at once when it is killed, its peer keeps the SA, and it dials anew after that', async () => {
    const { server, client } = await startBoth({ version: 1 });
    await client.control.initiate();
    await client.kill();
    expect(await right.ip('link')).not.toContain('ipsec0');
    expect(await server.control.installed()).toHaveLength(1);
    await client.start();
    await client.control.initiate();
    await ping();
    await client.control.terminate();
    await waitFor('the end at the peer', async () => (await server.control.installed()).length === 0);
  });
});
