/** Whom the words of EADDRINUSE name: processes here, and of the same port in other network namespaces. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Contract } from '../contract/contract.ts';
import type { UdpWorld } from '../contract/udp-socket.ts';

/** The ports of IKE, with and without UDP encapsulation (RFC 3948). */
const IKE_PORTS = [500, 4500] as const;

/** In the namespace of the case, or in a new one, as a VPN daemon in a container is. */
type Where = 'here' | 'another';

/** A process that calls itself `charon` and has these ports, on this address. */
interface Daemon {
  readonly process: ChildProcess;
  /** Of the process that holds the sockets. */
  readonly pid: number;
}

async function startDaemon(where: Where, type: 'udp4' | 'udp6', address: string): Promise<Daemon> {
  const script = `
    const { createSocket } = require('node:dgram');
    let left = ${IKE_PORTS.length};
    for (const port of ${JSON.stringify(IKE_PORTS)})
      createSocket('${type}').bind(port, '${address}', () => --left === 0 && console.log(process.pid));`;
  const program = [process.execPath, '-e', script];
  const named = ['bash', '-c', 'exec -a /usr/lib/ipsec/charon "$@"', 'bash', ...program];
  const [file = '', ...args] = where === 'another' ? ['unshare', '--net', ...named] : named;
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(child.stdout, 'data');
  return { process: child, pid: Number(String(line).trim()) };
}

async function withDaemons(daemons: readonly Promise<Daemon>[], use: (pids: readonly number[]) => void): Promise<void> {
  const started = await Promise.all(daemons);
  try {
    use(started.map(({ pid }) => pid));
  } finally {
    for (const { process: child } of started) {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    }
  }
}

function assertNamed(world: UdpWorld, family: 4 | 6, address: string, pid: number | undefined): void {
  for (const port of IKE_PORTS) {
    assert.throws(() => world.open({ family, address, port }), {
      code: 'EADDRINUSE',
      message: new RegExp(`port ${port} .*Process ${pid} \\(charon\\) has the port: stop it`),
    });
  }
}

export const portOwnerCases: Contract<UdpWorld> = {
  name: 'linux-port-owner',
  cases: [
    {
      name: 'the process that has the ports of IKE here is named, not one that has them in another namespace',
      run: async (world) => {
        const before = await startDaemon('another', 'udp4', '0.0.0.0');
        const daemons = [Promise.resolve(before), startDaemon('here', 'udp4', '0.0.0.0')];
        await withDaemons([...daemons, startDaemon('another', 'udp4', '0.0.0.0')], ([, pid]) => {
          assertNamed(world, 4, '0.0.0.0', pid);
          assertNamed(world, 4, world.addresses[4][0], pid);
        });
      },
    },
    {
      name: "a process that has the ports of IKE in another namespace is in nobody's way",
      run: async (world) => {
        await withDaemons([startDaemon('another', 'udp4', '0.0.0.0')], () => {
          for (const port of IKE_PORTS) assert.equal(world.open({ family: 4, port }).localPort, port);
        });
      },
    },
    {
      name: 'of two processes the one is named whose address is in the way',
      run: async (world) => {
        const [first, second] = world.addresses[4];
        await withDaemons([startDaemon('here', 'udp4', first), startDaemon('here', 'udp4', second)], ([one, two]) => {
          assertNamed(world, 4, first, one);
          assertNamed(world, 4, second, two);
        });
      },
    },
    {
      name: 'a process is named that has an IPv4 port by a socket for both families, or an IPv6 port',
      run: async (world) => {
        await withDaemons([startDaemon('here', 'udp6', '::')], ([pid]) => {
          assertNamed(world, 4, '0.0.0.0', pid);
          assertNamed(world, 6, '::', pid);
          assertNamed(world, 6, world.addresses[6][0], pid);
        });
      },
    },
  ],
};
