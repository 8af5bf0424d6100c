/** A modem as an uplink: by PPP on its serial line, or by DHCP on its network interface, whichever the modem that is found offers. */
import type { Clock, Timer } from '../../../hal/clock.ts';
import type { RandomSource } from '../../protocol/machine.ts';
import { Backoff } from '../../vpn/backoff.ts';
import type { DataPlaneDispatch } from '../../vpn/data-plane-dispatch.ts';
import { internalFailure } from '../../vpn/steps.ts';
import type { PppUplink } from '../ppp/ppp-uplink.ts';
import type { LinkView, UplinkLink } from '../uplink-types.ts';
import type { CellularModem, ModemStatus } from './cellular-modem.ts';
import { EthernetCall } from './ethernet-call.ts';

/** How often the octets of a call are counted, ms. */
const METER_MS = 10_000;

export interface ModemUplinkParts {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly dispatch: DataPlaneDispatch;
  readonly ppp: () => PppUplink;
  /** @param device of the modem. */
  readonly dhcp: (device: string) => UplinkLink;
  readonly log: (line: string) => void;
}

export class ModemUplink implements UplinkLink {
  onChange: (() => void) | undefined;
  readonly #modem: CellularModem;
  readonly #parts: ModemUplinkParts;
  #started = false;
  #kind: 'ppp' | 'ethernet' | undefined;
  #link: UplinkLink | undefined;
  #ppp: PppUplink | undefined;
  #changing: Promise<void> = Promise.resolve();
  #timer: Timer | undefined;
  #counted = 0;

  /** The modem is set up from now on, also while nothing is dialled: it tells of its signal. */
  constructor(modem: CellularModem, parts: ModemUplinkParts) {
    this.#modem = modem;
    this.#parts = parts;
    modem.onChange = () => this.#modemChanged();
    modem.start();
  }

  modem(): ModemStatus {
    return this.#modem.status();
  }

  view(): LinkView {
    const { registration, bars } = this.#modem.status();
    const inNetwork = registration === 'home' || registration === 'roaming';
    return { ...this.#view(), ...(inNetwork ? { signalBars: bars } : {}) };
  }

  #view(): LinkView {
    const { doing, failure } = this.#modem.status();
    if (!this.#started) return { state: 'down', carrier: false, doing };
    const view = this.#link?.view();
    if (view?.state === 'up') return view;
    const why = failure ?? view?.failure;
    const state = why === undefined ? 'connecting' : 'failed';
    return {
      state,
      carrier: view?.carrier ?? false,
      doing: doing === '' ? (view?.doing ?? '') : doing,
      ...(why ? { failure: why } : {}),
    };
  }

  start(): void {
    if (this.#started) return;
    this.#started = true;
    // A link of another kind than the modem offers now is not dialled: the other one comes and is.
    if (this.#modemChanged() || this.#link === undefined) return;
    this.#link.start();
    this.#meter();
  }

  async stop(): Promise<void> {
    this.#started = false;
    this.#timer?.cancel();
    this.#timer = undefined;
    await this.#changing;
    if (!this.#started) await this.#link?.stop();
  }

  async dispose(): Promise<void> {
    this.#modem.onChange = undefined;
    await this.stop();
    await this.#link?.dispose?.();
    await this.#modem.stop();
  }

  parentReturned(): void {
    this.#link?.parentReturned();
  }

  /** @returns whether another link takes the place of the one that is there. */
  #modemChanged(): boolean {
    const { data } = this.#modem.status();
    const changes = this.#started && data !== undefined && data !== this.#kind;
    if (changes) {
      this.#kind = data;
      this.#changing = this.#changing
        .then(() => this.#use(data))
        .catch((error: unknown) => this.#parts.log(internalFailure(error).reason));
    }
    this.#tell();
    return changes;
  }

  async #use(kind: 'ppp' | 'ethernet'): Promise<void> {
    await this.#link?.stop();
    if (kind !== this.#kind) return;
    await this.#link?.dispose?.();
    this.#ppp = kind === 'ppp' ? this.#parts.ppp() : undefined;
    this.#link = this.#ppp ?? this.#ethernet();
    this.#link.onChange = () => this.#tell();
    if (!this.#started) return;
    this.#link.start();
    this.#meter();
  }

  #ethernet(): UplinkLink {
    const { clock, random, dhcp } = this.#parts;
    return new EthernetCall({
      clock,
      dhcp,
      backoff: new Backoff(random),
      dial: (signal) => this.#modem.dialEthernet(signal),
    });
  }

  /** What a call has carried belongs to the month: of PPP, whose packets pass the data plane. */
  #meter(): void {
    const { clock } = this.#parts;
    this.#timer?.cancel();
    this.#timer = clock.setTimer(clock.now() + METER_MS, () => {
      void this.#count().finally(() => {
        if (this.#started) this.#meter();
      });
    });
  }

  async #count(): Promise<void> {
    const { dispatch, log } = this.#parts;
    const key = this.#ppp?.sessionKey;
    try {
      const { sessions } = await dispatch.dataPlane.counters();
      const session = sessions.find((one) => one.key === key);
      const octets = session === undefined ? 0 : session.octetsReceived + session.octetsSent;
      // A session that is another one begins at zero.
      const more = octets >= this.#counted ? octets - this.#counted : octets;
      this.#counted = octets;
      if (more > 0) this.#modem.noteTraffic(more);
    } catch (error) {
      log(internalFailure(error).reason);
    }
  }

  #tell(): void {
    this.onChange?.();
  }
}
