/** What only the kernel's raw sockets can show: marks, devices, packets on a wire, traffic class and ICMP. */
import assert from 'node:assert/strict';
import { SO_MARK, SO_RCVBUF } from '../../../hal/linux/ffi/constants.ts';
import type { Tun } from '../../../hal/tun.ts';
import type { Contract } from '../contract/contract.ts';
import {
  encodeIpv4,
  encodeIpv4Udp,
  encodeIpv6,
  encodePacketTooBig,
  encodeUnreachable,
  PROTOCOL_ESP,
} from '../contract/datagram.ts';
import { ip } from '../contract/linux-worlds.ts';
import { ANY, awaitReady, newDatagramInfo, receive, text, type UdpWorld } from '../contract/udp-socket.ts';
import { integerOption, PEER, ROUTER, withWire } from './wire.ts';

const protocol = 'esp';

const HOST = '10.66.0.1';
const HOST6 = 'fd66::1';
const PEER6 = 'fd66::2';
const ROUTER6 = 'fd66::3';

const ICMP_HOST_UNREACHABLE = 1;
const ICMP_FRAGMENTATION_NEEDED = 4;

/** How often the kernel is asked whether an address is ready; each time takes milliseconds. */
const MAX_TRIES = 500;

/** DSCP EF with Congestion Experienced (RFC 3168 section 5). */
const MARKED = (46 << 2) | 3;

/** As {@link withWire}, with IPv6 addresses too. */
function withBothFamilies(use: (tun: Tun) => void): void {
  withWire((tun) => {
    ip(`-6 address add ${HOST6}/64 dev cvwire nodad`);
    // The kernel puts an IPv6 address to use a moment later.
    for (let tries = 0; ip('-6 -o address show dev cvwire tentative') !== ''; tries++) assert.ok(tries < MAX_TRIES);
    use(tun);
  });
}

/** The next ESP packet; others, such as the kernel's own IPv6 packets, are passed over. */
function nextEsp(tun: Tun): Uint8Array {
  const into = new Uint8Array(2000);
  for (let length = tun.read(into); length >= 0; length = tun.read(into)) {
    const packet = into.slice(0, length);
    if ((packet[0] === 0x45 ? packet[9] : packet[6]) === PROTOCOL_ESP) return packet;
  }
  throw new assert.AssertionError({ message: 'there should be an ESP packet on the wire' });
}

export const linuxEspCases: Contract<UdpWorld> = {
  name: 'linux-esp',
  cases: [
    {
      name: 'mark and buffer are set on the socket',
      run: (world) => {
        const socket = world.open({ family: 4, protocol, mark: 0xc0de_cafe });
        assert.equal(integerOption(socket, SO_MARK), 0xc0de_cafe);
        assert.ok(integerOption(socket, SO_RCVBUF) >= 4 * 1024 * 1024);
      },
    },
    {
      name: 'a marked packet takes the rule of its mark',
      run: (world) => {
        withWire((tun) => {
          ip('rule add fwmark 0x77 lookup 98');
          try {
            ip('route add 198.51.100.0/24 dev cvwire table 98');
            const plain = world.open({ family: 4, protocol });
            const marked = world.open({ family: 4, protocol, mark: 0x77 });
            assert.equal(plain.send(text('plain'), '198.51.100.1', 0, ANY[4]), 'ENETUNREACH');
            assert.equal(marked.send(text('marked'), '198.51.100.1', 0, ANY[4]), undefined);
            assert.deepEqual(nextEsp(tun).slice(20), text('marked'));
          } finally {
            ip('rule del fwmark 0x77 lookup 98');
          }
        });
      },
    },
    {
      name: 'a socket bound to a device hears nothing from another, and a missing device is refused in words',
      run: (world) => {
        withWire((tun) => {
          const bound = world.open({ family: 4, protocol, device: 'cvwire' });
          world.open({ family: 4, protocol }).send(text('lo'), world.addresses[4][0], 0, ANY[4]);
          tun.write(encodeIpv4(PEER, HOST, PROTOCOL_ESP, text('wire')));
          assert.equal(receive(world, bound).text, 'wire');
          assert.equal(bound.receive(new Uint8Array(100), newDatagramInfo()), false);
        });
        assert.throws(() => world.open({ family: 4, protocol, device: 'cvnone' }), {
          code: 'ENODEV',
          message:
            /^The raw ESP socket for 0\.0\.0\.0 cannot be bound to the device cvnone \(ENODEV\)\. There is no such/,
        });
      },
    },
    {
      name: 'the payload is found behind a header with options',
      run: (world) => {
        withWire((tun) => {
          const socket = world.open({ family: 4, protocol });
          // Eight times "no operation" (RFC 791 section 3.1).
          tun.write(encodeIpv4(PEER, HOST, PROTOCOL_ESP, text('behind'), { options: new Uint8Array(8).fill(1) }));
          const { text: payload, info } = receive(world, socket);
          assert.deepEqual([payload, info.offset, info.remoteAddress], ['behind', 28, PEER]);
        });
      },
    },
    {
      name: 'the traffic class of each packet is told, with its ECN field',
      run: (world) => {
        withBothFamilies((tun) => {
          const four = world.open({ family: 4, protocol });
          const six = world.open({ family: 6, protocol });
          for (const trafficClass of [MARKED, 0, 2]) {
            tun.write(encodeIpv4(PEER, HOST, PROTOCOL_ESP, text('4'), { trafficClass }));
            tun.write(encodeIpv6(PEER6, HOST6, PROTOCOL_ESP, text('6'), trafficClass));
            assert.equal(receive(world, four).info.trafficClass, trafficClass);
            const { info } = receive(world, six);
            assert.deepEqual([info.trafficClass, info.localAddress, info.offset], [trafficClass, HOST6, 0]);
          }
        });
      },
    },
    {
      name: 'the traffic class of a UDP datagram is told too',
      run: (world) => {
        withWire((tun) => {
          const socket = world.open({ family: 4 });
          const packet = encodeIpv4Udp({
            source: PEER,
            sourcePort: 4500,
            destination: HOST,
            destinationPort: socket.localPort,
            payload: text('udp'),
          });
          tun.write(encodeIpv4(PEER, HOST, 17, packet.slice(20), { trafficClass: MARKED }));
          const { text: payload, info } = receive(world, socket);
          assert.deepEqual([payload, info.trafficClass, info.offset], ['udp', MARKED, 0]);
        });
      },
    },
    {
      name: "the Don't Fragment bit is set when asked for, and only then",
      run: (world) => {
        withWire((tun) => {
          for (const dontFragment of [true, false]) {
            world.open({ family: 4, protocol, dontFragment }).send(new Uint8Array(100), PEER, 0, ANY[4]);
            assert.equal(((nextEsp(tun)[6] ?? 0) & 0x40) !== 0, dontFragment);
          }
        });
      },
    },
    {
      name: 'a router that reports a smaller MTU is heard, and the next large packet refused',
      run: (world) => {
        withWire((tun) => {
          const socket = world.open({ family: 4, protocol, dontFragment: true });
          socket.send(new Uint8Array(1300), PEER, 0, ANY[4]);
          tun.write(encodeUnreachable(nextEsp(tun), ROUTER, ICMP_FRAGMENTATION_NEEDED, 1200));
          const report = { code: 'EMSGSIZE', remoteAddress: PEER, remotePort: 0, mtu: 1200 };
          assert.deepEqual(socket.readError(), report);
          assert.equal(socket.send(new Uint8Array(1181), PEER, 0, ANY[4]), 'EMSGSIZE');
          assert.equal(socket.send(new Uint8Array(1180), PEER, 0, ANY[4]), undefined);
        });
      },
    },
    {
      name: 'an IPv6 router that reports a smaller MTU is heard, and the next large packet refused',
      run: (world) => {
        withBothFamilies((tun) => {
          const socket = world.open({ family: 6, protocol, dontFragment: true });
          assert.equal(socket.send(new Uint8Array(1340), PEER6, 0, ANY[6]), undefined);
          tun.write(encodePacketTooBig(nextEsp(tun), ROUTER6, 1280));
          awaitReady(world, socket);
          const report = { code: 'EMSGSIZE', remoteAddress: PEER6, remotePort: 0, mtu: 1280 };
          assert.deepEqual(socket.readError(), report);
          assert.equal(socket.send(new Uint8Array(1241), PEER6, 0, ANY[6]), 'EMSGSIZE');
          assert.equal(socket.send(new Uint8Array(1240), PEER6, 0, ANY[6]), undefined);
        });
      },
    },
    {
      name: 'an unreachable host is reported with its address, and the socket sends on',
      run: (world) => {
        withWire((tun) => {
          const socket = world.open({ family: 4, protocol });
          socket.send(new Uint8Array(10), PEER, 0, ANY[4]);
          tun.write(encodeUnreachable(nextEsp(tun), ROUTER, ICMP_HOST_UNREACHABLE, 0));
          assert.equal(socket.send(text('on'), ROUTER, 0, ANY[4]), undefined);
          assert.deepEqual(nextEsp(tun).slice(20), text('on'));
          const report = { code: 'EHOSTUNREACH', remoteAddress: PEER, remotePort: 0, mtu: 0 };
          assert.deepEqual(socket.readError(), report);
        });
      },
    },
  ],
};
