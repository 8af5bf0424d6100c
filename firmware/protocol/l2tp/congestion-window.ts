/** Slow start and congestion avoidance of the control channel (RFC 2661 appendix A), counted in messages. */
export class CongestionWindow {
  /** The peer's Receive Window Size: CWND never exceeds it. */
  #advertised: number;
  #cwnd = 1;
  #ssthresh: number;
  /** Acknowledgements since CWND last grew, in congestion avoidance. */
  #acknowledgements = 0;
  #congested = false;

  /** @param advertised the peer's Receive Window Size, 1 or more. */
  constructor(advertised: number) {
    this.#advertised = advertised;
    this.#ssthresh = advertised;
  }

  /** Messages that may be outstanding, 1 or more. */
  get size(): number {
    return this.#cwnd;
  }

  /** Below it CWND grows by slow start. */
  get threshold(): number {
    return this.#ssthresh;
  }

  /** The peer told its Receive Window Size (SCCRQ, SCCRP). */
  advertise(window: number): void {
    this.#advertised = window;
    if (!this.#congested) this.#ssthresh = window;
    this.#cwnd = Math.min(this.#cwnd, window);
  }

  /** One acknowledgement came that covers something new, be it one message or several. */
  acknowledged(): void {
    if (this.#cwnd < this.#ssthresh) {
      this.#cwnd += 1;
    } else {
      this.#acknowledgements += 1;
      if (this.#acknowledgements < this.#cwnd) return;
      this.#acknowledgements = 0;
      this.#cwnd += 1;
    }
    this.#cwnd = Math.min(this.#cwnd, this.#advertised);
  }

  /** A retransmission was triggered: half of CWND is remembered, and slow start begins again. */
  retransmitted(): void {
    this.#congested = true;
    this.#ssthresh = Math.max(1, Math.floor(this.#cwnd / 2));
    this.#cwnd = 1;
    this.#acknowledgements = 0;
  }
}
