/** What the store's thread can be asked, by name. */
import type { TrafficChunk } from '../traffic/traffic-chunks.ts';
import type { SavedTraffic, TrafficDatabase, TrafficMark } from '../traffic/traffic-database.ts';
import type { Author } from './revision.ts';
import type { StoreCore } from './store-core.ts';
import type {
  BeginRequest,
  CandidateAnswer,
  CandidateChange,
  CandidateMatch,
  Reference,
  Source,
  Written,
} from './store-types.ts';
import { writeTrouble } from './write-trouble.ts';

/** The whole of it; the client has the same methods, asynchronous. */
export function storeMethods(core: StoreCore, traffic: TrafficDatabase) {
  return {
    open: () => core.open(),
    prepare: (source: Source) => core.prepare(source),
    begin: (request: BeginRequest) => core.begin(request),
    confirm: (id: number, at: number, text: string) => core.confirm(id, at, text),
    revert: (id: number, reason: string, at: number, text: string) => core.revert(id, reason, at, text),
    history: () => core.history(),
    note: (at: number, text: string) => core.note(at, text),
    compare: (from: Reference, to: Reference) => core.compare(from, to),
    candidate: (): CandidateAnswer => core.draft((draft) => draft.view()),
    editCandidate: (change: CandidateChange, author: Author, base: number, at: number): CandidateAnswer =>
      core.draft((draft, running) => draft.edit(change, author, { base, at, running })),
    discardCandidate: (author: Author, takeover: boolean, match?: CandidateMatch): CandidateAnswer =>
      core.draft((draft) => draft.discard(author, takeover, match)),
    removeCandidate: (etag: string): void => {
      core.draft((draft) => draft.remove(etag));
    },
    loadTraffic: (): { readonly ok: true; readonly saved: SavedTraffic } | (Written & { readonly ok: false }) =>
      attempt(() => ({ ok: true, saved: traffic.load() })),
    flushTraffic: (chunks: readonly TrafficChunk[], mark: TrafficMark): Written =>
      attempt(() => {
        traffic.flush(chunks, mark);
        return { ok: true };
      }),
    close: () => {
      core.close();
      traffic.close();
    },
  };
}

function attempt<T>(task: () => T): T | (Written & { readonly ok: false }) {
  try {
    return task();
  } catch (error) {
    return { ok: false, ...writeTrouble(error) };
  }
}

export type StoreMethods = ReturnType<typeof storeMethods>;
export type StoreMethodName = keyof StoreMethods;

/** Calls a method by its name. */
export function answerer(
  core: StoreCore,
  traffic: TrafficDatabase,
): (method: StoreMethodName, parameters: readonly unknown[]) => unknown {
  const methods: Readonly<Record<string, (...parameters: never[]) => unknown>> = storeMethods(core, traffic);
  return (method, parameters) => {
    const call = Object.hasOwn(methods, method) ? methods[method] : undefined;
    if (call === undefined) throw new Error(`The store cannot ${method}.`);
    return Reflect.apply(call, undefined, parameters);
  };
}
