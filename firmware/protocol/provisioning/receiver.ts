/** The router's end of a transfer: a bundle comes in blocks, each acknowledged, and is handed on once it is whole. */
import { createHash } from 'node:crypto';
import type { Instant, Machine } from '../machine.ts';
import {
  decodeJson,
  encodeFrame,
  encodeJson,
  type Frame,
  FrameReader,
  type FrameType,
  type Header,
  MAX_BUNDLE,
  type Ready,
  resultPayload,
  type TransferResult,
} from './frames.ts';

/** How often it says that it is ready, ms, and how long until it gives up that anybody is there. */
const READY_EVERY_MS = 2000;
const READY_MS = 20_000;
/** Silence that ends a transfer, ms. */
const SILENCE_MS = 20_000;
/** How often it tells the result, ms, and how many times at most. */
const RESULT_EVERY_MS = 1000;
const RESULT_TRIES = 5;

const INTERRUPT = 3;

export type ReceiverOutput =
  | { readonly kind: 'send'; readonly octets: Uint8Array }
  /** It is whole and undamaged; nothing is known of what is in it. {@link Receiver.finished} is to be called. */
  | { readonly kind: 'bundle'; readonly octets: Uint8Array }
  /** The line is free again. With words when nothing came of it, one sentence without a full stop. */
  | { readonly kind: 'end'; readonly reason?: string };

type State =
  | { readonly kind: 'ready'; readonly until: Instant }
  | { readonly kind: 'receiving'; readonly header: Header; readonly blocks: Uint8Array[]; octets: number }
  | { readonly kind: 'judging'; readonly last: number }
  | { readonly kind: 'answering'; readonly last: number; readonly result: TransferResult; tries: number }
  | { readonly kind: 'over' };

export class Receiver implements Machine<ReceiverOutput> {
  readonly #ready: Ready;
  readonly #reader = new FrameReader();
  readonly #outputs: ReceiverOutput[] = [];
  #state: State;
  #deadline: Instant | undefined;

  /** Somebody has sent the start mark. */
  constructor(ready: Ready, now: Instant) {
    this.#ready = ready;
    this.#state = { kind: 'ready', until: now + READY_MS };
    this.#sayReady(now);
  }

  octets(octets: Uint8Array, now: Instant): void {
    let rest = octets;
    for (let at = rest.indexOf(INTERRUPT); at >= 0; at = rest.indexOf(INTERRUPT)) {
      this.#frames(rest.subarray(0, at), now);
      // Within a frame it is noise: one bit makes it out of a C.
      if (!this.#reader.withinFrame && this.#interrupted()) return;
      this.#frames(rest.subarray(at, at + 1), now);
      rest = rest.subarray(at + 1);
    }
    this.#frames(rest, now);
  }

  /** What came of the bundle. */
  finished(result: TransferResult, now: Instant): void {
    if (this.#state.kind === 'judging') this.#answer(result, this.#state.last, now);
  }

  tick(now: Instant): void {
    if (this.#deadline === undefined || now < this.#deadline) return;
    this.#deadline = undefined;
    const state = this.#state;
    if (state.kind === 'ready') {
      if (now >= state.until) this.#end('nothing was sent');
      else this.#sayReady(now);
    } else if (state.kind === 'receiving') this.#end('the other end has fallen silent');
    else if (state.kind === 'answering') {
      if (state.tries >= RESULT_TRIES) this.#end();
      else this.#sayResult(state, now);
    }
  }

  nextDeadline(): Instant | undefined {
    return this.#deadline;
  }

  poll(): ReceiverOutput | undefined {
    return this.#outputs.shift();
  }

  /** @returns whether that ends it: what is being put in force is not interrupted. */
  #interrupted(): boolean {
    const { kind } = this.#state;
    if (kind === 'judging') return false;
    if (kind !== 'over') this.#end(kind === 'answering' ? undefined : 'it was broken off');
    return true;
  }

  #frames(octets: Uint8Array, now: Instant): void {
    for (const frame of this.#reader.take(octets)) {
      if (frame !== 'garbled') this.#frame(frame, now);
      else if (this.#state.kind === 'receiving') this.#send('N', this.#state.blocks.length + 1);
    }
  }

  #frame(frame: Frame, now: Instant): void {
    const state = this.#state;
    if (state.kind === 'ready') {
      if (frame.type === 'H') this.#header(frame, now);
      else if (frame.type === 'X') this.#end('it was broken off');
    } else if (state.kind === 'receiving') this.#block(state, frame, now);
    else if (state.kind === 'judging') {
      if (frame.type === 'E') this.#send('A', state.last);
    } else if (state.kind === 'answering' && frame.type === 'K') this.#end();
  }

  #header(frame: Frame, now: Instant): void {
    const { octets, sha256 } = decodeJson(frame.payload) ?? {};
    if (typeof octets !== 'number' || !Number.isInteger(octets) || octets < 1 || typeof sha256 !== 'string') {
      this.#answer({ ok: false, lines: ['it is not said what is to come: use the same version of Culvert'] }, 0, now);
    } else if (octets > MAX_BUNDLE) {
      const lines = [`the bundle has ${octets} octets, and ${MAX_BUNDLE} are the most: make a smaller one`];
      this.#answer({ ok: false, lines }, 0, now);
    } else {
      this.#state = { kind: 'receiving', header: { octets, sha256 }, blocks: [], octets: 0 };
      this.#heard(now);
      this.#send('A', 0);
    }
  }

  #block(state: State & { readonly kind: 'receiving' }, { type, sequence, payload }: Frame, now: Instant): void {
    const wanted = state.blocks.length + 1;
    this.#heard(now);
    if (type === 'X') this.#end('it was broken off');
    else if ((type === 'H' && wanted === 1) || (type === 'D' && sequence < wanted)) this.#send('A', sequence);
    else if (type !== 'D' && type !== 'E') return;
    else if (sequence !== wanted) this.#send('N', wanted);
    else if (type === 'E') this.#whole(state, sequence, now);
    else if (payload.length === 0 || state.octets + payload.length > state.header.octets) {
      this.#answer(
        { ok: false, lines: ['other blocks came than were announced, and nothing was changed'] },
        sequence,
        now,
      );
    } else {
      state.blocks.push(payload);
      state.octets += payload.length;
      this.#send('A', sequence);
    }
  }

  #whole({ header, blocks }: State & { readonly kind: 'receiving' }, sequence: number, now: Instant): void {
    const octets = Uint8Array.from(Buffer.concat(blocks));
    if (octets.length !== header.octets || createHash('sha256').update(octets).digest('hex') !== header.sha256) {
      const lines = ['the bundle did not arrive as it was sent, and nothing was changed: send it again'];
      this.#answer({ ok: false, lines }, sequence, now);
      return;
    }
    this.#state = { kind: 'judging', last: sequence };
    this.#deadline = undefined;
    this.#send('A', sequence);
    this.#outputs.push({ kind: 'bundle', octets });
  }

  #answer(result: TransferResult, last: number, now: Instant): void {
    const state = { kind: 'answering', last, result, tries: 0 } as const;
    this.#state = state;
    this.#sayResult(this.#state as State & { readonly kind: 'answering' }, now);
  }

  #sayResult(state: State & { readonly kind: 'answering' }, now: Instant): void {
    state.tries += 1;
    this.#deadline = now + RESULT_EVERY_MS;
    this.#send(state.result.ok ? 'O' : 'F', state.last, resultPayload(state.result));
  }

  #sayReady(now: Instant): void {
    this.#deadline = now + READY_EVERY_MS;
    this.#send('R', 0, encodeJson(this.#ready));
  }

  #heard(now: Instant): void {
    this.#deadline = now + SILENCE_MS;
  }

  #end(reason?: string): void {
    this.#state = { kind: 'over' };
    this.#deadline = undefined;
    this.#outputs.push({ kind: 'end', ...(reason === undefined ? {} : { reason }) });
  }

  #send(type: FrameType, sequence: number, payload?: Uint8Array): void {
    this.#outputs.push({ kind: 'send', octets: encodeFrame(type, sequence, payload) });
  }
}
