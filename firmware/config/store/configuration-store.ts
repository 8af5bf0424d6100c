/** The store as the control thread sees it: every method is a question to the worker thread that owns the database. */
import { Worker } from 'node:worker_threads';
import { bareRecords } from './bare-records.ts';
import type { StartStore, StoreAnswer, StoreQuestion, StoreWorkerData } from './store-link.ts';
import type { StoreMethodName, StoreMethods } from './store-methods.ts';
import type { OpenReport, Prepared } from './store-types.ts';

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

type Asynchronous<Method> = Method extends (...parameters: infer Parameters) => infer Result
  ? (...parameters: Parameters) => Promise<Awaited<Result>>
  : never;

type Asked = { readonly [Name in StoreMethodName]: Asynchronous<StoreMethods[Name]> };

/** Rejects only when the thread is gone or made a mistake; what can go wrong with a disk is in the answers. */
export class ConfigurationStore implements Asked {
  readonly #data: StoreWorkerData;
  readonly #waiting = new Map<number, Waiting>();
  readonly #start: StartStore;
  /** Takes questions; absent until the first. */
  #post: ((question: StoreQuestion) => void) | undefined;
  #closed: Promise<void> | undefined;
  #nextId = 1;
  /** Why there is no thread any more. */
  #gone: string | undefined;

  /** @param start default: a worker thread. */
  constructor(data: StoreWorkerData, start: StartStore = startThread) {
    this.#data = data;
    this.#start = start;
  }

  /** Starts the thread. @throws Error in words when there can be no store in the state directory. */
  readonly open: Asked['open'] = async () => {
    const report = await this.#ask('open', []);
    const { confirmed } = report;
    if (confirmed === undefined) return report;
    const revived: OpenReport = {
      ...report,
      confirmed: { ...confirmed, configuration: bareRecords(confirmed.configuration) },
    };
    return revived;
  };

  readonly prepare: Asked['prepare'] = async (source): Promise<Prepared> => {
    const prepared = await this.#ask('prepare', [source]);
    return prepared.ok ? { ...prepared, configuration: bareRecords(prepared.configuration) } : prepared;
  };

  readonly compare: Asked['compare'] = async (from, to) => {
    const compared = await this.#ask('compare', [from, to]);
    return compared.ok ? { ...compared, from: bareRecords(compared.from), to: bareRecords(compared.to) } : compared;
  };

  readonly begin: Asked['begin'] = (...parameters) => this.#ask('begin', parameters);
  readonly confirm: Asked['confirm'] = (...parameters) => this.#ask('confirm', parameters);
  readonly revert: Asked['revert'] = (...parameters) => this.#ask('revert', parameters);
  readonly history: Asked['history'] = () => this.#ask('history', []);
  readonly note: Asked['note'] = (...parameters) => this.#ask('note', parameters);
  readonly candidate: Asked['candidate'] = () => this.#ask('candidate', []);
  readonly editCandidate: Asked['editCandidate'] = (...parameters) => this.#ask('editCandidate', parameters);
  readonly discardCandidate: Asked['discardCandidate'] = (...parameters) => this.#ask('discardCandidate', parameters);
  readonly removeCandidate: Asked['removeCandidate'] = (...parameters) => this.#ask('removeCandidate', parameters);
  readonly loadTraffic: Asked['loadTraffic'] = () => this.#ask('loadTraffic', []);
  readonly flushTraffic: Asked['flushTraffic'] = (...parameters) => this.#ask('flushTraffic', parameters);

  /** Ends the thread. Harmless when there is none. */
  readonly close: Asked['close'] = async () => {
    if (this.#post === undefined || this.#gone !== undefined) return;
    this.#closed ??= this.#ask('close', []);
    await this.#closed;
  };

  #ask<Name extends StoreMethodName>(
    method: Name,
    parameters: Parameters<StoreMethods[Name]>,
  ): Promise<Awaited<ReturnType<StoreMethods[Name]>>>;
  #ask(method: StoreMethodName, parameters: readonly unknown[]): Promise<unknown> {
    if (this.#gone !== undefined) return Promise.reject(new Error(this.#gone));
    this.#post ??= this.#start(
      this.#data,
      (answer) => this.#answered(answer),
      (why) => this.#end(why),
    );
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const id = this.#nextId++;
    this.#waiting.set(id, { resolve, reject });
    this.#post({ id, method, parameters });
    return promise;
  }

  #answered(answer: StoreAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if ('error' in answer) waiting?.reject(new Error(answer.error));
    else waiting?.resolve(answer.result);
  }

  #end(why: string): void {
    this.#gone ??= why;
    for (const { reject } of this.#waiting.values()) reject(new Error(this.#gone));
    this.#waiting.clear();
  }
}

const startThread: StartStore = (workerData, answered, gone) => {
  const worker = new Worker(new URL('./store-worker.ts', import.meta.url), { name: 'store', workerData, execArgv: [] });
  worker.on('message', answered);
  worker.on('error', (error) => gone(`The store's thread has failed: ${error.message}; restart the router.`));
  worker.on('exit', () => gone('The store is closed: start the router again.'));
  return (question) => worker.postMessage(question);
};
