/** The worlds of the contracts on Linux. For a process in a network namespace of its own only: they change its network. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { constants, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { LinuxCarrierSenseFactory } from '../../../hal/linux/carrier-sense.ts';
import { LinuxClock } from '../../../hal/linux/clock.ts';
import { LinuxEntropy } from '../../../hal/linux/entropy.ts';
import { EFD_CLOEXEC, EFD_NONBLOCK } from '../../../hal/linux/ffi/constants.ts';
import { close, eventfd, read, write } from '../../../hal/linux/ffi/libc.ts';
import { LinuxLinks } from '../../../hal/linux/links.ts';
import { openNetworkEvents } from '../../../hal/linux/network-events.ts';
import { LinuxPacketFilter } from '../../../hal/linux/packet-filter.ts';
import { LinuxPollerFactory, wakePoller } from '../../../hal/linux/poller.ts';
import { LinuxSerialPorts } from '../../../hal/linux/serial-port.ts';
import { LinuxTcpConnector } from '../../../hal/linux/tcp-connector.ts';
import { LinuxTunFactory } from '../../../hal/linux/tun.ts';
import { LinuxUdpSocketFactory } from '../../../hal/linux/udp-socket.ts';
import type { Tun } from '../../../hal/tun.ts';
import { Pty } from '../../../scripts/lab/pty.ts';
import type { CarrierSenseWorld } from './carrier-sense.ts';
import type { ClockWorld } from './clock.ts';
import { closeAll, type OpenWorld } from './contract.ts';
import { type LinksWorld, TABLE } from './links.ts';
import type { NetworkEventsWorld } from './network-events.ts';
import type { PacketFilterWorld } from './packet-filter.ts';
import type { PollerWorld } from './poller.ts';
import type { SerialWorld } from './serial-port.ts';
import type { TcpWorld } from './tcp-connector.ts';
import { KERNEL_PORT, type TunWorld } from './tun.ts';
import { NARROW_MTU, newDatagramInfo, type UdpWorld } from './udp-socket.ts';

/** Runs `ip` with these words. @returns what it printed; throws when it fails. */
export function ip(words: string): string {
  return execFileSync('ip', words.split(' '), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** As {@link ip}, when failing is as good. */
export function ipQuietly(words: string): boolean {
  try {
    ip(words);
    return true;
  } catch {
    return false;
  }
}

const NARROW = { 4: '10.56.0.9', 6: 'fd56::9' } as const;
const ADDRESSES = { 4: ['10.55.0.1', '10.55.0.2'], 6: ['fd55::1', 'fd55::2'] } as const;

export function linuxUdpWorld(): OpenWorld<UdpWorld> {
  ip('link set lo up');
  for (const address of ADDRESSES[4]) ip(`address replace ${address}/32 dev lo`);
  for (const address of ADDRESSES[6]) ip(`address replace ${address}/128 dev lo nodad`);
  const tun = new LinuxTunFactory().open('cvnarrow');
  const opened: { close(): void }[] = [tun];
  ip('link set cvnarrow up');
  ip(`-4 route add ${NARROW[4]}/32 dev cvnarrow mtu ${NARROW_MTU}`);
  ip(`-6 route add ${NARROW[6]}/128 dev cvnarrow mtu ${NARROW_MTU}`);
  const sockets = new LinuxUdpSocketFactory();
  return {
    world: {
      sockets,
      pollers: new LinuxPollerFactory(),
      addresses: ADDRESSES,
      narrow: NARROW,
      open: (options) => {
        const address = options.family === 4 ? '0.0.0.0' : '::';
        const socket = sockets.open({ address, port: 0, mark: 0, ...options });
        opened.push(socket);
        return socket;
      },
    },
    close: () => closeAll(opened),
  };
}

export function linuxTcpWorld(): OpenWorld<TcpWorld> {
  ip('link set lo up');
  const servers: Server[] = [];
  return {
    world: {
      connector: new LinuxTcpConnector(),
      addresses: { 4: '127.0.0.1', 6: '::1' },
      listen: async (address, onConnection) => {
        const server = createServer({ allowHalfOpen: true }, onConnection).listen(0, address);
        servers.push(server);
        await once(server, 'listening');
        return (server.address() as AddressInfo).port;
      },
    },
    close: () => closeAll(servers),
  };
}

export function linuxSerialWorld(): OpenWorld<SerialWorld> {
  const far = new Pty();
  const { path } = far;
  const world = { ports: new LinuxSerialPorts(), path, far, absent: '/dev/ttyNONE', pull: () => far.close() };
  return { world, close: () => far.close() };
}

export function linuxTunWorld(): OpenWorld<TunWorld> {
  ip('link set lo up');
  const tuns = new LinuxTunFactory();
  const opened: Tun[] = [];
  const socket = new LinuxUdpSocketFactory().open({ family: 4, address: '0.0.0.0', port: KERNEL_PORT, mark: 0 });
  return {
    world: {
      open: (name) => {
        const tun = tuns.open(name);
        opened.push(tun);
        return tun;
      },
      pollers: new LinuxPollerFactory(),
      links: new LinuxLinks(),
      kernelSends: (_device, payload) => {
        const problem = socket.send(payload, '10.66.0.2', 4000, '0.0.0.0');
        if (problem !== undefined) throw new Error(`the kernel's side cannot send: ${problem}`);
      },
      kernelReceived: () => {
        const into = new Uint8Array(2048);
        const info = newDatagramInfo();
        let last: Uint8Array | undefined;
        while (socket.receive(into, info)) last = into.slice(0, info.length);
        return last;
      },
    },
    close: () => closeAll([...opened, socket]),
  };
}

export function linuxPollerWorld(): OpenWorld<PollerWorld> {
  const opened: { close(): void }[] = [];
  return {
    world: {
      open: () => {
        const poller = new LinuxPollerFactory().open();
        opened.push(poller);
        return poller;
      },
      source: () => {
        const handle = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        opened.push({ close: () => void close(handle) });
        return { handle, fill: () => wakePoller(handle), drain: () => void read(handle, new Uint8Array(8), 8) };
      },
      sink: () => {
        const { reader, writer } = pipe();
        opened.push({ close: () => void close(reader) }, { close: () => void close(writer) });
        const octets = new Uint8Array(4096);
        return {
          handle: writer,
          stuff: () => {
            while (write(writer, octets, octets.length) > 0);
          },
          empty: () => {
            while (read(reader, octets, octets.length) > 0);
          },
        };
      },
      wake: wakePoller,
    },
    close: () => closeAll(opened),
  };
}

/** Two ends that do not wait. */
function pipe(): { readonly reader: number; readonly writer: number } {
  const path = join(mkdtempSync(join(tmpdir(), 'culvert-pipe-')), 'pipe');
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  rmSync(dirname(path), { recursive: true });
  return { reader, writer };
}

export function linuxClockWorld(): OpenWorld<ClockWorld> {
  const clock = new LinuxClock();
  const pass = (milliseconds: number): Promise<void> =>
    new Promise((resolve) => {
      const end = clock.now() + milliseconds;
      const look = (): void => {
        if (clock.now() >= end) resolve();
        else setTimeout(look, 1);
      };
      look();
    });
  return { world: { clock, pass }, close: () => undefined };
}

export function linuxEntropyWorld(): OpenWorld<LinuxEntropy> {
  return { world: new LinuxEntropy(), close: () => undefined };
}

/** The kernel itself changes a link for a while after it was set up: it finds the carrier, then gives it an address. */
function awaitUp(device: string): void {
  const deadline = performance.now() + 10_000;
  const isUp = (): boolean => {
    const shown = ip(`address show dev ${device}`);
    return shown.includes('state UP') && shown.includes('inet6 fe80:') && !shown.includes('tentative');
  };
  while (!isUp()) if (performance.now() > deadline) throw new Error(`${device} does not come up`);
}

export function linuxLinksWorld(): OpenWorld<LinksWorld> {
  ip('link set lo up');
  ip('link add cveth0 type veth peer name cveth1');
  const devices = ['cveth0', 'cveth1'];
  // Else an IPv6 address could not be used for a second or two (RFC 4862 section 5.4).
  for (const device of devices) writeFileSync(`/proc/sys/net/ipv6/conf/${device}/accept_dad`, '0');
  for (const device of devices) ip(`link set ${device} up`);
  for (const device of devices) awaitUp(device);
  return {
    world: {
      links: new LinuxLinks(),
      device: 'cveth0',
      plug: (plugged) => void ip(`link set cveth1 ${plugged ? 'up' : 'down'}`),
    },
    close: () => {
      ipQuietly('link del cveth0');
      for (const family of ['-4', '-6']) {
        ipQuietly(`${family} route flush table ${TABLE}`);
        while (ipQuietly(`${family} rule del table ${TABLE}`));
      }
    },
  };
}

export function linuxCarrierSenseWorld(): OpenWorld<CarrierSenseWorld> {
  const { world, close } = linuxLinksWorld();
  return { world: { ...world, carriers: new LinuxCarrierSenseFactory() }, close };
}

export function linuxPacketFilterWorld(): OpenWorld<PacketFilterWorld> {
  const nft = (...args: readonly string[]): string =>
    execFileSync('nft', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  return {
    world: {
      filter: new LinuxPacketFilter(),
      table: async (name) => {
        const present = nft('list', 'tables', 'inet').includes(`table inet ${name}\n`);
        return present ? nft('list', 'table', 'inet', name) : undefined;
      },
    },
    close: () => void nft('flush', 'ruleset'),
  };
}

export function linuxNetworkEventsWorld(): OpenWorld<NetworkEventsWorld> {
  const { world, close } = linuxLinksWorld();
  const table = 'cvfilter';
  const events = openNetworkEvents(table);
  return {
    world: { ...world, events, filter: new LinuxPacketFilter(), table },
    close: () => {
      events.close();
      void close();
      execFileSync('nft', ['flush', 'ruleset']);
    },
  };
}
