import assert from 'node:assert/strict';
import type { Poller, WakePoller } from '../../../hal/poller.ts';
import type { Contract } from './contract.ts';

/** A handle that can be made ready. */
export interface PollSource {
  readonly handle: number;
  fill(): void;
  drain(): void;
}

/** A handle that takes output until it is full. */
export interface PollSink {
  readonly handle: number;
  stuff(): void;
  /** Whoever is at the other end takes all of it. */
  empty(): void;
}

export interface PollerWorld {
  /** Closed with the world. */
  open(): Poller;
  source(): PollSource;
  sink(): PollSink;
  readonly wake: WakePoller;
}

export const pollerContract: Contract<PollerWorld> = {
  name: 'poller',
  cases: [
    {
      name: 'wait with time-out 0 answers at once, with nothing when nothing is ready',
      run: (world) => {
        const poller = world.open();
        poller.add(world.source().handle);
        assert.deepEqual([...poller.wait(0)], []);
      },
    },
    {
      name: 'wait names the handles that are ready, and those only',
      run: (world) => {
        const poller = world.open();
        const [one, two, three] = [world.source(), world.source(), world.source()];
        for (const source of [one, two, three]) poller.add(source.handle);
        one.fill();
        three.fill();
        assert.deepEqual(new Set(poller.wait(1000)), new Set([one.handle, three.handle]));
        one.drain();
        assert.deepEqual([...poller.wait(1000)], [three.handle]);
      },
    },
    {
      name: 'a handle stays ready until it is drained',
      run: (world) => {
        const poller = world.open();
        const source = world.source();
        poller.add(source.handle);
        source.fill();
        assert.deepEqual([...poller.wait(1000)], [source.handle]);
        assert.deepEqual([...poller.wait(1000)], [source.handle]);
      },
    },
    {
      name: 'a removed handle is watched no more, the others are',
      run: (world) => {
        const poller = world.open();
        const sources = [world.source(), world.source(), world.source()];
        for (const source of sources) {
          poller.add(source.handle);
          source.fill();
        }
        const [one, ...others] = sources;
        if (one) poller.remove(one.handle);
        assert.deepEqual(new Set(poller.wait(1000)), new Set(others.map((source) => source.handle)));
      },
    },
    {
      name: 'a handle that was added twice is named once, and removed once is removed',
      run: (world) => {
        const poller = world.open();
        const source = world.source();
        poller.add(source.handle);
        poller.add(source.handle);
        source.fill();
        assert.deepEqual([...poller.wait(1000)], [source.handle]);
        poller.remove(source.handle);
        assert.deepEqual([...poller.wait(0)], []);
        poller.remove(source.handle);
      },
    },
    {
      name: 'room for output counts only while it is awaited, and only when there is some',
      run: (world) => {
        const poller = world.open();
        const sink = world.sink();
        poller.awaitRoom(sink.handle, true);
        poller.add(sink.handle);
        assert.deepEqual([...poller.wait(0)], []);
        poller.awaitRoom(sink.handle, true);
        assert.deepEqual([...poller.wait(1000)], [sink.handle]);
        sink.stuff();
        assert.deepEqual([...poller.wait(0)], []);
        sink.empty();
        assert.deepEqual([...poller.wait(1000)], [sink.handle]);
        poller.awaitRoom(sink.handle, false);
        assert.deepEqual([...poller.wait(0)], []);
      },
    },
    {
      name: 'more than a hundred handles can be watched',
      run: (world) => {
        const poller = world.open();
        const sources = Array.from({ length: 120 }, () => world.source());
        for (const source of sources) poller.add(source.handle);
        for (const source of sources) source.fill();
        assert.deepEqual(new Set(poller.wait(1000)), new Set(sources.map((source) => source.handle)));
      },
    },
    {
      name: 'a wake-up ends one wait, without naming a handle',
      run: (world) => {
        const poller = world.open();
        const source = world.source();
        poller.add(source.handle);
        world.wake(poller.wakeHandle);
        world.wake(poller.wakeHandle);
        assert.deepEqual([...poller.wait(-1)], []);
        source.fill();
        assert.deepEqual([...poller.wait(-1)], [source.handle]);
      },
    },
    {
      name: 'a closed poller says so',
      run: (world) => {
        const poller = world.open();
        poller.close();
        poller.close();
        assert.throws(() => poller.wait(0), { name: 'HalError', code: 'EBADF' });
      },
    },
  ],
};
