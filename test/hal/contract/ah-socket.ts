/** The `ah` sockets of the UDP port: raw, without ports, and whole IPv4 packets both ways. */
import assert from 'node:assert/strict';
import type { Contract } from './contract.ts';
import { encodeIpv4 } from './datagram.ts';
import { ANY, awaitReady, newDatagramInfo, receive, text, type UdpWorld } from './udp-socket.ts';

const protocol = 'ah';
const family = 4;
const PROTOCOL_AH = 51;
const HEADER = 20;

/** As the data plane makes it: DF, and no checksum yet. */
function packetFrom(source: string, destination: string, words: string, id = 0x1234): Uint8Array {
  const packet = encodeIpv4(source, destination, PROTOCOL_AH, text(words), { trafficClass: 0x28 });
  new DataView(packet.buffer).setUint16(4, id);
  packet[6] = 0x40;
  packet.fill(0, 10, 12);
  return packet;
}

export const ahSocketContract: Contract<UdpWorld> = {
  name: 'ah-socket',
  cases: [
    {
      name: 'carries a whole packet, of which but the checksum is another one on arrival',
      run: (world) => {
        const [here, there] = world.addresses[family];
        const left = world.open({ family, protocol, address: here, dontFragment: true });
        const right = world.open({ family, protocol, address: there });
        assert.equal(left.localPort, 0);
        const packet = packetFrom(here, there, 'question');
        assert.equal(left.send(packet.slice(), there, 0, here), undefined);
        awaitReady(world, right);
        const [into, info] = [new Uint8Array(200), newDatagramInfo()];
        assert.equal(right.receive(into, info), true);
        const { offset, length, remoteAddress, remotePort, localAddress, trafficClass, truncated } = info;
        assert.deepEqual([offset, length], [0, packet.length]);
        assert.deepEqual([remoteAddress, remotePort, localAddress], [here, 0, there]);
        assert.equal(truncated, false);
        const arrived = into.slice(0, length);
        arrived.fill(0, 10, 12);
        assert.deepEqual(arrived, packet);
        assert.ok(trafficClass === 0x28 || trafficClass === 0);
      },
    },
    {
      name: 'hears neither ESP nor UDP, and is not heard by them',
      run: (world) => {
        const [here, there] = world.addresses[family];
        const ah = world.open({ family, protocol, address: there });
        const esp = world.open({ family, protocol: 'esp', address: there });
        world.open({ family, protocol: 'esp', address: here }).send(text('esp'), there, 0, ANY[family]);
        world.open({ family, protocol, address: here }).send(packetFrom(here, there, 'ah'), there, 0, here);
        assert.equal(receive(world, esp).text, 'esp');
        awaitReady(world, ah);
        const [into, info] = [new Uint8Array(200), newDatagramInfo()];
        assert.equal(ah.receive(into, info), true);
        assert.equal(Buffer.from(into.subarray(HEADER, info.length)).toString(), 'ah');
        for (const socket of [ah, esp]) assert.equal(socket.receive(into, info), false);
      },
    },
    {
      name: 'says that a packet was cut',
      run: (world) => {
        const [here, there] = world.addresses[family];
        const server = world.open({ family, protocol, address: there });
        world.open({ family, protocol, address: here }).send(packetFrom(here, there, 'long'), there, 0, here);
        awaitReady(world, server);
        const info = newDatagramInfo();
        assert.equal(server.receive(new Uint8Array(22), info), true);
        assert.deepEqual([info.offset, info.length, info.truncated], [0, 22, true]);
      },
    },
    {
      name: 'a packet larger than any link takes is refused with EMSGSIZE',
      run: (world) => {
        const [here] = world.addresses[family];
        const socket = world.open({ family, protocol, dontFragment: true });
        assert.equal(socket.send(new Uint8Array(65_536), here, 0, here), 'EMSGSIZE');
      },
    },
    {
      name: 'is not there for IPv6, and says so',
      run: (world) => {
        const refused = { name: 'HalError', code: 'EAFNOSUPPORT', message: /IPv4/ };
        assert.throws(() => world.open({ family: 6, protocol }), refused);
      },
    },
  ],
};
