import type { PppPhase } from './link-types.ts';

/** Frames kept at a time. A peer that is a phase ahead sends a few, and repeats them anyway. */
const MAX_KEPT_FRAMES = 8;

/**
 * Frames that came a moment too soon: before the link was started, before our Configure-Ack's answer, before the
 * Success of an authentication. They are taken again in the next phase, which saves the peer's restart interval.
 */
export class KeptFrames {
  #frames: Uint8Array[] = [];
  #phase: PppPhase = 'dead';

  /** Keeps a copy. @returns false when there is no room. */
  keep(frame: Uint8Array, phase: PppPhase): boolean {
    if (this.#frames.length >= MAX_KEPT_FRAMES) return false;
    this.#phase = phase;
    this.#frames.push(frame.slice());
    return true;
  }

  /** The frames, once the phase is another than the one they were kept in; none before. */
  take(phase: PppPhase): readonly Uint8Array[] {
    if (phase === this.#phase) return [];
    const frames = this.#frames;
    this.#frames = [];
    return frames;
  }
}
