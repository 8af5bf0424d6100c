/** The store's own thread: SQLite is synchronous and waits for the disk, and the control loop must not wait with it. */
import { parentPort, workerData } from 'node:worker_threads';
import { LinuxEntropy } from '../../../hal/linux/entropy.ts';
import { reasonOf } from '../state-file.ts';
import { TrafficDatabase } from '../traffic/traffic-database.ts';
import { StoreCore } from './store-core.ts';
import type { StoreAnswer, StoreQuestion, StoreWorkerData } from './store-link.ts';
import { answerer } from './store-methods.ts';

const port = parentPort;
if (port === null) throw new Error('The store is a worker thread, and is not started by itself.');

const options: StoreWorkerData = workerData;
const core = new StoreCore({ ...options, random: new LinuxEntropy() });
const answer = answerer(core, new TrafficDatabase(options.stateDirectory));
/** One after the other: an answer that waits for the disk must not be overtaken. */
let last: Promise<void> = Promise.resolve();

port.on('message', ({ id, method, parameters }: StoreQuestion) => {
  last = last.then(async () => {
    let reply: StoreAnswer;
    try {
      reply = { id, result: await answer(method, parameters) };
    } catch (error) {
      reply = { id, error: reasonOf(error) };
    }
    port.postMessage(reply);
    if (method === 'close') port.close();
  });
});
