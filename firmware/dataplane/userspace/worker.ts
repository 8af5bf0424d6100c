/**
 * The engine's own thread: blocks in the poller, moves packets, takes commands in between. Nothing else runs here, no
 * timer and no event loop, and without traffic it uses no processor time.
 */
import { receiveMessageOnPort, workerData } from 'node:worker_threads';
import { LinuxEntropy } from '../../../hal/linux/entropy.ts';
import { LinuxEthernetSocketFactory } from '../../../hal/linux/ethernet-socket.ts';
import { LinuxOctetLineFactory } from '../../../hal/linux/octet-line.ts';
import { LinuxPacketCipherFactory } from '../../../hal/linux/packet-cipher.ts';
import { LinuxPollerFactory } from '../../../hal/linux/poller.ts';
import { LinuxTunFactory } from '../../../hal/linux/tun.ts';
import { LinuxUdpSocketFactory } from '../../../hal/linux/udp-socket.ts';
import type { Poller } from '../../../hal/poller.ts';
import { UserspaceEngine } from './engine.ts';
import type { EngineCommand, EngineMessage } from './engine-messages.ts';
import { warmUp } from './warm-up.ts';
import { ACKNOWLEDGED, LET_GO, RUN, WAKE_HANDLE, WANTED, type WorkerMessage, type WorkerStart } from './worker-link.ts';

/** For ever, until the poller is woken. */
const NO_TIMEOUT = -1;

function run({ port, shared }: WorkerStart, poller: Poller): void {
  const cells = new Int32Array(shared);
  let outbox: EngineMessage[] = [];
  const post = (message: WorkerMessage): void => port.postMessage(message);

  const ciphers = new LinuxPacketCipherFactory();
  const random = new LinuxEntropy();
  warmUp(ciphers, random);
  const engine = new UserspaceEngine({
    tuns: new LinuxTunFactory(),
    sockets: new LinuxUdpSocketFactory(),
    ethernet: new LinuxEthernetSocketFactory(),
    octetLines: new LinuxOctetLineFactory(),
    ciphers,
    random,
    poller,
    now: () => performance.now(),
    acknowledged: () => Atomics.load(cells, ACKNOWLEDGED),
    emit: (message) => outbox.push(message),
  });

  const takeCommands = (): void => {
    for (;;) {
      const received: { message: EngineCommand } | undefined = receiveMessageOnPort(port);
      if (received === undefined) return;
      engine.execute(received.message);
    }
  };
  const flush = (): void => {
    if (outbox.length === 0) return;
    post({ kind: 'batch', messages: outbox });
    outbox = [];
  };

  Atomics.store(cells, WAKE_HANDLE, poller.wakeHandle);
  post({ kind: 'ready' });
  try {
    while (Atomics.load(cells, WANTED) === RUN) {
      engine.step(NO_TIMEOUT, takeCommands);
      flush();
    }
    takeCommands();
    engine.close();
    flush();
  } catch (error) {
    engine.close();
    flush();
    post({ kind: 'failed', reason: error instanceof Error ? error.message : String(error) });
  }
  awaitLetGo(cells);
  poller.close();
  port.close();
}

function awaitLetGo(cells: Int32Array): void {
  for (;;) {
    const wanted = Atomics.load(cells, WANTED);
    if (wanted === LET_GO) return;
    Atomics.wait(cells, WANTED, wanted);
  }
}

run(workerData, new LinuxPollerFactory().open());
