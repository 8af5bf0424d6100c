import { afterAll, beforeAll, expect, it } from 'vitest';
import { addBridge, connect, createNamespace, type Namespace } from '../../scripts/lab/namespaces.ts';
import { createNat, type Nat } from '../../scripts/lab/nat.ts';
import { describeWithNamespaces } from './needs.ts';

const SERVER = '10.20.0.2';

describeWithNamespaces('a NAT with two hosts behind it', () => {
  let internet: Namespace;
  let server: Namespace;
  let nat: Nat;
  let hosts: readonly Namespace[];

  beforeAll(async () => {
    [internet, server] = [await createNamespace('internet'), await createNamespace('server')];
    await addBridge(internet, 'br0');
    await connect(
      { namespace: internet, device: 'vserver', bridge: 'br0' },
      { namespace: server, device: 'eth0', addresses: [`${SERVER}/24`] },
    );
    nat = await createNat({ internet, address: '10.20.0.7/24' });
    hosts = [await nat.addHost(2), await nat.addHost(3)];
  });

  afterAll(() => {
    nat?.delete();
    server?.delete();
    internet?.delete();
  });

  /** Every host sends one datagram from port 4500 to the server's. */
  async function sendAll(): Promise<void> {
    const program =
      "import('node:dgram').then(({ createSocket }) => { const socket = createSocket('udp4');" +
      `socket.bind(4500, () => socket.send('x', 4500, '${SERVER}', () => socket.close())); })`;
    for (const host of hosts) await host.run(process.execPath, '-e', program);
  }

  const outsidePorts = async () =>
    (await nat.mappings()).filter(({ serverPort }) => serverPort === 4500).map(({ outsidePort }) => outsidePort);

  it('hides the hosts behind one address, and keeps a port where it is free', async () => {
    for (const host of hosts) await host.run('ping', '-c', '1', '-W', '2', SERVER);
    await sendAll();
    const ports = await outsidePorts();
    expect(ports).toHaveLength(2);
    expect(new Set(ports).size).toBe(2);
    expect(ports).toContain(4500);
  });

  it('forgets the mappings and makes others, as often as it is told to', async () => {
    await sendAll();
    const first = await outsidePorts();
    await nat.remap();
    expect(await outsidePorts()).toEqual([]);
    await sendAll();
    const second = await outsidePorts();
    await nat.remap();
    await sendAll();
    const third = await outsidePorts();
    expect(new Set([...first, ...second, ...third]).size).toBe(6);
    for (const host of hosts) await host.run('ping', '-c', '1', '-W', '2', SERVER);
  });

  it('lets nothing in that nobody inside asked for, without a word', async () => {
    const refused = await server.run(
      'bash',
      '-c',
      'exec 3<>/dev/udp/10.20.0.7/4500; echo x >&3; read -t 0.3 <&3; echo $?',
    );
    expect(Number(refused)).toBeGreaterThan(128); // the time was up: no ICMP said that the port is closed
  });
});
