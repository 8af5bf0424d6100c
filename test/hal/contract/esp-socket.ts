/** The `esp` sockets of the UDP port: raw, without ports, the payload behind the IP header. */
import assert from 'node:assert/strict';
import { formatIpAddress } from '../../../hal/ip-address.ts';
import type { Contract, ContractCase } from './contract.ts';
import { ANY, awaitReady, NARROW_MTU, newDatagramInfo, receive, text, type UdpWorld } from './udp-socket.ts';

const protocol = 'esp';

/** Octets of the IP header. */
const HEADER = { 4: 20, 6: 40 } as const;

function casesOf(family: 4 | 6): readonly ContractCase<UdpWorld>[] {
  const any = ANY[family];
  const version = `IPv${family}`;
  return [
    {
      name: `${version}: carries a payload from address to address, without ports`,
      run: (world) => {
        const [here, there] = world.addresses[family];
        const left = world.open({ family, protocol, address: here });
        const right = world.open({ family, protocol, address: there });
        assert.equal(left.localPort, 0);
        assert.equal(left.send(text('question'), there, 0, any), undefined);
        const question = receive(world, right);
        assert.equal(question.text, 'question');
        const { remoteAddress, remotePort, localAddress, interfaceIndex, trafficClass, truncated } = question.info;
        assert.deepEqual([remoteAddress, remotePort, localAddress], [here, 0, there]);
        assert.deepEqual([trafficClass, truncated], [0, false]);
        assert.ok(interfaceIndex > 0);
        assert.equal(right.send(text('answer'), remoteAddress, remotePort, localAddress), undefined);
        assert.equal(receive(world, left).text, 'answer');
      },
    },
    {
      name: `${version}: says where the payload begins, and leaves the IPv4 header in front of it`,
      run: (world) => {
        const [here, there] = world.addresses[family];
        const server = world.open({ family, protocol, address: there });
        world.open({ family, protocol, address: here }).send(text('payload'), there, 0, any);
        awaitReady(world, server);
        const [into, info] = [new Uint8Array(100), newDatagramInfo()];
        assert.equal(server.receive(into, info), true);
        assert.deepEqual([info.offset, info.length], [family === 4 ? 20 : 0, 7]);
        if (family === 6) return;
        assert.equal(into[0], 0x45);
        assert.equal(into[9], 50);
        assert.deepEqual([into.slice(12, 16), into.slice(16, 20)].map(formatIpAddress), [here, there]);
      },
    },
    {
      name: `${version}: ignores ports, whatever they are`,
      run: (world) => {
        const [here, there] = world.addresses[family];
        const server = world.open({ family, protocol, address: there, port: 4500 });
        const client = world.open({ family, protocol, address: here, port: -1 });
        assert.deepEqual([server.localPort, client.localPort], [0, 0]);
        for (const port of [0, 500, 65_536]) assert.equal(client.send(text(`${port}`), there, port, any), undefined);
        for (const port of [0, 500, 65_536]) assert.equal(receive(world, server).text, `${port}`);
      },
    },
    {
      name: `${version}: hears what is sent to any address of the host, and tells to which`,
      run: (world) => {
        const server = world.open({ family, protocol });
        for (const address of world.addresses[family]) {
          server.send(text('x'), address, 0, any);
          assert.equal(receive(world, server).info.localAddress, address);
        }
      },
    },
    {
      name: `${version}: bound to one address hears nothing that goes to another`,
      run: (world) => {
        const [here, there] = world.addresses[family];
        const bound = world.open({ family, protocol, address: here });
        const other = world.open({ family, protocol, address: there });
        bound.send(text('x'), there, 0, any);
        awaitReady(world, other);
        assert.equal(bound.receive(new Uint8Array(100), newDatagramInfo()), false);
      },
    },
    {
      name: `${version}: two sockets of one address get a copy each`,
      run: (world) => {
        const [here, there] = world.addresses[family];
        const servers = [0, 1].map(() => world.open({ family, protocol, address: there }));
        world.open({ family, protocol, address: here }).send(text('for both'), there, 0, any);
        for (const server of servers) assert.equal(receive(world, server).text, 'for both');
      },
    },
    {
      name: `${version}: leaves from the address that was asked for, each time anew`,
      run: (world) => {
        const [first, second] = world.addresses[family];
        const socket = world.open({ family, protocol });
        for (const from of [first, second, second, first]) {
          assert.equal(socket.send(text('x'), first, 0, from), undefined);
          assert.equal(receive(world, socket).info.remoteAddress, from);
        }
        const foreign = family === 4 ? '203.0.113.77' : '2001:db8::77';
        assert.equal(socket.send(text('x'), first, 0, foreign), family === 4 ? 'ENETUNREACH' : 'EINVAL');
      },
    },
    {
      name: `${version}: says that a packet was cut, also within its header`,
      run: (world) => {
        const [here, there] = world.addresses[family];
        const server = world.open({ family, protocol, address: there });
        const client = world.open({ family, protocol, address: here });
        const header = family === 4 ? 20 : 0;
        for (const room of [5, header, header + 5, header + 16]) {
          client.send(text('longer than five'), there, 0, any);
          const { text: payload, info } = receive(world, server, room);
          assert.equal(payload, 'longer than five'.slice(0, Math.max(room - header, 0)));
          assert.equal(info.truncated, room < header + 16);
        }
      },
    },
    {
      name: `${version}: hears no UDP, and is not heard by a UDP socket`,
      run: (world) => {
        const [here, there] = world.addresses[family];
        const raw = world.open({ family, protocol, address: there });
        const udp = world.open({ family, address: there });
        world.open({ family, protocol, address: here }).send(text('raw'), there, 0, any);
        world.open({ family }).send(text('udp'), there, udp.localPort, any);
        assert.equal(receive(world, udp).text, 'udp');
        assert.equal(receive(world, raw).text, 'raw');
        for (const socket of [raw, udp]) assert.equal(socket.receive(new Uint8Array(9), newDatagramInfo()), false);
      },
    },
    {
      name: `${version}: an address that the host lacks, or of the other family, is refused`,
      run: (world) => {
        const address = family === 4 ? '203.0.113.77' : '2001:db8::77';
        const foreign = world.addresses[family === 4 ? 6 : 4][0];
        assert.throws(() => world.open({ family, protocol, address }), { name: 'HalError', code: 'EADDRNOTAVAIL' });
        assert.throws(() => world.open({ family, protocol, address: foreign }), { name: 'HalError', code: 'EINVAL' });
        assert.equal(world.open({ family, protocol }).send(text('x'), foreign, 0, any), 'EAFNOSUPPORT');
      },
    },
    {
      name: `${version}: what is larger than the path's MTU is refused with DF, and the report names peer and MTU`,
      run: (world) => {
        const socket = world.open({ family, protocol, dontFragment: true });
        const room = NARROW_MTU - HEADER[family];
        assert.equal(socket.send(new Uint8Array(room), world.narrow[family], 0, any), undefined);
        assert.equal(socket.send(new Uint8Array(room + 1), world.narrow[family], 0, any), 'EMSGSIZE');
        const report = { code: 'EMSGSIZE', remoteAddress: world.narrow[family], remotePort: 0, mtu: NARROW_MTU };
        assert.deepEqual(socket.readError(), report);
        const fragmenting = world.open({ family, protocol });
        assert.equal(fragmenting.send(new Uint8Array(room + 1), world.narrow[family], 0, any), undefined);
        assert.equal(fragmenting.readError(), undefined);
      },
    },
    {
      name: `${version}: a payload larger than any packet is refused with EMSGSIZE`,
      run: (world) => {
        const socket = world.open({ family, protocol });
        assert.equal(socket.send(new Uint8Array(65_536), world.addresses[family][0], 0, any), 'EMSGSIZE');
      },
    },
    {
      name: `${version}: a closed socket says so`,
      run: (world) => {
        const socket = world.open({ family, protocol });
        socket.close();
        const closed = { name: 'HalError', code: 'EBADF' };
        assert.throws(() => socket.send(text('x'), world.addresses[family][0], 0, any), closed);
        assert.throws(() => socket.receive(new Uint8Array(1), newDatagramInfo()), closed);
      },
    },
  ];
}

export const espSocketContract: Contract<UdpWorld> = { name: 'esp-socket', cases: [...casesOf(4), ...casesOf(6)] };
