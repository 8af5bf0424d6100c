/** The technician's end of a transfer: calls the router, sends block after block, each once the one before is acknowledged. */
import { createHash } from 'node:crypto';
import type { Instant, Machine } from '../machine.ts';
import {
  BLOCK_OCTETS,
  decodeJson,
  decodeResult,
  encodeFrame,
  encodeJson,
  type Frame,
  FrameReader,
  type FrameType,
  type Header,
  NOT_HERE,
  type Ready,
  START_MARK,
  type TransferResult,
} from './frames.ts';

/** How often the router is called, ms, and how many times: it may still be booting. */
const CALL_EVERY_MS = 2000;
const CALLS = 15;
/** How long an acknowledgement may take, ms, and how often a block is sent at most. */
const ACKNOWLEDGE_MS = 2000;
const TRIES = 10;
/** How long it may take until the configuration is in force, ms. */
const RESULT_MS = 180_000;
/** How often a router may begin anew in the middle: it was restarted, or somebody typed the mark. */
const RESTARTS = 3;

export type SenderOutput =
  | { readonly kind: 'send'; readonly octets: Uint8Array }
  | { readonly kind: 'ready'; readonly ready: Ready }
  /** So much of it is acknowledged. */
  | { readonly kind: 'progress'; readonly octets: number; readonly total: number }
  | { readonly kind: 'result'; readonly result: TransferResult }
  /** There is no answer of the router's; one sentence without a full stop. */
  | { readonly kind: 'failed'; readonly reason: string };

export class Sender implements Machine<SenderOutput> {
  readonly #bundle: Uint8Array;
  readonly #refuses: (ready: Ready) => string | undefined;
  readonly #reader = new FrameReader();
  readonly #outputs: SenderOutput[] = [];
  /** -1: it is called. 0: the header. 1 and up: blocks. One behind the last: that was all. */
  #sequence = -1;
  #tries = 0;
  #restarts = 0;
  /** All was acknowledged. */
  #waits = false;
  #over = false;
  #deadline: Instant | undefined;

  /** @param refuses says why a router must not get the bundle, if so. */
  constructor(bundle: Uint8Array, refuses: (ready: Ready) => string | undefined, now: Instant) {
    this.#bundle = bundle;
    this.#refuses = refuses;
    this.#transmit(now);
  }

  octets(octets: Uint8Array, now: Instant): void {
    for (const frame of this.#reader.take(octets)) if (frame !== 'garbled' && !this.#over) this.#frame(frame, now);
  }

  /** The person has had enough. */
  cancel(): void {
    if (this.#over) return;
    if (!this.#waits) this.#send('X', 0);
    this.#leave('it was broken off', 'send it again');
  }

  /** There is no line any more. @param how this was seen. */
  lost(how: string): void {
    if (!this.#over) this.#leave(`the cable was pulled (${how})`, 'plug it in and send it again');
  }

  tick(now: Instant): void {
    if (this.#deadline === undefined || now < this.#deadline) return;
    if (this.#waits) {
      this.#fail(
        'the router has the whole bundle and does not say what came of it: look at "show history" on its console',
      );
    } else if (this.#sequence < 0 && this.#tries >= CALLS) {
      this.#fail(
        'the router does not answer: check the cable and the device, wait until it has booted, and close other programs there',
      );
    } else if (this.#sequence >= 0 && this.#tries >= TRIES) {
      this.#leave('the router has fallen silent', 'check the cable and send it again');
    } else this.#transmit(now);
  }

  nextDeadline(): Instant | undefined {
    return this.#deadline;
  }

  poll(): SenderOutput | undefined {
    return this.#outputs.shift();
  }

  get #blocks(): number {
    return Math.ceil(this.#bundle.length / BLOCK_OCTETS);
  }

  #frame({ type, sequence, payload }: Frame, now: Instant): void {
    if (type === 'R') this.#ready(payload, now);
    else if (type === 'O' || type === 'F') {
      // What an earlier transfer came to is none of ours.
      if (type === 'O' ? this.#sequence <= this.#blocks : this.#sequence < 0 && sequence !== NOT_HERE) return;
      this.#send('K', sequence);
      this.#finish({ kind: 'result', result: decodeResult(type, payload) });
    } else if (this.#waits || sequence !== this.#sequence) return;
    else if (type === 'A') this.#acknowledged(now);
    else if (type === 'N' && this.#tries < TRIES) this.#transmit(now);
  }

  #ready(payload: Uint8Array, now: Instant): void {
    if (this.#waits) return;
    // The header was lost: its time-out is near.
    if (this.#sequence === 0) return;
    const ready = readyOf(payload);
    const refusal =
      ready === undefined ? 'it speaks another protocol: use the same version of Culvert' : this.#refuses(ready);
    this.#restarts += 1;
    if (ready === undefined || refusal !== undefined || this.#restarts > RESTARTS) {
      this.#send('X', 0);
      this.#fail(refusal ?? 'the router begins anew again and again, and nothing was changed: look at its console');
      return;
    }
    this.#outputs.push({ kind: 'ready', ready });
    this.#go(0, now);
  }

  #acknowledged(now: Instant): void {
    const blocks = this.#blocks;
    const octets = Math.min(this.#bundle.length, this.#sequence * BLOCK_OCTETS);
    if (this.#sequence <= blocks) {
      this.#outputs.push({ kind: 'progress', octets, total: this.#bundle.length });
      this.#go(this.#sequence + 1, now);
    } else {
      this.#waits = true;
      this.#deadline = now + RESULT_MS;
    }
  }

  #go(sequence: number, now: Instant): void {
    this.#sequence = sequence;
    this.#tries = 0;
    this.#transmit(now);
  }

  /** Sends what is due, once more if need be. */
  #transmit(now: Instant): void {
    this.#tries += 1;
    this.#deadline = now + (this.#sequence < 0 ? CALL_EVERY_MS : ACKNOWLEDGE_MS);
    const at = (this.#sequence - 1) * BLOCK_OCTETS;
    if (this.#sequence < 0) {
      this.#outputs.push({ kind: 'send', octets: Buffer.from(`\r${START_MARK}\r`, 'latin1') });
    } else if (this.#sequence === 0) {
      const sha256 = createHash('sha256').update(this.#bundle).digest('hex');
      const header: Header = { octets: this.#bundle.length, sha256 };
      this.#send('H', 0, encodeJson(header));
    } else if (this.#sequence > this.#blocks) this.#send('E', this.#sequence);
    else this.#send('D', this.#sequence, this.#bundle.subarray(at, at + BLOCK_OCTETS));
  }

  /** Before the router was told that this was all, it does nothing with what it has. @param remedy then. */
  #leave(what: string, remedy: string): void {
    const look = 'look at "show history" on its console';
    if (this.#waits) this.#fail(`${what}, and the router has the whole bundle and goes on: ${look}`);
    else if (this.#sequence > this.#blocks)
      this.#fail(`${what}, and whether the router has the whole bundle is not known: ${look}`);
    else this.#fail(`${what}, and nothing was changed: ${remedy}`);
  }

  #fail(reason: string): void {
    this.#finish({ kind: 'failed', reason });
  }

  #finish(output: SenderOutput): void {
    this.#over = true;
    this.#deadline = undefined;
    this.#outputs.push(output);
  }

  #send(type: FrameType, sequence: number, payload?: Uint8Array): void {
    this.#outputs.push({ kind: 'send', octets: encodeFrame(type, sequence, payload) });
  }
}

function readyOf(payload: Uint8Array): Ready | undefined {
  const { hostname, version, device } = decodeJson(payload) ?? {};
  if (typeof hostname !== 'string' || typeof version !== 'string' || typeof device !== 'string') return undefined;
  return { hostname, version, device };
}
