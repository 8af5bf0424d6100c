/** What only the kernel's packet sockets can show. */
import assert from 'node:assert/strict';
import { LinuxPacketCaptureFactory } from '../../../hal/linux/packet-capture.ts';
import type { Contract } from '../contract/contract.ts';
import { ip } from '../contract/linux-worlds.ts';
import { frameOf, type PacketCaptureWorld, packetOf, takeAll } from '../contract/packet-capture.ts';
import { FrameSender } from './packet-capture-world.ts';

export const linuxPacketCaptureCases: Contract<PacketCaptureWorld> = {
  name: 'linux-packet-capture',
  cases: [
    {
      name: 'a VLAN tag that the kernel has taken out stands where it stood',
      run: (world) => {
        const capture = world.open(world.ethernet);
        const plain = frameOf('inbound', Uint8Array.of(1, 2, 3));
        const tagged = Uint8Array.of(...plain.subarray(0, 12), 0x81, 0x00, 0x60, 0x07, ...plain.subarray(12));
        const sender = new FrameSender('cvcab1');
        sender.send(tagged);
        sender.close();
        const [taken] = takeAll(capture);
        assert.deepEqual(taken?.bytes, tagged);
        assert.equal(taken.originalLength, tagged.length);
      },
    },
    {
      name: 'a device that is set down and up again goes on',
      run: (world) => {
        const capture = world.open(world.ethernet);
        ip(`link set ${world.ethernet} down`);
        assert.deepEqual(takeAll(capture), []);
        assert.equal(capture.gone, false);
        ip(`link set ${world.ethernet} up`);
        world.passes(world.ethernet, 'inbound', Uint8Array.of(5));
        assert.deepEqual(
          takeAll(capture).map(({ bytes }) => bytes.at(-1)),
          [5],
        );
      },
    },
    {
      name: 'loopback shows each packet once',
      run: (world) => {
        ip('link set lo up');
        const capture = world.open('lo');
        const sender = new FrameSender('lo');
        sender.send(frameOf('inbound', Uint8Array.of(9)));
        sender.close();
        assert.equal(takeAll(capture).length, 1);
        assert.deepEqual(capture.statistics(), { passed: 1, lost: 0 });
      },
    },
    {
      name: 'a device that is removed and made again under its name is another one',
      run: (world) => {
        const capture = world.open(world.tun);
        world.removeTun();
        ip(`link add ${world.tun} type veth peer name cvother`);
        try {
          takeAll(capture);
          assert.equal(capture.gone, true);
        } finally {
          ip(`link del ${world.tun}`);
        }
      },
    },
    {
      name: 'times are those of the wall clock',
      run: (world) => {
        const capture = new LinuxPacketCaptureFactory().open(world.ethernet);
        const before = BigInt(Date.now()) * 1_000_000n;
        world.passes(world.ethernet, 'inbound', packetOf('inbound', Uint8Array.of(1)));
        const [taken] = takeAll(capture);
        capture.close();
        const after = (BigInt(Date.now()) + 1n) * 1_000_000n;
        assert.ok(taken !== undefined && taken.time >= before && taken.time <= after);
      },
    },
  ],
};
