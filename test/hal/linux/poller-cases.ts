/** What only a poller that blocks can show. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Contract } from '../contract/contract.ts';
import type { PollerWorld } from '../contract/poller.ts';

/** Milliseconds that no wait of these tests should take. */
const TOO_LONG = 10_000;

export const linuxPollerCases: Contract<PollerWorld> = {
  name: 'linux-poller',
  cases: [
    {
      name: 'wait lasts until its time is over when nothing happens',
      run: (world) => {
        const poller = world.open();
        poller.add(world.source().handle);
        const start = performance.now();
        assert.deepEqual([...poller.wait(20)], []);
        assert.ok(performance.now() - start >= 20);
      },
    },
    {
      name: 'another thread ends a wait that blocks',
      run: async (world) => {
        const poller = world.open();
        const gate = new Int32Array(new SharedArrayBuffer(4));
        const worker = new Worker(new URL('./waking-worker.ts', import.meta.url), {
          workerData: { gate, wakeHandle: poller.wakeHandle },
        });
        await once(worker, 'message');
        Atomics.store(gate, 0, 1);
        Atomics.notify(gate, 0);
        const start = performance.now();
        assert.deepEqual([...poller.wait(TOO_LONG)], []);
        assert.ok(performance.now() - start < TOO_LONG);
        await once(worker, 'exit');
      },
    },
    {
      name: 'a handle that was closed under the poller is ready, so that its owner notices',
      run: (world) => {
        const poller = world.open();
        poller.add(99_999);
        assert.deepEqual([...poller.wait(TOO_LONG)], [99_999]);
      },
    },
  ],
};
