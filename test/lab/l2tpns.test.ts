import { existsSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Guest, startGuest } from '../../scripts/lab/guest.ts';
import { type L2tpns, startL2tpns } from '../../scripts/lab/l2tpns.ts';
import { addBridge, addTap, connect, createNamespace, type Namespace } from '../../scripts/lab/namespaces.ts';
import { run } from '../../scripts/lab/shell.ts';
import { dialWithXl2tpd } from '../../scripts/lab/xl2tpd-lac.ts';
import { describeWithGuests } from './needs.ts';

describeWithGuests('l2tpns', () => {
  const made: Namespace[] = [];
  let server: L2tpns;
  let client: Guest;
  let home: Namespace;

  beforeAll(async () => {
    const wan = await createNamespace('wan');
    home = await createNamespace('srv');
    made.push(wan, home);
    await addBridge(wan, 'br0');
    await connect(
      { namespace: wan, device: 'toSrv', bridge: 'br0' },
      { namespace: home, device: 'eth0', addresses: ['10.20.0.8/24'] },
    );
    await addTap({ namespace: wan, device: 'cli0', bridge: 'br0' });
    client = await startGuest({ name: 'cli', namespace: wan, cards: [{ tap: 'cli0', addresses: ['10.20.0.9/24'] }] });
    server = await startL2tpns({
      namespace: home,
      address: '10.20.0.8',
      secret: 'tunsecret',
      users: [
        { name: 'alice', password: 'alice-pw' },
        { name: 'carol', password: 'carol pw#1, and one of more than sixteen octets', address: '10.97.0.77' },
      ],
    });
  });

  afterAll(async () => {
    await Promise.all([server?.stop(), client?.stop()]);
    for (const namespace of made) namespace.delete();
  });

  const dial = async (user: string, password: string, authentication: 'pap' | 'chap') => {
    const credentials = { user, password, authentication, secret: 'tunsecret' };
    const lac = await dialWithXl2tpd(client, { server: server.address, ...credentials });
    await client.exec(`ping -c 1 -W 2 ${server.insideAddress}`);
    await lac.stop();
    return lac.localAddress;
  };

  it('takes a client that proves itself by CHAP, and carries its packets', async () => {
    expect(await dial('alice', 'alice-pw', 'chap')).toMatch(/^10\.97\.0\./);
    expect(server.radiusLog()).toContain('CHAP "alice" accepted');
  });

  it('takes a client that proves itself by PAP, and gives it its own address', async () => {
    expect(await dial('carol', 'carol pw#1, and one of more than sixteen octets', 'pap')).toBe('10.97.0.77');
    expect(server.radiusLog()).toContain('PAP "carol" accepted');
  });

  it('refuses a wrong password', async () => {
    await expect(dial('alice', 'wrong', 'chap')).rejects.toThrow(/failed \(Connection closed\)/);
    expect(server.radiusLog()).toContain('CHAP "alice" rejected');
  });

  it('leaves nothing behind', async () => {
    expect(existsSync('/run/l2tpns.pid')).toBe(false);
    await server.stop();
    await server.stop(); // a second time is harmless
    expect(await home.run('ss', '-lunH')).toBe('');
    expect(await run(['ip', 'netns', 'pids', home.name])).toBe('');
    const again = await startL2tpns({ namespace: home, address: '10.20.0.8', users: [] });
    await again.stop();
  });

  it('says what was wrong when it does not start', async () => {
    const failed = startL2tpns({ namespace: home, address: '10.20.0.8', users: [], secret: 'quote"' });
    await expect(failed).rejects.toThrow(/takes no quotation mark/);
  });
});
