/** A modem as an uplink: by PPP on its serial line, or by DHCP on its network interface, whichever the modem that is found offers. */
import type { Clock } from '../../../hal/clock.ts';
import type { MachineCounters } from '../../../hal/machine-counters.ts';
import type { SessionKey } from '../../dataplane/data-plane.ts';
import type { RandomSource } from '../../protocol/machine.ts';
import { Backoff } from '../../vpn/backoff.ts';
import type { DataPlaneDispatch } from '../../vpn/data-plane-dispatch.ts';
import { internalFailure } from '../../vpn/steps.ts';
import type { LinkView, UplinkLink } from '../uplink-types.ts';
import { CallMeter, type Metering } from './call-meter.ts';
import type { CellularModem, ModemStatus } from './cellular-modem.ts';
import { EthernetCall } from './ethernet-call.ts';

export interface ModemUplinkParts {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly dispatch: DataPlaneDispatch;
  readonly counters: Pick<MachineCounters, 'links'>;
  /** @param meter counts what each of its sessions carries. */
  readonly ppp: (meter: Metering<SessionKey>) => UplinkLink;
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
  #changing: Promise<void> = Promise.resolve();

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
  }

  async stop(): Promise<void> {
    this.#started = false;
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
    this.#link = kind === 'ppp' ? this.#parts.ppp(this.#meterSession) : this.#ethernet();
    this.#link.onChange = () => this.#tell();
    if (this.#started) this.#link.start();
  }

  #ethernet(): UplinkLink {
    const { clock, random, dhcp } = this.#parts;
    return new EthernetCall({
      clock,
      dhcp,
      backoff: new Backoff(random),
      dial: (signal) => this.#modem.dialEthernet(signal),
      meter: this.#meterDevice,
    });
  }

  /** PPP: its packets pass the data plane, which knows no session that is over. */
  readonly #meterSession: Metering<SessionKey> = (session) =>
    this.#meter(0, async () => {
      const { sessions } = await this.#parts.dispatch.dataPlane.counters();
      const found = sessions.find(({ key }) => key === session);
      return found && found.octetsReceived + found.octetsSent;
    });

  /** The kernel counts what passes the network interface of a modem. */
  readonly #meterDevice: Metering<string> = (device) => {
    const read = (): number | undefined => {
      const link = this.#parts.counters.links([device]).get(device);
      return link && link.received + link.sent;
    };
    return this.#meter(read() ?? 0, async () => read());
  };

  /** What a call has carried belongs to the month. */
  #meter(from: number, read: () => Promise<number | undefined>): () => Promise<void> {
    const { clock, log } = this.#parts;
    const meter = new CallMeter(from, { clock, read, log, note: (octets) => this.#modem.noteTraffic(octets) });
    return () => meter.end();
  }

  #tell(): void {
    this.onChange?.();
  }
}
