/** The store's own thread: SQLite is synchronous and waits for the disk, and the control loop must not wait with it. */
import { parentPort, workerData } from 'node:worker_threads';
import { LinuxEntropy } from '../../../hal/linux/entropy.ts';
import type { StoreQuestion } from './store-link.ts';
import { storeServer } from './store-server.ts';

const port = parentPort;
if (port === null) throw new Error('The store is a worker thread, and is not started by itself.');

let closing: number | undefined;
const take = storeServer(workerData, new LinuxEntropy(), (answer) => {
  port.postMessage(answer);
  if (answer.id === closing) port.close();
});
port.on('message', (question: StoreQuestion) => {
  if (question.method === 'close') closing = question.id;
  take(question);
});
