import assert from 'node:assert/strict';
import type { PollerFactory } from '../../../hal/poller.ts';
import type { DatagramInfo, UdpSocket, UdpSocketFactory, UdpSocketOptions } from '../../../hal/udp-socket.ts';
import type { Contract, ContractCase } from './contract.ts';

export interface UdpWorld {
  readonly sockets: UdpSocketFactory;
  readonly pollers: PollerFactory;
  /** Two addresses of this host, for each family; not loopback. */
  readonly addresses: Readonly<Record<4 | 6, readonly [string, string]>>;
  /** For each family an address to which only packets of {@link NARROW_MTU} octets go, as the host knows. */
  readonly narrow: Readonly<Record<4 | 6, string>>;
  /** Addresses of the host are closed with it; sockets that a case opens are closed by this. */
  open(options: Partial<UdpSocketOptions> & Pick<UdpSocketOptions, 'family'>): UdpSocket;
}

export const ANY = { 4: '0.0.0.0', 6: '::' } as const;

/** A port that nothing listens on: discard. */
const CLOSED_PORT = 9;

/** Octets of a packet towards {@link UdpWorld.narrow}: at least 1280, which every IPv6 path has. */
export const NARROW_MTU = 1300;

/** Milliseconds to wait for what comes at once. */
const SOON = 2000;

export function newDatagramInfo(): DatagramInfo {
  return {
    offset: 0,
    length: 0,
    remoteAddress: '',
    remotePort: 0,
    localAddress: '',
    interfaceIndex: 0,
    trafficClass: 0,
    truncated: false,
  };
}

/** Waits until the socket has something, then receives it. */
export function receive(world: UdpWorld, socket: UdpSocket, size = 2048): { text: string; info: DatagramInfo } {
  awaitReady(world, socket);
  const into = new Uint8Array(size);
  const info = newDatagramInfo();
  assert.equal(socket.receive(into, info), true, 'a datagram should be waiting');
  return { text: Buffer.from(into.subarray(info.offset, info.offset + info.length)).toString(), info };
}

export function awaitReady(world: UdpWorld, socket: UdpSocket): void {
  const poller = world.pollers.open();
  poller.add(socket.handle);
  assert.deepEqual([...poller.wait(SOON)], [socket.handle], 'the socket should be ready');
  poller.close();
}

export const text = (words: string): Uint8Array => new Uint8Array(Buffer.from(words));

function casesOf(family: 4 | 6): readonly ContractCase<UdpWorld>[] {
  const any = ANY[family];
  const version = `IPv${family}`;
  return [
    {
      name: `${version}: tells which address a datagram was sent to, and replies from it`,
      run: (world) => {
        for (const address of world.addresses[family]) {
          const server = world.open({ family });
          const client = world.open({ family });
          assert.equal(client.send(text('question'), address, server.localPort, any), undefined);
          const question = receive(world, server);
          assert.equal(question.text, 'question');
          assert.equal(question.info.localAddress, address);
          assert.equal(question.info.remotePort, client.localPort);
          assert.equal(question.info.truncated, false);
          assert.deepEqual([question.info.offset, question.info.trafficClass], [0, 0]);
          assert.ok(question.info.interfaceIndex > 0);
          const { remoteAddress, remotePort, localAddress } = question.info;
          assert.equal(server.send(text('answer'), remoteAddress, remotePort, localAddress), undefined);
          const answer = receive(world, client);
          assert.equal(answer.text, 'answer');
          assert.equal(answer.info.remoteAddress, address);
        }
      },
    },
    {
      name: `${version}: leaves from the address that was asked for, each time anew`,
      run: (world) => {
        const [first, second] = world.addresses[family];
        const server = world.open({ family });
        const client = world.open({ family });
        for (const from of [first, second, second, first]) {
          assert.equal(client.send(text('x'), first, server.localPort, from), undefined);
          assert.equal(receive(world, server).info.remoteAddress, from);
        }
      },
    },
    {
      name: `${version}: bears the traffic class that was asked for, each time anew, whatever address it leaves from`,
      run: (world) => {
        const [first, second] = world.addresses[family];
        const server = world.open({ family });
        const client = world.open({ family });
        for (const [from, wanted] of [
          [any, 0xb8],
          [any, 0],
          [second, 0x28],
          [second, undefined],
          [first, 0xb8],
        ] as const) {
          assert.equal(client.send(text('x'), first, server.localPort, from, false, wanted), undefined);
          assert.equal(receive(world, server).info.trafficClass, wanted ?? 0);
        }
      },
    },
    {
      name: `${version}: a socket bound to one address sends from it when none is asked for`,
      run: (world) => {
        const [first, second] = world.addresses[family];
        const server = world.open({ family });
        const client = world.open({ family, address: second });
        client.send(text('x'), first, server.localPort, any);
        assert.equal(receive(world, server).info.remoteAddress, second);
      },
    },
    {
      name: `${version}: an address that the host lacks cannot be left from`,
      run: (world) => {
        const [address] = world.addresses[family];
        const foreign = family === 4 ? '203.0.113.77' : '2001:db8::77';
        assert.equal(
          world.open({ family }).send(text('x'), address, 1000, foreign),
          family === 4 ? 'ENETUNREACH' : 'EINVAL',
        );
      },
    },
    {
      name: `${version}: says that a datagram was cut, and gives its beginning`,
      run: (world) => {
        const server = world.open({ family });
        world.open({ family }).send(text('longer than five'), world.addresses[family][0], server.localPort, any);
        const received = receive(world, server, 5);
        assert.equal(received.text, 'longe');
        assert.equal(received.info.length, 5);
        assert.equal(received.info.truncated, true);
      },
    },
    {
      name: `${version}: an empty datagram is a datagram`,
      run: (world) => {
        const server = world.open({ family });
        world.open({ family }).send(new Uint8Array(0), world.addresses[family][0], server.localPort, any);
        assert.equal(receive(world, server).info.length, 0);
      },
    },
    {
      name: `${version}: reports a closed port on the error queue, once, with the peer's address`,
      run: (world) => {
        const client = world.open({ family });
        const [address] = world.addresses[family];
        assert.equal(client.send(text('anyone?'), address, CLOSED_PORT, any), undefined);
        awaitReady(world, client);
        const report = { code: 'ECONNREFUSED', remoteAddress: address, remotePort: CLOSED_PORT, mtu: 0 };
        assert.deepEqual(client.readError(), report);
        assert.equal(client.readError(), undefined);
      },
    },
    {
      name: `${version}: a closed port at one peer hinders neither sending to another nor receiving from it`,
      run: (world) => {
        const client = world.open({ family });
        const server = world.open({ family });
        const [address] = world.addresses[family];
        client.send(text('anyone?'), address, CLOSED_PORT, any);
        awaitReady(world, client);
        assert.equal(client.send(text('hello'), address, server.localPort, any), undefined);
        assert.equal(receive(world, server).text, 'hello');
        client.send(text('anyone?'), address, CLOSED_PORT, any);
        server.send(text('hello yourself'), address, client.localPort, any);
        assert.equal(receive(world, client).text, 'hello yourself');
      },
    },
    {
      name: `${version}: a pending error alone is no datagram`,
      run: (world) => {
        const client = world.open({ family });
        client.send(text('anyone?'), world.addresses[family][0], CLOSED_PORT, any);
        awaitReady(world, client);
        assert.equal(client.receive(new Uint8Array(10), newDatagramInfo()), false);
      },
    },
    {
      name: `${version}: a port can be bound once only, by words that name the port`,
      run: (world) => {
        const first = world.open({ family });
        assert.throws(() => world.open({ family, port: first.localPort }), {
          name: 'HalError',
          code: 'EADDRINUSE',
          message: new RegExp(String(first.localPort)),
        });
      },
    },
    {
      name: `${version}: a port is free again after its socket was closed`,
      run: (world) => {
        const first = world.open({ family });
        first.close();
        assert.equal(world.open({ family, port: first.localPort }).localPort, first.localPort);
      },
    },
    {
      name: `${version}: an address that the host lacks cannot be bound`,
      run: (world) => {
        const address = family === 4 ? '203.0.113.77' : '2001:db8::77';
        assert.throws(() => world.open({ family, address }), { name: 'HalError', code: 'EADDRNOTAVAIL' });
      },
    },
    {
      name: `${version}: addresses of the other family are refused without sending`,
      run: (world) => {
        const socket = world.open({ family });
        const foreign = world.addresses[family === 4 ? 6 : 4][0];
        assert.equal(socket.send(text('x'), foreign, 1000, any), 'EAFNOSUPPORT');
        assert.equal(socket.send(text('x'), 'not an address', 1000, any), 'EAFNOSUPPORT');
        assert.equal(socket.send(text('x'), world.addresses[family][0], 1000, foreign), 'EAFNOSUPPORT');
        assert.equal(socket.send(text('x'), world.addresses[family][0], 0, any), 'EINVAL');
        assert.throws(() => world.open({ family, address: foreign }), { name: 'HalError', code: 'EINVAL' });
      },
    },
    {
      name: `${version}: a payload larger than any datagram is refused with EMSGSIZE`,
      run: (world) => {
        const socket = world.open({ family });
        assert.equal(socket.send(new Uint8Array(65_530), world.addresses[family][0], 1000, any), 'EMSGSIZE');
      },
    },
    {
      name: `${version}: what is larger than the path's MTU is refused with DF, and the report names peer and MTU`,
      run: (world) => {
        const socket = world.open({ family, dontFragment: true });
        const room = NARROW_MTU - (family === 4 ? 28 : 48);
        assert.equal(socket.send(new Uint8Array(room), world.narrow[family], 1701, any), undefined);
        assert.equal(socket.send(new Uint8Array(room + 1), world.narrow[family], 1701, any), 'EMSGSIZE');
        const report = { code: 'EMSGSIZE', remoteAddress: world.narrow[family], remotePort: 1701, mtu: NARROW_MTU };
        assert.deepEqual(socket.readError(), report);
        assert.equal(world.open({ family }).send(new Uint8Array(room + 1), world.narrow[family], 1701, any), undefined);
        assert.equal(socket.send(new Uint8Array(room + 1), world.narrow[family], 1701, any, true), undefined);
        assert.equal(socket.send(new Uint8Array(room + 1), world.narrow[family], 1701, any), 'EMSGSIZE');
      },
    },
    {
      name: `${version}: a closed socket says so`,
      run: (world) => {
        const socket = world.open({ family });
        socket.close();
        socket.close();
        const closed = { name: 'HalError', code: 'EBADF' };
        assert.throws(() => socket.send(text('x'), world.addresses[family][0], 1000, any), closed);
        assert.throws(() => socket.receive(new Uint8Array(1), newDatagramInfo()), closed);
        assert.throws(() => socket.readError(), closed);
      },
    },
  ];
}

export const udpSocketContract: Contract<UdpWorld> = {
  name: 'udp-socket',
  cases: [
    ...casesOf(4),
    ...casesOf(6),
    {
      name: 'the same port can be open for IPv4 and for IPv6, each hearing its own',
      run: (world) => {
        const six = world.open({ family: 6 });
        const four = world.open({ family: 4, port: six.localPort });
        world.open({ family: 4 }).send(text('four'), world.addresses[4][0], four.localPort, ANY[4]);
        assert.equal(receive(world, four).text, 'four');
        assert.equal(six.receive(new Uint8Array(10), newDatagramInfo()), false);
      },
    },
    {
      name: 'a datagram to a bound address goes to the socket bound to it',
      run: (world) => {
        const [first, second] = world.addresses[4];
        const one = world.open({ family: 4, address: first });
        const two = world.open({ family: 4, address: second, port: one.localPort });
        world.open({ family: 4 }).send(text('for two'), second, two.localPort, ANY[4]);
        assert.equal(receive(world, two).text, 'for two');
        assert.equal(one.receive(new Uint8Array(10), newDatagramInfo()), false);
      },
    },
  ],
};
