/** The data plane by the user-space engine in its own thread: what a router without the kernel's L2TP runs on. */
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import type { Links } from '../../../hal/links.ts';
import { wakePoller } from '../../../hal/linux/poller.ts';
import { EngineClient } from './engine-client.ts';
import type { EngineCommand } from './engine-messages.ts';
import {
  ACKNOWLEDGED,
  LET_GO,
  NO_HANDLE,
  SHARED_CELLS,
  STOP,
  WAKE_HANDLE,
  WANTED,
  type WorkerMessage,
  type WorkerStart,
} from './worker-link.ts';

export interface UserspaceDataPlaneOptions {
  readonly links: Links;
  /** The worker's entry, where the program was bundled. Default: `worker.ts` beside this file. */
  readonly workerUrl?: URL;
}

/** A running worker, as far as the control thread knows it. */
interface Engine {
  readonly port: MessagePort;
  readonly ready: PromiseWithResolvers<void>;
  /** Resolves when the thread is gone. */
  readonly exited: Promise<void>;
}

export class UserspaceDataPlane extends EngineClient {
  readonly #workerUrl: URL | undefined;
  readonly #cells = new Int32Array(new SharedArrayBuffer(SHARED_CELLS * Int32Array.BYTES_PER_ELEMENT));
  #engine: Engine | undefined;
  /** The worker was let go, or is gone: it must not be woken any more. */
  #released = false;
  /**
   * The process may end without {@link close}: Node then waits for the thread, which would wait for ever in its
   * poller.
   */
  readonly #onProcessExit = (): void => this.#stop();

  constructor(options: UserspaceDataPlaneOptions) {
    super(options.links);
    this.#workerUrl = options.workerUrl;
  }

  /** Starts the thread; any request does so too. @throws Error in words when it does not start. */
  async start(): Promise<void> {
    this.#engine ??= this.#launch();
    await this.#engine.ready.promise;
  }

  protected post(command: EngineCommand): void {
    this.#engine?.port.postMessage(command);
    this.#wake();
  }

  protected acknowledge(): void {
    Atomics.add(this.#cells, ACKNOWLEDGED, 1);
  }

  protected async shutDown(): Promise<void> {
    const engine = this.#engine;
    if (engine === undefined) return;
    this.#stop();
    // Requests that still wait for the start go on, to learn that the data plane is closed.
    engine.ready.resolve();
    await engine.exited;
  }

  #launch(): Engine {
    const { port1: port, port2: workerPort } = new MessageChannel();
    Atomics.store(this.#cells, WAKE_HANDLE, NO_HANDLE);
    const start: WorkerStart = { port: workerPort, shared: this.#cells.buffer as SharedArrayBuffer };
    const worker = startWorker(start, this.#workerUrl);
    const ready = Promise.withResolvers<void>();
    const exited = Promise.withResolvers<void>();
    const engine: Engine = { port, ready, exited: exited.promise };
    process.once('exit', this.#onProcessExit);
    // Whoever called start() or a request hears of the failure; nobody else has to.
    ready.promise.catch(() => undefined);

    const gone = (reason: string): void => {
      ready.reject(new Error(`The data plane's thread does not start (${reason}): reinstall Culvert, or report this.`));
      this.#letGo();
      this.fail(reason);
    };
    port.on('message', (message: WorkerMessage) => {
      switch (message.kind) {
        case 'ready':
          ready.resolve();
          return;
        case 'batch':
          for (const each of message.messages) this.receive(each);
          return;
        case 'failed':
          gone(message.reason);
      }
    });
    worker.on('error', (error) => gone(error instanceof Error ? error.message : String(error)));
    worker.on('exit', (code) => {
      gone(`its thread ended with code ${code}`);
      port.close();
      process.removeListener('exit', this.#onProcessExit);
      exited.resolve();
    });
    return engine;
  }

  /** Has the worker finish what was posted and end. */
  #stop(): void {
    if (this.#released) return;
    Atomics.store(this.#cells, WANTED, STOP);
    this.#wake();
    this.#letGo();
  }

  #wake(): void {
    const handle = Atomics.load(this.#cells, WAKE_HANDLE);
    if (!this.#released && handle !== NO_HANDLE) wakePoller(handle);
  }

  /** No wake-up after this: the worker may close its poller. */
  #letGo(): void {
    this.#released = true;
    Atomics.store(this.#cells, WANTED, LET_GO);
    Atomics.notify(this.#cells, WANTED);
  }
}

/** Starts the worker thread; `url` where the program was bundled. */
function startWorker(start: WorkerStart, url: URL = new URL('./worker.ts', import.meta.url)): Worker {
  // The program's own options of Node, such as --input-type, are not for the worker.
  return new Worker(url, { name: 'data-plane', workerData: start, transferList: [start.port], execArgv: [] });
}
