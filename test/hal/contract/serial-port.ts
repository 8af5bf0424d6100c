import assert from 'node:assert/strict';
import { HalError } from '../../../hal/hal-error.ts';
import type { SerialPort, SerialPorts } from '../../../hal/serial-port.ts';
import type { Contract } from './contract.ts';

/** What is at the other end of the cable. */
export interface FarEnd {
  send(octets: Uint8Array): void;
  onOctets: ((octets: Uint8Array) => void) | undefined;
  /** Whether it reads what comes. */
  set reads(reads: boolean);
}

export interface SerialWorld {
  readonly ports: SerialPorts;
  /** Of a line whose far end is {@link far}. */
  readonly path: string;
  readonly far: FarEnd;
  /** No line has this path. */
  readonly absent: string;
  pull(): void;
}

const BAUD = 115_200;

/** Every octet there is: none of them is echoed, swallowed, changed or taken for a signal. */
const ALL = Uint8Array.from({ length: 256 }, (_, value) => value);

/** @returns the first `count` octets that come. */
function gather(side: { onOctets: ((octets: Uint8Array) => void) | undefined }, count: number): Promise<Uint8Array> {
  const { promise, resolve } = Promise.withResolvers<Uint8Array>();
  const parts: Uint8Array[] = [];
  side.onOctets = (octets) => {
    parts.push(octets);
    const all = Buffer.concat(parts);
    if (all.length >= count) resolve(Uint8Array.from(all));
  };
  return promise;
}

async function opened({ ports, path }: SerialWorld): Promise<SerialPort> {
  return await ports.open({ path, baud: BAUD });
}

export const serialPortContract: Contract<SerialWorld> = {
  name: 'a serial line',
  cases: [
    {
      name: 'carries every octet as it is, both ways, and echoes none',
      run: async (world) => {
        const port = await opened(world);
        const there = gather(world.far, ALL.length);
        await port.write(ALL);
        assert.deepEqual(await there, ALL);
        const here = gather(port, ALL.length);
        world.far.send(ALL);
        assert.deepEqual(await here, ALL);
        const next = gather(world.far, 1);
        await port.write(Uint8Array.of(7));
        assert.deepEqual(await next, Uint8Array.of(7));
        await port.close();
      },
    },
    {
      name: 'loses nothing of 200,000 octets, in either direction',
      run: async (world) => {
        const port = await opened(world);
        const much = Uint8Array.from({ length: 200_000 }, (_, index) => (index * 31) >> 3);
        const here = gather(port, much.length);
        for (let at = 0; at < much.length; at += 1000) world.far.send(much.subarray(at, at + 1000));
        assert.deepEqual(await here, much);
        const there = gather(world.far, much.length);
        for (let at = 0; at < much.length; at += 1000) await port.write(much.subarray(at, at + 1000));
        assert.deepEqual(await there, much);
        await port.close();
      },
    },
    {
      name: 'reads not one octet more when it is paused by what it has read',
      run: async (world) => {
        const port = await opened(world);
        const pieces: number[] = [];
        const first = Promise.withResolvers<void>();
        port.onOctets = (octets) => {
          pieces.push(octets.length);
          port.pause();
          first.resolve();
        };
        world.far.send(ALL);
        await first.promise;
        const before = pieces.length;
        world.far.send(ALL);
        const there = gather(world.far, 1);
        await port.write(Uint8Array.of(1));
        await there;
        assert.equal(pieces.length, before);
        await port.close();
      },
    },
    {
      name: 'lends its descriptor, reads again when it has it back, and tells of a line that is lost meanwhile',
      run: async (world) => {
        const port = await opened(world);
        assert.ok(port.lend() >= 0);
        world.far.send(Uint8Array.of(5));
        const here = gather(port, 1);
        port.takeBack();
        assert.deepEqual(await here, Uint8Array.of(5));
        assert.ok(port.lend() >= 0);
        world.pull();
        assert.equal((await port.ended).kind, 'lost');
        port.takeBack();
        assert.throws(() => port.lend(), HalError);
        await port.close();
      },
    },
    {
      name: 'reads nothing while it is paused, and loses nothing by that',
      run: async (world) => {
        const port = await opened(world);
        const first = gather(port, 1);
        world.far.send(Uint8Array.of(1));
        await first;
        let came = 0;
        port.onOctets = () => {
          came += 1;
        };
        port.pause();
        world.far.send(ALL);
        // The other direction takes as long, and then some.
        const there = gather(world.far, 1);
        await port.write(Uint8Array.of(2));
        await there;
        assert.ok(came <= 1, `it read ${came} times`);
        const rest = gather(port, came === 0 ? ALL.length : 0);
        port.resume();
        if (came === 0) assert.deepEqual(await rest, ALL);
        await port.close();
      },
    },
    {
      name: 'holds whoever writes while nobody reads, and lets them go when somebody does, or when it is closed',
      run: async (world) => {
        const port = await opened(world);
        world.far.reads = false;
        let written = 0;
        const writing = (async () => {
          for (; written < 1000; written += 1) await port.write(new Uint8Array(1000));
        })();
        // Other things go on meanwhile.
        const here = gather(port, 1);
        world.far.send(Uint8Array.of(1));
        await here;
        const there = gather(world.far, 1_000_000);
        assert.ok(written < 1000, `${written} writes`);
        world.far.reads = true;
        assert.equal((await there).length, 1_000_000);
        await writing;
        world.far.reads = false;
        const stuck = assert.rejects(async () => {
          for (;;) await port.write(new Uint8Array(1000));
        }, HalError);
        const again = gather(port, 1);
        world.far.send(Uint8Array.of(2));
        await again;
        await port.close();
        await stuck;
      },
    },
    {
      name: 'says when it is lost, and can then be closed',
      run: async (world) => {
        const port = await opened(world);
        world.pull();
        const end = await port.ended;
        assert.equal(end.kind, 'lost');
        assert.ok(end.kind === 'lost' && end.reason !== '');
        await port.close();
        await assert.rejects(port.write(ALL), HalError);
      },
    },
    {
      name: 'is closed once, and can then be opened again',
      run: async (world) => {
        const port = await opened(world);
        await port.close();
        await port.close();
        assert.deepEqual(await port.ended, { kind: 'closed' });
        await assert.rejects(port.write(ALL), HalError);
        const again = await opened(world);
        const there = gather(world.far, 1);
        await again.write(Uint8Array.of(3));
        assert.deepEqual(await there, Uint8Array.of(3));
        await again.close();
      },
    },
    {
      name: 'belongs to one at a time',
      run: async (world) => {
        const port = await opened(world);
        await assert.rejects(opened(world), (error) => error instanceof HalError && error.code === 'EBUSY');
        await port.close();
      },
    },
    {
      name: 'is refused in words where there is none',
      run: async ({ ports, absent }) => {
        await assert.rejects(ports.open({ path: absent, baud: BAUD }), (error) => {
          assert.ok(error instanceof HalError);
          assert.equal(error.code, 'ENOENT');
          assert.match(error.message, /Plug it in/);
          return true;
        });
      },
    },
  ],
};
