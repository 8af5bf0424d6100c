import assert from 'node:assert/strict';
import {
  CAPTURE_HEADROOM,
  type CaptureDirection,
  newCapturedFrame,
  type PacketCapture,
} from '../../../hal/packet-capture.ts';
import type { Contract } from './contract.ts';
import { decodeIpv4Udp, encodeIpv4Udp } from './datagram.ts';

export interface PacketCaptureWorld {
  /** Through the factory under test; closed with the world. */
  open(device: string): PacketCapture;
  /** An Ethernet device and a TUN that are up, and on which nothing passes but what {@link passes} says. */
  readonly ethernet: string;
  readonly tun: string;
  /** A packet passes: a whole frame on the Ethernet device, what {@link packetOf} makes on the TUN. */
  passes(device: string, direction: CaptureDirection, payload: Uint8Array): void;
  removeTun(): void;
}

const ADDRESSES = { source: '10.66.0.1', sourcePort: 4000, destination: '10.66.0.2', destinationPort: 4000 };
const BACK = { source: '10.66.0.2', sourcePort: 4000, destination: '10.66.0.1', destinationPort: 4000 };

/** An IPv4 UDP datagram with this payload, as it passes in this direction. */
export function packetOf(direction: CaptureDirection, payload: Uint8Array): Uint8Array {
  return encodeIpv4Udp({ ...(direction === 'outbound' ? ADDRESSES : BACK), payload });
}

/** The same behind an Ethernet header for everybody. */
export function frameOf(direction: CaptureDirection, payload: Uint8Array): Uint8Array {
  const header = [...new Array<number>(6).fill(0xff), 2, 0, 0, 0, 0, 9, 0x08, 0x00];
  return Uint8Array.of(...header, ...packetOf(direction, payload));
}

export interface Taken {
  readonly bytes: Uint8Array;
  readonly originalLength: number;
  readonly direction: CaptureDirection;
  readonly time: bigint;
}

/** What is there; a packet is on its way within the kernel for that long, milliseconds. */
const KERNEL_MS = 50;

export function takeAll(capture: PacketCapture, room = 2000): readonly Taken[] {
  const into = new Uint8Array(room + CAPTURE_HEADROOM);
  const frame = newCapturedFrame();
  const taken: Taken[] = [];
  const takeThose = (): void => {
    while (capture.take(into, frame)) {
      const { offset, length, originalLength, direction, time } = frame;
      taken.push({ bytes: into.slice(offset, offset + length), originalLength, direction, time });
    }
  };
  takeThose();
  // A kernel that is busy has a thread of its own bring packets from one device to the next, on this very processor.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, KERNEL_MS);
  takeThose();
  return taken;
}

const BOTH = ['inbound', 'outbound'] as const;

export const packetCaptureContract: Contract<PacketCaptureWorld> = {
  name: 'packet-capture',
  cases: [
    {
      name: 'of an Ethernet device are whole frames, both ways, in order, and then none',
      run: (world) => {
        const capture = world.open(world.ethernet);
        assert.equal(capture.link, 'ethernet');
        assert.equal(capture.device, world.ethernet);
        const frames = BOTH.map((direction) => frameOf(direction, Uint8Array.of(1, 2, 3)));
        for (const direction of BOTH) world.passes(world.ethernet, direction, Uint8Array.of(1, 2, 3));
        const taken = takeAll(capture);
        assert.deepEqual(
          taken.map(({ direction }) => direction),
          BOTH,
        );
        assert.deepEqual(
          taken.map(({ bytes }) => bytes),
          frames,
        );
        assert.deepEqual(
          taken.map(({ originalLength }) => originalLength),
          frames.map(({ length }) => length),
        );
        assert.deepEqual(takeAll(capture), []);
        assert.equal(capture.gone, false);
      },
    },
    {
      name: 'of a TUN are bare IP packets, both ways',
      run: (world) => {
        const capture = world.open(world.tun);
        assert.equal(capture.link, 'ip');
        for (const direction of BOTH) world.passes(world.tun, direction, Uint8Array.of(7));
        const taken = takeAll(capture);
        assert.deepEqual(
          taken.map(({ direction }) => direction),
          BOTH,
        );
        assert.deepEqual(
          taken.map(({ bytes }) => [...(decodeIpv4Udp(bytes)?.payload ?? [])]),
          [[7], [7]],
        );
      },
    },
    {
      name: 'what passed before the beginning is not in it',
      run: (world) => {
        const witness = world.open(world.ethernet);
        world.passes(world.ethernet, 'inbound', Uint8Array.of(1));
        // It has passed when somebody has seen it.
        assert.equal(takeAll(witness).length, 1);
        const capture = world.open(world.ethernet);
        world.passes(world.ethernet, 'inbound', Uint8Array.of(2));
        assert.deepEqual(
          takeAll(capture).map(({ bytes }) => bytes.at(-1)),
          [2],
        );
      },
    },
    {
      name: 'what has no room is cut off, and its length is told',
      run: (world) => {
        const capture = world.open(world.ethernet);
        world.passes(world.ethernet, 'inbound', new Uint8Array(500));
        const [packet] = takeAll(capture, 60);
        assert.equal(packet?.bytes.length, 60);
        assert.equal(packet?.originalLength, 14 + 28 + 500);
      },
    },
    {
      name: 'times do not go back',
      run: (world) => {
        const capture = world.open(world.ethernet);
        for (const octet of [1, 2]) world.passes(world.ethernet, 'inbound', Uint8Array.of(octet));
        const [first, second] = takeAll(capture);
        assert.ok(first !== undefined && second !== undefined && first.time > 0n && second.time >= first.time);
      },
    },
    {
      name: 'two captures of one device have each all of it',
      run: (world) => {
        const captures = [world.open(world.ethernet), world.open(world.ethernet)];
        world.passes(world.ethernet, 'inbound', Uint8Array.of(1));
        assert.deepEqual(
          captures.map((capture) => takeAll(capture).length),
          [1, 1],
        );
      },
    },
    {
      name: 'what nobody takes is lost in the end, and counted',
      run: (world) => {
        const capture = world.open(world.ethernet);
        let passed = 0;
        while (capture.statistics().lost === 0 && passed < 100_000) {
          for (let count = 0; count < 500; count += 1) world.passes(world.ethernet, 'inbound', new Uint8Array(1000));
          passed += 500;
        }
        const { lost } = capture.statistics();
        assert.ok(lost > 0);
        assert.equal(takeAll(capture).length, passed - lost);
        assert.deepEqual(capture.statistics(), { passed, lost });
      },
    },
    {
      name: 'ends when the device is removed, behind what came before',
      run: (world) => {
        const capture = world.open(world.tun);
        world.passes(world.tun, 'inbound', Uint8Array.of(1));
        world.removeTun();
        const before = takeAll(capture);
        takeAll(capture);
        assert.equal(before.length, 1);
        assert.equal(capture.gone, true);
        assert.deepEqual(capture.statistics(), { passed: 1, lost: 0 });
      },
    },
    {
      name: 'a device that is not there is refused, by words that say so',
      run: (world) => {
        assert.throws(() => world.open('cvnothing'), {
          name: 'HalError',
          code: 'ENODEV',
          message: /no network device cvnothing/,
        });
        assert.throws(() => world.open('a b'), { name: 'HalError', code: 'EINVAL' });
      },
    },
    {
      name: 'a closed one says so',
      run: (world) => {
        const capture = world.open(world.ethernet);
        capture.close();
        capture.close();
        assert.throws(() => takeAll(capture), { name: 'HalError', code: 'EBADF' });
        assert.throws(() => capture.statistics(), { name: 'HalError', code: 'EBADF' });
      },
    },
  ],
};
