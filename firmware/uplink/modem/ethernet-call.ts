/** A call of a modem that has a network interface of its own: switched on by the modem, then an address by DHCP. */
import type { Clock, Timer } from '../../../hal/clock.ts';
import type { Failure } from '../../protocol/machine.ts';
import type { Backoff } from '../../vpn/backoff.ts';
import { internalFailure } from '../../vpn/steps.ts';
import { PppLineError } from '../ppp-line.ts';
import type { LinkView, UplinkLink } from '../uplink-types.ts';
import type { Metering } from './call-meter.ts';
import type { ModemEthernet } from './modem-line.ts';

export interface EthernetCallParts {
  readonly clock: Clock;
  readonly backoff: Backoff;
  /** @throws PppLineError */
  readonly dial: (signal: AbortSignal) => Promise<ModemEthernet>;
  readonly dhcp: (device: string) => UplinkLink;
  /** Counts what passes a device. */
  readonly meter: Metering<string>;
}

export class EthernetCall implements UplinkLink {
  onChange: (() => void) | undefined;
  readonly #parts: EthernetCallParts;
  #abort: AbortController | undefined;
  #call: ModemEthernet | undefined;
  #dhcp: UplinkLink | undefined;
  #failure: Failure | undefined;
  #running: Promise<void> | undefined;
  /** A call has ended, or there was none, and the next one is not dialled yet. */
  #waiting = false;
  #timer: Timer | undefined;
  #wake: (() => void) | undefined;

  constructor(parts: EthernetCallParts) {
    this.#parts = parts;
  }

  view(): LinkView {
    if (this.#abort === undefined) return { state: 'down', carrier: false, doing: '' };
    const told = this.#failure === undefined ? {} : { failure: this.#failure };
    if (this.#call === undefined) {
      return {
        state: this.#failure === undefined ? 'connecting' : 'failed',
        carrier: false,
        ...told,
        doing: this.#waiting ? 'waiting to dial again' : 'dialling',
      };
    }
    return this.#dhcp?.view() ?? { state: 'connecting', carrier: true, doing: '' };
  }

  start(): void {
    if (this.#abort !== undefined) return;
    const abort = new AbortController();
    this.#abort = abort;
    this.#failure = undefined;
    this.#waiting = false;
    const before = this.#running ?? Promise.resolve();
    this.#running = before.then(() => this.#run(abort.signal));
  }

  async stop(): Promise<void> {
    this.#abort?.abort();
    this.#abort = undefined;
    this.#wake?.();
    await this.#running;
  }

  parentReturned(): void {
    this.#wake?.();
    this.#dhcp?.parentReturned();
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#waiting = false;
      const failure = await this.#once(signal).catch((error: unknown) =>
        error instanceof PppLineError ? error.failure : internalFailure(error),
      );
      this.#waiting = true;
      this.#tell(signal, failure);
      if (!signal.aborted) await this.#pause(failure);
    }
  }

  /** One call from its beginning to its end. @returns why it ended. @throws PppLineError */
  async #once(signal: AbortSignal): Promise<Failure | undefined> {
    const call = await this.#parts.dial(signal);
    const endMeter = this.#parts.meter(call.device);
    const dhcp = this.#parts.dhcp(call.device);
    this.#call = call;
    this.#dhcp = dhcp;
    dhcp.onChange = () => {
      // A call that is taken and brings no address is no success: a network that drops each one is not called without end.
      if (dhcp.view().state === 'up') this.#parts.backoff.reset();
      this.onChange?.();
    };
    dhcp.start();
    this.#tell(signal, undefined);
    const stopped = new Promise<undefined>((resolve) => {
      if (signal.aborted) resolve(undefined);
      signal.addEventListener('abort', () => resolve(undefined), { once: true });
    });
    const failure = await Promise.race([call.ended, stopped]);
    this.#call = undefined;
    this.#dhcp = undefined;
    dhcp.onChange = undefined;
    // At once: packets are not to be sent there while it is hung up, which takes its time.
    this.#waiting = true;
    this.#tell(signal, failure);
    await dhcp.stop();
    await endMeter();
    await call.hangUp();
    return failure;
  }

  /** What is told while nothing is wanted any more is not of this run. */
  #tell(signal: AbortSignal, failure: Failure | undefined): void {
    if (signal.aborted) return;
    this.#failure = failure;
    this.onChange?.();
  }

  #pause(failure: Failure | undefined): Promise<void> {
    const { clock, backoff } = this.#parts;
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#timer?.cancel();
        resolve();
      };
      this.#wake = wake;
      this.#timer = clock.setTimer(clock.now() + backoff.next(failure?.cause === 'refused'), wake);
    });
  }
}
