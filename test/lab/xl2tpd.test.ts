import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startCapture } from '../../scripts/lab/capture.ts';
import { type Guest, startGuest } from '../../scripts/lab/guest.ts';
import { debianKernel, findGuestKernel, type GuestKernel } from '../../scripts/lab/kernel.ts';
import { addBridge, addTap, createNamespace, type Namespace } from '../../scripts/lab/namespaces.ts';
import { dialWithXl2tpd } from '../../scripts/lab/xl2tpd-lac.ts';
import { startXl2tpdLns } from '../../scripts/lab/xl2tpd-lns.ts';
import { describeWithGuests } from './needs.ts';

const USER = { name: 'bob', password: 'bob "pw" #1\\' };

describeWithGuests('xl2tpd in two guests', () => {
  let wan: Namespace;
  let lnsGuest: Guest;
  let lacGuest: Guest;
  const folder = mkdtempSync(join(tmpdir(), 'culvert-test-'));

  beforeAll(async () => {
    wan = await createNamespace('wan');
    await addBridge(wan, 'br0', ['10.20.0.1/24']);
    await addTap({ namespace: wan, device: 'lns0', bridge: 'br0' });
    await addTap({ namespace: wan, device: 'lac0', bridge: 'br0' });
    const boot = (name: string, address: string, kernel: GuestKernel) =>
      startGuest({ name, namespace: wan, cards: [{ tap: `${name}0`, addresses: [address] }], kernel });
    [lnsGuest, lacGuest] = await Promise.all([
      boot('lns', '10.20.0.2/24', debianKernel()),
      boot('lac', '10.20.0.3/24', await findGuestKernel()),
    ]);
  });

  afterAll(async () => {
    await Promise.all([lnsGuest?.stop(), lacGuest?.stop()]);
    wan?.delete();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each([
    ['pap', 'tunsecret', /PAP authentication succeeded/],
    ['chap', undefined, /CHAP authentication succeeded/],
    ['mschapv2', 'tunsecret', /auth chap MS-v2/],
  ] as const)(
    'dials with %s (tunnel secret: %s), and pings through the tunnel',
    async (authentication, secret, proof) => {
      const tunnelSecret = secret === undefined ? {} : { secret };
      const lns = await startXl2tpdLns(lnsGuest, { users: [USER], authentication, ...tunnelSecret });
      const credentials = { user: USER.name, password: USER.password };
      const lac = await dialWithXl2tpd(lacGuest, { server: '10.20.0.2', ...credentials, ...tunnelSecret });
      expect(lac.localAddress).toMatch(/^10\.99\.0\./);
      expect(lac.peerAddress).toBe(lns.insideAddress);
      expect(lac.log()).toMatch(proof);
      await lacGuest.exec(`ping -c 1 -W 2 -I ${lac.device} ${lns.insideAddress}`);
      await lnsGuest.exec(`ping -c 1 -W 2 ${lac.localAddress}`);
      await lac.stop();
      await lns.stop();
      expect(await lnsGuest.exec('pidof xl2tpd pppd; true')).toBe('');
    },
  );

  it('refuses a wrong password, says so, and lets the client dial again', async () => {
    const lns = await startXl2tpdLns(lnsGuest, { users: [USER], authentication: 'chap' });
    const right = { server: '10.20.0.2', user: USER.name, password: USER.password };
    await expect(dialWithXl2tpd(lacGuest, { ...right, password: 'wrong' })).rejects.toThrow(
      /the PPP link from guest lac to 10\.20\.0\.2 failed.*CHAP authentication failed/s,
    );
    const lac = await dialWithXl2tpd(lacGuest, right);
    await lac.stop();
    await lns.stop();
  });

  it('is seen by a capture from the first packet to the last', async () => {
    const file = join(folder, 'dial.pcap');
    const capture = await startCapture({ namespace: wan, device: 'br0', file, filter: 'udp port 1701' });
    const lns = await startXl2tpdLns(lnsGuest, { users: [USER] });
    const lac = await dialWithXl2tpd(lacGuest, { server: '10.20.0.2', user: USER.name, password: USER.password });
    await lac.stop();
    await lns.stop();
    await capture.stop();
    await capture.stop(); // a second time is harmless
    const text = await wan.run('tcpdump', '-nr', file);
    expect(text).toContain('MSGTYPE(SCCRQ)');
    expect(text).toContain('MSGTYPE(StopCCN)');
    expect(readFileSync(file).readUInt32LE()).toBe(0xa1b2c3d4);
  });

  it('cannot be captured on a device that is not there, and says so', async () => {
    const started = startCapture({ namespace: wan, device: 'nowhere0', file: join(folder, 'none.pcap') });
    await expect(started).rejects.toThrow(/tcpdump on nowhere0 ended: .*No such device/);
  });
});
