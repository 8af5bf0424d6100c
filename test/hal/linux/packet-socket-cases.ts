/** What only the kernel's packet sockets can show. */
import assert from 'node:assert/strict';
import { LinuxUdpSocketFactory } from '../../../hal/linux/udp-socket.ts';
import type { ReceivedFrame } from '../../../hal/packet-socket.ts';
import type { Contract } from '../contract/contract.ts';
import { ip } from '../contract/linux-worlds.ts';
import type { PacketSocketWorld } from '../contract/packet-socket.ts';

export const linuxPacketSocketCases: Contract<PacketSocketWorld> = {
  name: 'linux-packet-socket',
  cases: [
    {
      name: 'what this kernel sends itself over a cable in memory has its checksum pending',
      run: async (world) => {
        ip('address add 10.66.0.2/24 dev cvpkt1');
        ip(`-4 neighbour add 10.66.0.1 lladdr ${world.mac} dev cvpkt1`);
        const frames: ReceivedFrame[] = [];
        const socket = await world.open({ device: world.device, etherType: 0x0800, udpPort: 68 });
        socket.onFrame = (frame) => frames.push(frame);
        const udp = new LinuxUdpSocketFactory().open({ family: 4, address: '10.66.0.2', port: 67, mark: 0 });
        assert.equal(udp.send(Uint8Array.of(1, 2, 3), '10.66.0.1', 68, '0.0.0.0'), undefined);
        udp.close();
        await world.settle(() => frames.length === 1);
        assert.equal(frames[0]?.checksumPending, true);
      },
    },
    {
      name: 'a change of the address and the MTU is seen at once',
      run: async (world) => {
        const socket = await world.open({ device: world.device, etherType: 0x0806 });
        ip(`link set ${world.device} address 02:00:00:00:12:34 mtu 1400`);
        assert.deepEqual([socket.mac, socket.mtu], ['02:00:00:00:12:34', 1400]);
      },
    },
    {
      name: 'a device that is removed and made again under its name is another one',
      run: async (world) => {
        const socket = await world.open({ device: world.device, etherType: 0x0806 });
        world.removeDevice();
        ip(`link add ${world.device} type veth peer name cvother`);
        assert.equal(await socket.ended, 'gone');
      },
    },
  ],
};
