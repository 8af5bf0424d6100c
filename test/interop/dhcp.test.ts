/** Our DHCP client with Debian's dnsmasq. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { LinkView } from '../../firmware/uplink/uplink-types.ts';
import { type Daemon, startDaemon } from '../../scripts/lab/daemon.ts';
import { Dnsmasq } from '../../scripts/lab/dnsmasq.ts';
import { addBridge, connect, createNamespace, type Namespace } from '../../scripts/lab/namespaces.ts';
import { createStateFolder, type StateFolder } from '../../scripts/lab/state-folder.ts';
import { waitFor } from '../../scripts/lab/wait.ts';
import { describeWithNamespaces } from '../lab/needs.ts';

const SERVER = '10.20.0.1';

let provider: Namespace;
let branch: Namespace;
let rogue: Namespace;
let server: Dnsmasq;
let folder: StateFolder;
let client: Daemon | undefined;

async function startClient(): Promise<void> {
  client = await startDaemon({
    name: 'the client',
    command: [process.execPath, join(import.meta.dirname, 'dhcp-client.ts'), 'eth0', folder.path],
    namespace: branch.name,
    logFile: join(folder.path, 'log'),
    pipeInput: true,
  });
}

function views(): readonly LinkView[] {
  const lines = client?.log().split('\n').slice(0, -1) ?? [];
  return lines.flatMap((line) => {
    if (!line.startsWith('{')) throw new Error(`the client says: ${client?.log()}`);
    const said = JSON.parse(line) as { view?: LinkView };
    return said.view ?? [];
  });
}

async function upWith(address: RegExp): Promise<LinkView> {
  return await waitFor(
    `an address like ${address}`,
    () => {
      client?.checkAlive();
      const view = views().at(-1);
      return view?.state === 'up' && address.test(view.addressing?.address ?? '') ? view : undefined;
    },
    { timeoutMs: 30_000 },
  );
}

async function end(how: 'stop' | 'crash'): Promise<void> {
  client?.write(`${how}\n`);
  await client?.ended;
  client = undefined;
}

const seen = (type: string): number => server.messages.filter((message) => message === type).length;

async function waitForMessages(type: string, more: number): Promise<void> {
  const before = seen(type);
  await waitFor(`${more} more of ${type}`, () => seen(type) >= before + more, { timeoutMs: 40_000 });
}

describeWithNamespaces('a DHCP client with dnsmasq', () => {
  beforeAll(async () => {
    [provider, branch, rogue] = await Promise.all([
      createNamespace('provider'),
      createNamespace('branch'),
      createNamespace('rogue'),
    ]);
    await addBridge(provider, 'br0', [`${SERVER}/24`]);
    await connect({ namespace: branch, device: 'eth0' }, { namespace: provider, device: 'port1', bridge: 'br0' });
    await connect(
      { namespace: rogue, device: 'eth0', addresses: ['10.20.0.120/24'] },
      { namespace: provider, device: 'port2', bridge: 'br0' },
    );
    server = new Dnsmasq(provider, 'br0');
    folder = createStateFolder('dhcp');
  }, 60_000);

  afterAll(async () => {
    await client?.stop();
    await server?.remove();
    folder?.remove();
  });

  it('gets a lease, with classless routes instead of the router', { timeout: 90_000 }, async () => {
    await server.start({
      range: ['10.20.0.100', '10.20.0.110'],
      options: [
        'option:router,10.20.0.2',
        'option:dns-server,10.20.0.1,9.9.9.9',
        'option:classless-static-route,0.0.0.0/0,10.20.0.3,10.77.0.0/16,10.20.0.4',
        'option:mtu,1400',
      ],
    });
    await startClient();
    const view = await upWith(/^10\.20\.0\.1[01]\d\/24$/);
    expect(view.addressing).toMatchObject({
      gateway: '10.20.0.3',
      routes: [{ prefix: '10.77.0.0/16', gateway: '10.20.0.4' }],
      dns: ['10.20.0.1', '9.9.9.9'],
      mtu: 1400,
      assign: true,
    });
    expect(server.messages).toEqual(['DHCPDISCOVER', 'DHCPOFFER', 'DHCPREQUEST', 'DHCPACK']);
  });

  it('comes back with the same address after its cable was out, without asking anew', { timeout: 90_000 }, async () => {
    const address = views().at(-1)?.addressing?.address ?? '';
    await provider.ip('link', 'set', 'port1', 'down');
    await waitFor('the loss of the carrier', () => views().at(-1)?.carrier === false);
    expect(views().at(-1)?.addressing).toBeUndefined();
    await provider.ip('link', 'set', 'port1', 'up');
    await upWith(new RegExp(`^${address}$`));
    expect(server.messages.slice(4)).toEqual(['DHCPREQUEST', 'DHCPACK']);
  });

  it('asks for the same after a crash, and gives it back when it is stopped', { timeout: 90_000 }, async () => {
    await end('crash');
    await branch.ip('address', 'flush', 'dev', 'eth0');
    await startClient();
    await upWith(/./);
    expect(server.messages.slice(6)).toEqual(['DHCPREQUEST', 'DHCPACK']);
    await end('stop');
    await waitFor('the release', () => seen('DHCPRELEASE') === 1);
  });

  it('renews with the server alone, goes on while that is silent, and finds it again', {
    timeout: 180_000,
  }, async () => {
    await server.stop();
    await branch.ip('address', 'flush', 'dev', 'eth0');
    const settings = {
      range: ['10.20.0.100', '10.20.0.110'],
      leaseSeconds: 120,
      options: ['option:T1,3', 'option:T2,20'],
    } as const;
    await server.start(settings);
    await startClient();
    const { addressing } = await upWith(/./);
    await waitForMessages('DHCPACK', 2);
    expect(views().every(({ state }) => state !== 'failed')).toBe(true);
    await server.stop();
    await waitFor('a renewal without an answer', () => views().at(-1)?.doing === 'renewing the lease');
    expect(views().at(-1)?.addressing).toEqual(addressing);
    await server.start(settings);
    await waitForMessages('DHCPACK', 1);
    expect(views().at(-1)).toMatchObject({ state: 'up', addressing });
  });

  it('takes another address when the server takes its own away', { timeout: 180_000 }, async () => {
    await server.stop();
    await provider.ip('address', 'add', '10.21.0.1/24', 'dev', 'br0');
    await provider.ip('address', 'del', `${SERVER}/24`, 'dev', 'br0');
    await server.start({
      range: ['10.21.0.100', '10.21.0.110'],
      options: ['option:T1,3', 'option:T2,8'],
      leaseSeconds: 120,
    });
    await upWith(/^10\.21\.0\.1/);
    expect(seen('DHCPNAK')).toBeGreaterThan(0);
    await end('stop');
  });

  it('declines an address that another machine has, and takes the next', { timeout: 180_000 }, async () => {
    await server.stop();
    await provider.ip('address', 'add', `${SERVER}/24`, 'dev', 'br0');
    await provider.ip('address', 'del', '10.21.0.1/24', 'dev', 'br0');
    await branch.ip('address', 'flush', 'dev', 'eth0');
    await server.start({ range: ['10.20.0.120', '10.20.0.120'] });
    await startClient();
    await waitFor('the refusal', () => seen('DHCPDECLINE') > 0, { timeoutMs: 30_000 });
    await waitFor('the words for it', () => views().at(-1)?.state === 'failed');
    expect(views().at(-1)?.failure?.reason).toMatch(/10\.20\.0\.120 .* is in use by/);
    await server.stop();
    await server.start({ range: ['10.20.0.121', '10.20.0.121'] });
    await upWith(/^10\.20\.0\.121/);
    await end('stop');
  });
});
