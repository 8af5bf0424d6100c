/** Wakes the poller of another thread, once that one opens the gate. */
import { parentPort, workerData } from 'node:worker_threads';
import { wakePoller } from '../../../hal/linux/poller.ts';

const { gate, wakeHandle } = workerData as { gate: Int32Array; wakeHandle: number };
parentPort?.postMessage('loaded');
Atomics.wait(gate, 0, 0);
wakePoller(wakeHandle);
