/** What only the kernel's UDP sockets can show: marks, devices, packets on a wire and ICMP. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { SO_MARK, SO_RCVBUF } from '../../../hal/linux/ffi/constants.ts';
import type { Tun } from '../../../hal/tun.ts';
import type { Contract } from '../contract/contract.ts';
import { decodeIpv4Udp, encodeUnreachable, type Ipv4Udp } from '../contract/datagram.ts';
import { ip } from '../contract/linux-worlds.ts';
import { newDatagramInfo, type UdpWorld } from '../contract/udp-socket.ts';
import { integerOption, PEER, ROUTER, withWire } from './wire.ts';

const ANY = '0.0.0.0';

const ICMP_HOST_UNREACHABLE = 1;
const ICMP_FRAGMENTATION_NEEDED = 4;

/** The next IPv4 UDP packet, as it is and decoded; the kernel's own IPv6 packets are passed over. */
function nextOnWire(tun: Tun): { packet: Uint8Array; datagram: Ipv4Udp } {
  const into = new Uint8Array(2000);
  for (let length = tun.read(into); length >= 0; length = tun.read(into)) {
    const packet = into.slice(0, length);
    const datagram = decodeIpv4Udp(packet);
    if (datagram) return { packet, datagram };
  }
  throw new assert.AssertionError({ message: 'there should be a packet on the wire' });
}

export const linuxUdpCases: Contract<UdpWorld> = {
  name: 'linux-udp',
  cases: [
    {
      name: 'the mark is set on the socket',
      run: (world) => {
        assert.equal(integerOption(world.open({ family: 4, mark: 0xc0de_cafe }), SO_MARK), 0xc0de_cafe);
        assert.equal(integerOption(world.open({ family: 6 }), SO_MARK), 0);
      },
    },
    {
      name: 'a marked packet takes the rule of its mark',
      run: (world) => {
        withWire((tun) => {
          ip('rule add fwmark 0x77 lookup 98');
          try {
            ip('route add 198.51.100.0/24 dev cvwire table 98');
            const [plain, marked] = [world.open({ family: 4 }), world.open({ family: 4, mark: 0x77 })];
            assert.equal(plain.send(new Uint8Array(1), '198.51.100.1', 4000, ANY), 'ENETUNREACH');
            assert.equal(marked.send(new Uint8Array(1), '198.51.100.1', 4000, ANY), undefined);
            assert.equal(nextOnWire(tun).datagram.sourcePort, marked.localPort);
          } finally {
            ip('rule del fwmark 0x77 lookup 98');
          }
        });
      },
    },
    {
      name: 'the receive buffer is large',
      run: (world) => {
        assert.ok(integerOption(world.open({ family: 4 }), SO_RCVBUF) >= 4 * 1024 * 1024);
      },
    },
    {
      name: 'a socket bound to a device hears nothing from another, and a missing device is refused in words',
      run: (world) => {
        withWire(() => {
          const bound = world.open({ family: 4, device: 'cvwire' });
          world.open({ family: 4 }).send(new Uint8Array(1), world.addresses[4][0], bound.localPort, ANY);
          assert.equal(bound.receive(new Uint8Array(10), newDatagramInfo()), false);
        });
        assert.throws(() => world.open({ family: 4, device: 'cvnone' }), {
          code: 'ENODEV',
          message: /device cvnone \(ENODEV\)\. There is no such network interface/,
        });
      },
    },
    {
      name: 'the source address on the wire is the one asked for',
      run: (world) => {
        withWire((tun) => {
          const socket = world.open({ family: 4 });
          for (const from of ['10.66.0.9', '10.66.0.1', ANY]) {
            assert.equal(socket.send(new Uint8Array(1), PEER, 4000, from), undefined);
            assert.equal(nextOnWire(tun).datagram.source, from === ANY ? '10.66.0.1' : from);
          }
        });
      },
    },
    {
      name: "the Don't Fragment bit is set when asked for, and only then",
      run: (world) => {
        withWire((tun) => {
          for (const dontFragment of [true, false]) {
            world.open({ family: 4, dontFragment }).send(new Uint8Array(100), PEER, 4000, ANY);
            assert.equal(nextOnWire(tun).datagram.dontFragment, dontFragment);
          }
        });
      },
    },
    {
      name: "a datagram larger than the device's MTU is refused with DF, and the report names peer and MTU",
      run: (world) => {
        withWire(() => {
          const socket = world.open({ family: 4, dontFragment: true });
          assert.equal(socket.send(new Uint8Array(1400), PEER, 4000, ANY), 'EMSGSIZE');
          const report = { code: 'EMSGSIZE', remoteAddress: PEER, remotePort: 4000, mtu: 1400 };
          assert.deepEqual(socket.readError(), report);
          assert.equal(world.open({ family: 4 }).send(new Uint8Array(1400), PEER, 4000, ANY), undefined);
        });
      },
    },
    {
      name: 'a router that reports a smaller MTU is heard, and the next large datagram refused',
      run: (world) => {
        withWire((tun) => {
          const socket = world.open({ family: 4, dontFragment: true });
          socket.send(new Uint8Array(1300), PEER, 4000, ANY);
          const { packet } = nextOnWire(tun);
          assert.equal(tun.write(encodeUnreachable(packet, ROUTER, ICMP_FRAGMENTATION_NEEDED, 1200)), true);
          const report = { code: 'EMSGSIZE', remoteAddress: PEER, remotePort: 4000, mtu: 1200 };
          assert.deepEqual(socket.readError(), report);
          assert.equal(socket.send(new Uint8Array(1300), PEER, 4000, ANY), 'EMSGSIZE');
          assert.equal(socket.send(new Uint8Array(1100), PEER, 4000, ANY), undefined);
        });
      },
    },
    {
      name: 'an unreachable host is reported with its address, and the socket sends on',
      run: (world) => {
        withWire((tun) => {
          const socket = world.open({ family: 4 });
          socket.send(new Uint8Array(10), PEER, 4000, ANY);
          tun.write(encodeUnreachable(nextOnWire(tun).packet, ROUTER, ICMP_HOST_UNREACHABLE, 0));
          const report = { code: 'EHOSTUNREACH', remoteAddress: PEER, remotePort: 4000, mtu: 0 };
          assert.equal(socket.send(new Uint8Array(10), ROUTER, 4000, ANY), undefined);
          assert.equal(nextOnWire(tun).datagram.destination, ROUTER);
          assert.deepEqual(socket.readError(), report);
        });
      },
    },
    {
      name: 'without a route the send says so',
      run: (world) => {
        assert.equal(world.open({ family: 4 }).send(new Uint8Array(1), '198.51.100.1', 4000, ANY), 'ENETUNREACH');
      },
    },
    {
      name: 'a port that another process has is refused by words that name the process',
      run: async (world) => {
        const script = `require('dgram').createSocket('udp4').bind(0, function () { console.log(this.address().port) })`;
        const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
        try {
          const [line] = await once(child.stdout, 'data');
          const port = Number(String(line).trim());
          assert.throws(() => world.open({ family: 4, port }), {
            code: 'EADDRINUSE',
            message: new RegExp(`port ${port} .*Process ${child.pid} \\(node\\) has the port: stop it`),
          });
        } finally {
          child.kill('SIGKILL');
          await once(child, 'exit');
        }
      },
    },
    {
      name: 'a port that this process has is refused by words that say so',
      run: (world) => {
        const { localPort } = world.open({ family: 4 });
        assert.throws(() => world.open({ family: 4, port: localPort }), {
          message: /This process has the port already/,
        });
      },
    },
  ],
};
