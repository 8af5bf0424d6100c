/**
 * One capture: from the sources to a stream of pcapng. It has the control thread now and then, and little of it each time:
 * what a reader gets passes this thread in any case, and a thread of its own would cost a small board more memory than a
 * capture is worth; the thread of the data plane has packets to carry. What comes faster than that is lost, and counted.
 */
import type { Clock, Timer } from '../../../hal/clock.ts';
import { CAPTURE_HEADROOM, newCapturedFrame, type PacketCapture } from '../../../hal/packet-capture.ts';
import type { CaptureLimits } from './capture-limits.ts';
import {
  enhancedPacket,
  enhancedPacketOctets,
  interfaceDescription,
  interfaceStatistics,
  sectionHeader,
} from './pcapng-writer.ts';

/** Time between two turns, ms. */
export const TURN_MS = 10;

/**
 * A turn ends after so many packets, or so many ms: a tenth or so of the thread at most. On an amd64 machine of two cores that
 * was 100 packets of 1,300 octets in a turn, 10,000 a second; on a slower board it is less.
 */
export const MOST_PACKETS = 256;
const MOST_MS = 1;

/** Octets that may wait for the reader. While there are more nothing is taken, and what the kernel cannot keep is lost. */
export const MAX_BACKLOG = 1024 * 1024;

/** Octets that are kept for what ends the file, for each source: a comment and five numbers. */
const ENDING_OCTETS = 256;

/** Why a capture has ended. */
export type CaptureEndReason = 'stopped' | 'seconds' | 'packets' | 'octets' | 'gone' | 'failed';

export const END_WORDS: Readonly<Record<CaptureEndReason, string>> = {
  stopped: 'it was stopped',
  seconds: 'the time is over',
  packets: 'that was as many packets as were wanted',
  octets: 'that was as much as was wanted',
  gone: 'the interface is gone',
  failed: 'the packets could not be read any more',
};

export interface CaptureEnd {
  readonly reason: CaptureEndReason;
  /** Packets in the file. */
  readonly packets: number;
  /** Packets that passed and are not in the file, because they came faster than they were taken. */
  readonly lost: number;
  /** Octets of the file. */
  readonly octets: number;
}

/** Who reads the stream. */
export interface CaptureSink {
  /** Octets that wait for the reader. */
  readonly backlog: number;
  /** The next blocks of the file, whole ones. */
  write(blocks: Uint8Array): void;
  /** All has been written. */
  end(end: CaptureEnd): void;
}

export interface CaptureSource {
  readonly capture: PacketCapture;
  /** In words, for the file. */
  readonly description: string;
}

export interface CaptureRunParts {
  /** Closed at the end. At least one. */
  readonly sources: readonly CaptureSource[];
  /** Which packets are wanted; absent: all. */
  readonly wanted?: (link: PacketCapture['link'], bytes: Uint8Array, originalLength: number) => boolean;
  readonly limits: CaptureLimits;
  readonly clock: Clock;
  readonly sink: CaptureSink;
  /** Name and version of who writes the file. */
  readonly application: string;
  /** Called once, when the capture has ended, however it did. */
  readonly onEnd: (end: CaptureEnd) => void;
}

interface Counted extends CaptureSource {
  readonly id: number;
  /** Out of the kernel, wanted or not. */
  taken: number;
  delivered: number;
}

export class CaptureRun {
  readonly #parts: CaptureRunParts;
  readonly #sources: readonly Counted[];
  readonly #into: Uint8Array;
  readonly #frame = newCapturedFrame();
  readonly #startWall: bigint;
  readonly #deadline: number;
  #blocks: Uint8Array[] = [];
  #octets = 0;
  #packets = 0;
  #timer: Timer | undefined;
  #ended = false;

  /** Begins at once: the sink has the beginning of the file when this returns. */
  constructor(parts: CaptureRunParts) {
    this.#parts = parts;
    this.#sources = parts.sources.map((source, id) => ({ ...source, id, taken: 0, delivered: 0 }));
    this.#into = new Uint8Array(parts.limits.snap + CAPTURE_HEADROOM);
    this.#startWall = this.#wallNow();
    this.#deadline = parts.clock.now() + parts.limits.seconds * 1000;
    this.#put(sectionHeader(parts.application));
    for (const { capture, description } of parts.sources) {
      const { link, device: name } = capture;
      this.#put(interfaceDescription({ link, name, description, snapLength: parts.limits.snap }));
    }
    this.#flush();
    this.#later();
  }

  /** Ends the file as it should end. Harmless when it has ended. */
  stop(): void {
    this.#finish('stopped');
  }

  /** Nobody reads any more. */
  abandon(): void {
    if (this.#ended) return;
    this.#close();
    this.#parts.onEnd(this.#summary('stopped', 0));
  }

  #later(): void {
    const { clock } = this.#parts;
    this.#timer = clock.setTimer(Math.min(clock.now() + TURN_MS, this.#deadline), () => this.#turn());
  }

  #turn(): void {
    const { clock, sink } = this.#parts;
    try {
      const reason = sink.backlog > MAX_BACKLOG ? undefined : this.#take();
      const over = clock.now() >= this.#deadline ? 'seconds' : undefined;
      if (reason ?? over) this.#finish(reason ?? over ?? 'seconds');
      else this.#later();
    } catch {
      // The source's words are for a log, and the file can end as it should.
      this.#finish('failed');
    }
  }

  /** Takes what there is, as far as a turn goes. @returns why nothing more is to be taken. */
  #take(): CaptureEndReason | undefined {
    const until = this.#parts.clock.now() + MOST_MS;
    let left = MOST_PACKETS;
    let reason: CaptureEndReason | undefined;
    for (const source of this.#sources) {
      while (reason === undefined && left > 0 && this.#parts.clock.now() <= until) {
        if (!source.capture.take(this.#into, this.#frame)) break;
        left -= 1;
        reason = this.#taken(source);
      }
    }
    this.#flush();
    return reason ?? (this.#sources.every(({ capture }) => capture.gone) ? 'gone' : undefined);
  }

  #taken(source: Counted): CaptureEndReason | undefined {
    const { limits, wanted } = this.#parts;
    const { offset, length, originalLength, time, direction } = this.#frame;
    source.taken += 1;
    const bytes = this.#into.subarray(offset, offset + Math.min(length, limits.snap));
    if (wanted?.(source.capture.link, bytes, originalLength) === false) return undefined;
    const ending = ENDING_OCTETS * this.#sources.length;
    if (this.#octets + enhancedPacketOctets(bytes.length) + ending > limits.octets) return 'octets';
    this.#put(enhancedPacket({ interfaceId: source.id, time, originalLength, direction }, bytes));
    source.delivered += 1;
    this.#packets += 1;
    return this.#packets >= limits.packets ? 'packets' : undefined;
  }

  #finish(reason: CaptureEndReason): void {
    if (this.#ended) return;
    // What passed until now belongs to a capture that was not told to end sooner.
    const whole = reason === 'stopped' || reason === 'seconds' || reason === 'gone';
    const further = whole && this.#parts.sink.backlog <= MAX_BACKLOG ? this.#lastTurn() : undefined;
    const end = further ?? reason;
    const full = end === 'packets' || end === 'octets';
    let lost = 0;
    for (const source of this.#sources) {
      const { passed, lost: missed } = source.capture.statistics();
      const dropped = full ? missed : Math.max(0, passed - source.taken);
      lost += dropped;
      const { id: interfaceId, delivered } = source;
      const times = { start: this.#startWall, end: this.#wallNow() };
      const comment = `The capture has ended: ${END_WORDS[end]}.`;
      this.#put(interfaceStatistics({ interfaceId, ...times, received: passed, dropped, delivered, comment }));
    }
    this.#flush();
    this.#close();
    const summary = this.#summary(end, lost);
    this.#parts.sink.end(summary);
    this.#parts.onEnd(summary);
  }

  /** @returns `undefined` unless it fills the file. */
  #lastTurn(): CaptureEndReason | undefined {
    try {
      const reason = this.#take();
      return reason === 'packets' || reason === 'octets' ? reason : undefined;
    } catch {
      return 'failed';
    }
  }

  #close(): void {
    this.#ended = true;
    this.#timer?.cancel();
    for (const { capture } of this.#sources) capture.close();
  }

  #summary(reason: CaptureEndReason, lost: number): CaptureEnd {
    return { reason, packets: this.#packets, lost, octets: this.#octets };
  }

  #put(block: Uint8Array): void {
    this.#blocks.push(block);
    this.#octets += block.length;
  }

  #flush(): void {
    if (this.#blocks.length > 0) this.#parts.sink.write(Buffer.concat(this.#blocks));
    this.#blocks = [];
  }

  #wallNow(): bigint {
    return BigInt(Math.floor(this.#parts.clock.wall())) * 1_000_000n;
  }
}
