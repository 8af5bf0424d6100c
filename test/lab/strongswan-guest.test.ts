import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startCapture } from '../../scripts/lab/capture.ts';
import { type Guest, startGuest } from '../../scripts/lab/guest.ts';
import { countTraffic } from '../../scripts/lab/l2tp-in-clear.ts';
import { addBridge, addTap, createNamespace, type Namespace } from '../../scripts/lab/namespaces.ts';
import { createNat, type Nat } from '../../scripts/lab/nat.ts';
import { l2tpConnection, type StrongswanGuest, startStrongswanInGuest } from '../../scripts/lab/strongswan-guest.ts';
import { dialWithXl2tpd } from '../../scripts/lab/xl2tpd-lac.ts';
import { startXl2tpdLns, type Xl2tpdLns } from '../../scripts/lab/xl2tpd-lns.ts';
import { describeWithGuests } from './needs.ts';

const SERVER = '10.20.0.2';
const USER = { name: 'alice', password: 'alice-pw' };

describeWithGuests('strongSwan and xl2tpd in two guests', () => {
  let wan: Namespace;
  let nat: Nat;
  let office: Guest;
  let branch: Guest;
  let server: StrongswanGuest;
  let client: StrongswanGuest;
  let lns: Xl2tpdLns;
  const folder = mkdtempSync(join(tmpdir(), 'culvert-test-'));

  beforeAll(async () => {
    wan = await createNamespace('wan');
    await addBridge(wan, 'br0', ['10.20.0.1/24']);
    await addTap({ namespace: wan, device: 'office', bridge: 'br0' });
    nat = await createNat({ internet: wan, address: '10.20.0.7/24' });
    const inside = await nat.addTap(3);
    [office, branch] = await Promise.all([
      startGuest({ name: 'office', namespace: wan, cards: [{ tap: 'office', addresses: [`${SERVER}/24`] }] }),
      startGuest({
        name: 'branch',
        namespace: nat.namespace,
        cards: [{ tap: inside, addresses: [nat.hostAddress(3)] }],
        gateway: nat.gateway,
      }),
    ]);
    const common = { version: 1, psk: 'labpsk' } as const;
    const dials = { ...common, localAddress: '192.168.7.3', remoteAddress: SERVER };
    [server, client] = await Promise.all([
      startStrongswanInGuest(office, [l2tpConnection('server', { ...common, localAddress: SERVER })]),
      startStrongswanInGuest(branch, [l2tpConnection('client', { ...dials, esp: ['aes256-sha256'] })]),
    ]);
    lns = await startXl2tpdLns(office, { users: [USER] });
  });

  afterAll(async () => {
    await Promise.all([office?.stop(), branch?.stop()]);
    nat?.delete();
    wan?.delete();
    rmSync(folder, { recursive: true, force: true });
  });

  const dial = () => dialWithXl2tpd(branch, { server: SERVER, user: USER.name, password: USER.password });

  it('let no L2TP out in clear, whether strongSwan runs or not', async () => {
    const file = join(folder, 'clear.pcap');
    const capture = await startCapture({ namespace: wan, device: 'br0', file });
    await expect(
      dialWithXl2tpd(branch, { server: SERVER, user: 'alice', password: '', timeoutMs: 1500 }),
    ).rejects.toThrow(/did not come up/);
    await branch.exec(`echo x >/dev/udp/${SERVER}/1701 || true`);
    await client.kill();
    await branch.exec(`echo x >/dev/udp/${SERVER}/1701 || true`);
    await client.start();
    await capture.stop();
    expect(countTraffic(file).clearL2tp).toBe(0);
  });

  it('carry L2TP by IKEv1 through a NAT, with new keys on the way', async () => {
    const file = join(folder, 'nat.pcap');
    const capture = await startCapture({ namespace: wan, device: 'br0', file });
    await client.control.initiate();
    const lac = await dial();
    await branch.exec(`ping -c 3 -i 0.2 -W 2 ${lns.insideAddress}`);
    await client.control.rekey('child');
    await branch.exec(`ping -c 3 -i 0.2 -W 2 ${lns.insideAddress}`);
    await capture.stop();
    const [child] = await server.control.installed();
    expect(child).toMatchObject({ mode: 'transport', encapsulated: true, algorithms: 'AES_CBC-256/HMAC_SHA2_256_128' });
    const seen = countTraffic(file);
    expect(seen).toMatchObject({ clearL2tp: 0, esp: 0 });
    expect(seen.ike).toBeGreaterThanOrEqual(9);
    expect(seen.espInUdp).toBeGreaterThan(20);
    await lac.stop();
    await client.control.terminate();
  });
});
