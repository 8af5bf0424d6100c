import { afterEach, expect, it } from 'vitest';
import {
  addBridge,
  addDefaultRoute,
  addTap,
  connect,
  createNamespace,
  type Namespace,
  namespaceNames,
} from '../../scripts/lab/namespaces.ts';
import { run } from '../../scripts/lab/shell.ts';
import { waitFor } from '../../scripts/lab/wait.ts';
import { describeWithNamespaces } from './needs.ts';

describeWithNamespaces('network namespaces', () => {
  const made: Namespace[] = [];
  const make = async (label: string) => {
    const namespace = await createNamespace(label);
    made.push(namespace);
    return namespace;
  };

  afterEach(() => {
    for (const namespace of made.splice(0)) namespace.delete();
  });

  it('have names of their own, and the loopback up', async () => {
    const [a, b] = [await make('same'), await make('same')];
    expect(a.name).not.toBe(b.name);
    expect(namespaceNames()).toEqual(expect.arrayContaining([a.name, b.name]));
    await a.run('ping', '-c', '1', '-W', '1', '127.0.0.1');
  });

  it('reach each other over a cable, by IPv4 and IPv6', async () => {
    const [a, b] = [await make('a'), await make('b')];
    await connect(
      { namespace: a, device: 'eth0', addresses: ['10.20.0.1/24', 'fd20::1/64'] },
      { namespace: b, device: 'eth0', addresses: ['10.20.0.2/24', 'fd20::2/64'] },
    );
    await a.run('ping', '-c', '1', '-W', '2', '10.20.0.2');
    await a.run('ping', '-c', '1', '-W', '2', 'fd20::2');
  });

  it('reach each other through a bridge and a router', async () => {
    const [left, wan, right] = [await make('left'), await make('wan'), await make('right')];
    await addBridge(wan, 'br0', ['10.20.0.1/24', '10.21.0.1/24']);
    for (const [namespace, address] of [
      [left, '10.20.0.9/24'],
      [right, '10.21.0.9/24'],
    ] as const) {
      const port = `v${namespace.name.split('-')[1]}`;
      await connect(
        { namespace: wan, device: port, bridge: 'br0' },
        { namespace, device: 'eth0', addresses: [address] },
      );
    }
    await addDefaultRoute(left, '10.20.0.1');
    await addDefaultRoute(right, '10.21.0.1');
    await wan.run('sysctl', '-qw', 'net.ipv4.ip_forward=1');
    await left.run('ping', '-c', '1', '-W', '2', '10.21.0.9');
  });

  it('hold TAP devices, as ports of a bridge', async () => {
    const namespace = await make('taps');
    await addBridge(namespace, 'br0');
    await addTap({ namespace, device: 'tap0', bridge: 'br0' });
    expect(await namespace.ip('-brief', 'link', 'show', 'master', 'br0')).toMatch(/^tap0 /);
  });

  it('leave nothing behind: no name, no process, no device at the other end', async () => {
    const [a, b] = [await make('a'), await make('b')];
    await connect({ namespace: a, device: 'toB' }, { namespace: b, device: 'toA' });
    const held = a.run('sleep', '1000').catch(() => 'killed');
    // The name of the command is seen before it has entered the namespace; the kernel's list is what counts.
    await waitFor('the start of the process', async () => (await run(['ip', 'netns', 'pids', a.name])).trim() !== '');

    a.delete();
    a.delete(); // a second time is harmless
    expect(await held).toBe('killed');
    expect(namespaceNames()).not.toContain(a.name);
    await waitFor('the end of the cable', async () => !(await b.ip('link', 'show')).includes('toA'));
  });

  it('say what was wrong with a command', async () => {
    const namespace = await make('errors');
    await expect(namespace.ip('link', 'set', 'nowhere0', 'up')).rejects.toThrow(/Cannot find device "nowhere0"/);
  });
});
