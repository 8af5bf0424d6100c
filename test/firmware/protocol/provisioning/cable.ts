/** Both ends of a transfer with a cable between them that may be bad, in virtual time. */
import {
  decodeResult,
  FrameReader,
  type Ready,
  type TransferResult,
} from '../../../../firmware/protocol/provisioning/frames.ts';
import { Receiver } from '../../../../firmware/protocol/provisioning/receiver.ts';
import { Sender } from '../../../../firmware/protocol/provisioning/sender.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';

/** Probabilities for each octet, 0..1. */
export interface Cable {
  readonly lost: number;
  readonly changed: number;
  readonly doubled: number;
}

export const GOOD: Cable = { lost: 0, changed: 0, doubled: 0 };

export const READY: Ready = { hostname: 'branch-12', version: '0.1.0', device: 'a key' };

/** A millisecond for each chunk that passes; nothing is faster. */
const CHUNK_MS = 1;
/** Longer than any of the time-outs together. */
const MOST_MS = 3_600_000;

export class TransferBench {
  now = 0;
  readonly random: SeededRandom;
  readonly sender: Sender;
  receiver: Receiver | undefined;
  /** What the router's end handed on, each time. */
  readonly bundles: Uint8Array[] = [];
  readonly senderSaid: string[] = [];
  result: TransferResult | undefined;
  failed: string | undefined;
  /** Why the router's end ended; `'free'` when the result was seen or told often enough. */
  ended: string | undefined;
  acknowledged = 0;
  pulled = false;
  /** Asked after each acknowledgement that the sender has seen. */
  pullAfter: number | undefined;
  answer: TransferResult = { ok: true, lines: ['revision 1 is in force'] };
  readonly #cable: Cable;
  #mark = '';

  constructor(
    bundle: Uint8Array,
    cable: Cable,
    seed: number,
    refuses: (ready: Ready) => string | undefined = () => undefined,
  ) {
    this.#cable = cable;
    this.random = new SeededRandom(seed);
    this.sender = new Sender(bundle, refuses, 0);
  }

  /** Until both ends are at rest, or the time is over. */
  run(): this {
    for (;;) {
      this.#settle();
      const deadlines = [this.sender.nextDeadline(), this.receiver?.nextDeadline()].filter((at) => at !== undefined);
      if (deadlines.length === 0 || this.now > MOST_MS) return this;
      this.now = Math.max(this.now, Math.min(...deadlines));
      this.sender.tick(this.now);
      this.receiver?.tick(this.now);
    }
  }

  #settle(): void {
    for (let busy = true; busy; ) {
      busy = false;
      for (let output = this.sender.poll(); output !== undefined; output = this.sender.poll()) {
        busy = true;
        if (output.kind === 'send') this.#toRouter(output.octets);
        else if (output.kind === 'progress') {
          this.acknowledged = output.octets;
          if (this.pullAfter !== undefined && output.octets >= this.pullAfter) this.pulled = true;
        } else if (output.kind === 'result') this.result = output.result;
        else if (output.kind === 'failed') this.failed = output.reason;
      }
      for (let output = this.receiver?.poll(); output !== undefined; output = this.receiver?.poll()) {
        busy = true;
        if (output.kind === 'send') this.#toLaptop(output.octets);
        else if (output.kind === 'bundle') {
          this.bundles.push(output.octets);
          this.receiver?.finished(this.answer, this.now);
        } else {
          this.ended = output.reason ?? 'free';
          this.receiver = undefined;
        }
      }
    }
  }

  #toRouter(octets: Uint8Array): void {
    const came = this.#pass(octets);
    const text = Buffer.from(came).toString('latin1');
    this.#mark = (this.#mark + text).slice(-200);
    // As the console does, which has tests of its own.
    if (this.receiver === undefined && /culvert-provision\/1[\r\n]/.test(this.#mark)) {
      this.#mark = '';
      this.ended = undefined;
      this.receiver = new Receiver(READY, this.now);
    } else this.receiver?.octets(came, this.now);
  }

  #toLaptop(octets: Uint8Array): void {
    this.sender.octets(this.#pass(octets), this.now);
  }

  #pass(octets: Uint8Array): Uint8Array {
    this.now += CHUNK_MS;
    if (this.pulled) return new Uint8Array();
    const { lost, changed, doubled } = this.#cable;
    const out: number[] = [];
    for (const octet of octets) {
      if (this.random.next() < lost) continue;
      const came = this.random.next() < changed ? octet ^ (1 << this.random.int(8)) : octet;
      out.push(came);
      if (this.random.next() < doubled) out.push(came);
    }
    return Uint8Array.from(out);
  }
}

/** Frames in what an end has sent. */
export function frameTypes(octets: Uint8Array): string {
  return new FrameReader()
    .take(octets)
    .map((frame) => (frame === 'garbled' ? '?' : frame.type))
    .join('');
}

export { decodeResult };
