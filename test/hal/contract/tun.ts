import assert from 'node:assert/strict';
import type { Links } from '../../../hal/links.ts';
import type { PollerFactory } from '../../../hal/poller.ts';
import type { Tun } from '../../../hal/tun.ts';
import type { Contract } from './contract.ts';
import { decodeIpv4Udp, encodeIpv4Udp } from './datagram.ts';

export interface TunWorld {
  /** Through the factory under test; closed with the world. */
  open(name: string): Tun;
  readonly pollers: PollerFactory;
  /** Where the device appears as a link. */
  readonly links: Links;
  /** The kernel sends this payload in an IPv4 UDP datagram from 10.66.0.1 to 10.66.0.2 port 4000, through the device. */
  kernelSends(device: string, payload: Uint8Array): void;
  /** The payload that a UDP socket at 10.66.0.1 port 4000 got last through the device. */
  kernelReceived(device: string): Uint8Array | undefined;
}

const LOCAL = '10.66.0.1';
const REMOTE = '10.66.0.2';
export const KERNEL_PORT = 4000;
export const KERNEL_ADDRESS = `${LOCAL}/24`;

const packetFor = (payload: Uint8Array): Uint8Array =>
  encodeIpv4Udp({ source: REMOTE, sourcePort: 4000, destination: LOCAL, destinationPort: KERNEL_PORT, payload });

/** An open device that is up, with its address, and without the kernel's own IPv6 chatter. */
async function upDevice(world: TunWorld, name: string): Promise<Tun> {
  const tun = world.open(name);
  await world.links.setSysctl(`net.ipv6.conf.${name}.disable_ipv6`, '1');
  await world.links.setUp(name, true);
  await world.links.addAddress(name, KERNEL_ADDRESS);
  return tun;
}

export const tunContract: Contract<TunWorld> = {
  name: 'tun',
  cases: [
    {
      name: 'the device appears as a link when it is opened, and vanishes when it is closed',
      run: async (world) => {
        const names = async (): Promise<readonly string[]> => (await world.links.links()).map((link) => link.name);
        const tun = world.open('cvtun0');
        assert.equal(tun.name, 'cvtun0');
        assert.ok((await names()).includes('cvtun0'));
        tun.close();
        assert.ok(!(await names()).includes('cvtun0'));
      },
    },
    {
      name: 'read gives the packet that the kernel routed into it, whole and unprefixed',
      run: async (world) => {
        const tun = await upDevice(world, 'cvtun0');
        const payload = Uint8Array.from({ length: 1000 }, (_, index) => index & 0xff);
        world.kernelSends('cvtun0', payload);
        const into = new Uint8Array(2000);
        const length = tun.read(into);
        const datagram = decodeIpv4Udp(into.subarray(0, length));
        assert.equal(length, 1028);
        assert.equal(datagram?.destination, REMOTE);
        assert.deepEqual(datagram?.payload, payload);
      },
    },
    {
      name: 'packets are read one by one in order, then -1',
      run: async (world) => {
        const tun = await upDevice(world, 'cvtun0');
        for (const octet of [1, 2, 3]) world.kernelSends('cvtun0', Uint8Array.of(octet));
        const into = new Uint8Array(2000);
        for (const octet of [1, 2, 3]) {
          assert.equal(tun.read(into), 29);
          assert.equal(into[28], octet);
        }
        assert.equal(tun.read(into), -1);
      },
    },
    {
      name: 'what is written arrives in the kernel',
      run: async (world) => {
        const tun = await upDevice(world, 'cvtun0');
        world.kernelReceived('cvtun0');
        assert.equal(tun.write(packetFor(Uint8Array.of(7, 8, 9))), true);
        assert.deepEqual(world.kernelReceived('cvtun0'), Uint8Array.of(7, 8, 9));
      },
    },
    {
      name: 'write answers false while the link is down, and for what is no IP packet',
      run: async (world) => {
        const tun = world.open('cvtun0');
        assert.equal(tun.write(packetFor(Uint8Array.of(1))), false);
        await world.links.setUp('cvtun0', true);
        assert.equal(tun.write(new Uint8Array(40)), false);
        assert.equal(tun.write(new Uint8Array(0)), false);
        assert.equal(tun.write(packetFor(Uint8Array.of(1))), true);
      },
    },
    {
      name: 'a poller sees the handle ready while a packet waits, and only then',
      run: async (world) => {
        const tun = await upDevice(world, 'cvtun0');
        const poller = world.pollers.open();
        poller.add(tun.handle);
        assert.deepEqual([...poller.wait(0)], []);
        world.kernelSends('cvtun0', Uint8Array.of(1));
        assert.deepEqual([...poller.wait(1000)], [tun.handle]);
        tun.read(new Uint8Array(2000));
        assert.deepEqual([...poller.wait(0)], []);
        poller.close();
      },
    },
    {
      name: 'a name that is in use is refused, by words that say so',
      run: (world) => {
        world.open('cvtun0');
        assert.throws(() => world.open('cvtun0'), { name: 'HalError', code: 'EBUSY', message: /of that name exists/ });
      },
    },
    {
      name: 'a name that the kernel could not have is refused',
      run: (world) => {
        for (const name of ['', 'sixteen-octets-x', 'a/b', 'a b', 'cv%d', '-4', '..']) {
          assert.throws(() => world.open(name), { name: 'HalError', code: 'EINVAL' }, JSON.stringify(name));
        }
      },
    },
    {
      name: 'a closed device says so',
      run: (world) => {
        const tun = world.open('cvtun0');
        tun.close();
        tun.close();
        assert.throws(() => tun.read(new Uint8Array(100)), { name: 'HalError', code: 'EBADF' });
        assert.throws(() => tun.write(new Uint8Array(100)), { name: 'HalError', code: 'EBADF' });
      },
    },
  ],
};
