import { join } from 'node:path';
import type { Clock, Timer } from '../../../hal/clock.ts';
import type { SerialPorts } from '../../../hal/serial-port.ts';
import type { UsbDevices } from '../../../hal/usb-devices.ts';
import type { ModemConfiguration } from '../../config/modems-schema.ts';
import { ModemMachine } from '../../protocol/at/modem-machine.ts';
import type { ModemInfo, ModemOutput } from '../../protocol/at/modem-types.ts';
import { operatorOf } from '../../protocol/at/operators.ts';
import type { Sms } from '../../protocol/at/sms/inbox.ts';
import { submitPdus } from '../../protocol/at/sms/pdu.ts';
import type { Failure, RandomSource } from '../../protocol/machine.ts';
import { MachineRunner } from '../../vpn/machine-runner.ts';
import { errorText, internalFailure } from '../../vpn/steps.ts';
import { PppLineError, type PppLineSource } from '../ppp-line.ts';
import { DataMeter } from './data-meter.ts';
import { ABORTED, BUSY, cannotOpen, capReached, NOT_RUNNING, noModem } from './modem-failures.ts';
import { type ModemEthernet, ModemLine } from './modem-line.ts';
import { OpenPorts } from './open-ports.ts';
import { PinGuard } from './pin-guard.ts';
import { type ModemPorts, modemPorts } from './port-finder.ts';

/** In the state directory: two files for each modem. */
const FOLDER = 'modems';
/** Until a modem that is not there, or was lost, is looked for again, ms. */
const LOOK_AGAIN_MS = 2_000;
/** How long the likeliest port may take to answer, ms, and the others. */
const PROBE_MS = 60_000;
const PROBE_OTHER_MS = 6_000;

const ANYBODY = 'anybody';

export interface CellularModemParts {
  readonly ports: SerialPorts;
  readonly usb: UsbDevices;
  readonly clock: Clock;
  readonly random: RandomSource;
  /** For what must outlive a restart: PINs that were tried, octets of the month. */
  readonly stateDirectory: string;
  /** Takes the power of the modem away for a moment; absent where the board cannot. */
  readonly powerCycle?: () => Promise<void>;
  /** Called with each sentence that belongs into the log, and with each line of the dialogue. */
  readonly log: (line: string) => void;
  readonly trace?: (line: string) => void;
}

export interface ModemStatus extends ModemInfo {
  readonly name: string;
  /** In words: `Quectel EC25/EG25 (2c7c:0125) on USB 1-1.2`; empty while there is none. */
  readonly where: string;
  /** How data travels; `undefined` while there is no modem. */
  readonly data: 'ppp' | 'ethernet' | undefined;
  /** Both ways, of this month. */
  readonly octetsThisMonth: number;
  /** Octets; `undefined`: no cap. */
  readonly capOctets: number | undefined;
}

/** One modem: found, opened, set up, and set up again as often as it goes and comes. */
export class CellularModem implements PppLineSource {
  readonly name: string;
  readonly #configuration: ModemConfiguration;
  readonly #parts: CellularModemParts;
  readonly #machine: ModemMachine;
  readonly #runner: MachineRunner<ModemOutput>;
  readonly #guard: PinGuard;
  readonly #meter: DataMeter;
  #open: OpenPorts | undefined;
  #found: ModemPorts | undefined;
  /** Which of the ports that may be tried is next. */
  #attempt = 0;
  /** The ports by which it was spoken to last. */
  #worked = '';
  #giveUp: (() => void) | undefined;
  #dialling: PromiseWithResolvers<ModemLine> | undefined;
  #line: ModemLine | undefined;
  #hangingUp: PromiseWithResolvers<void> | undefined;
  #running: Promise<void> | undefined;
  #stopping = false;
  #timer: Timer | undefined;
  #wake: (() => void) | undefined;
  /** Called after each change of {@link status}. */
  onChange: (() => void) | undefined;
  /** Called with each message that comes. */
  onMessage: ((sms: Sms) => void) | undefined;

  constructor(name: string, configuration: ModemConfiguration, parts: CellularModemParts) {
    const { stateDirectory, clock, random } = parts;
    this.name = name;
    this.#configuration = configuration;
    this.#parts = parts;
    this.#guard = new PinGuard(join(stateDirectory, FOLDER, `${name}-pins.json`), random);
    this.#meter = new DataMeter(join(stateDirectory, FOLDER, `${name}-data.json`), clock);
    const { pin, apn, roaming } = configuration;
    this.#machine = new ModemMachine({ roaming, ...(pin !== undefined && { pin }), ...(apn !== undefined && { apn }) });
    this.#runner = new MachineRunner(
      this.#machine,
      clock,
      (output) => this.#handle(output),
      (error) => this.#fault(error),
    );
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Hangs up; whoever has the line must have let go of it. Resolves when the ports are closed. Never rejects. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#failDial(NOT_RUNNING);
    await this.#line?.hangUp();
    this.#giveUp?.();
    this.#wake?.();
    await this.#running;
    this.#runner.stop();
    await this.#meter.save().catch((error: unknown) => this.#parts.log(errorText(error)));
  }

  status(): ModemStatus {
    const { monthlyMegabytes } = this.#configuration;
    const { info } = this.#machine;
    const failure = info.failure ?? this.#capFailure();
    return {
      ...info,
      ...(failure && { failure }),
      name: this.name,
      where: this.#found?.where ?? '',
      data: this.#found && (this.#usesEthernet(this.#found) ? 'ethernet' : 'ppp'),
      octetsThisMonth: this.#meter.octets,
      capOctets: monthlyMegabytes === undefined ? undefined : monthlyMegabytes * 1_000_000,
    };
  }

  /** For PPP: as configured, else those of the operator's APN, else any: modems ask for some even where the network wants none. */
  credentials(): { readonly user: string; readonly password: string } {
    const { user, password = '', apn } = this.#configuration;
    if (user !== undefined) return { user, password };
    const operator = apn === undefined ? operatorOf(this.#machine.imsi) : undefined;
    return { user: operator?.user ?? ANYBODY, password: operator?.password ?? ANYBODY };
  }

  async dial(signal: AbortSignal): Promise<ModemLine> {
    const refusal = this.#refusal(signal);
    if (refusal !== undefined) throw new PppLineError(refusal);
    const dialling = Promise.withResolvers<ModemLine>();
    this.#dialling = dialling;
    const abort = () => {
      this.#failDial(ABORTED);
      this.#runner.run((now) => this.#machine.hangUp(now));
    };
    signal.addEventListener('abort', abort, { once: true });
    this.#runner.run((now) => this.#machine.dial(now));
    return await dialling.promise.finally(() => signal.removeEventListener('abort', abort));
  }

  /** Where {@link status} says `ethernet`. @throws PppLineError as {@link dial}. */
  async dialEthernet(signal: AbortSignal): Promise<ModemEthernet> {
    const line = await this.dial(signal);
    const { peer, ended } = line;
    return { device: this.#found?.network ?? '', peer, ended, hangUp: () => line.hangUp() };
  }

  /** The data plane has seen the modem say NO CARRIER. */
  carrierLost(): void {
    this.#runner.run((now) => this.#machine.carrierLost(now));
  }

  /** @param octets that a call has carried since the last time, both ways. The call ends when the month has carried all that it may. */
  noteTraffic(octets: number): void {
    this.#meter.add(octets).catch((error: unknown) => this.#parts.log(errorText(error)));
    const failure = this.#capFailure();
    if (failure !== undefined) this.#line?.end(failure);
  }

  /**
   * @param to a telephone number.
   * @returns why it was not sent. @throws RangeError in words for what is no message.
   */
  async sendMessage(to: string, text: string): Promise<string | undefined> {
    const pdus = submitPdus(to, text, this.#parts.random.bytes(1)[0] ?? 0);
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    let taken = false;
    this.#runner.run((now) => {
      taken = this.#machine.send({ pdus, done: resolve }, now);
    });
    return taken ? await promise : 'the message was not sent: too many wait already';
  }

  #refusal(signal: AbortSignal): Failure | undefined {
    if (this.#stopping || this.#running === undefined) return NOT_RUNNING;
    if (signal.aborted) return ABORTED;
    if (this.#dialling !== undefined || this.#line !== undefined) return BUSY;
    return this.#capFailure();
  }

  #capFailure(): Failure | undefined {
    const { monthlyMegabytes } = this.#configuration;
    if (monthlyMegabytes === undefined || !this.#meter.isOver(monthlyMegabytes)) return undefined;
    return capReached(this.name, monthlyMegabytes);
  }

  async #run(): Promise<void> {
    await this.#meter.load();
    while (!this.#stopping) {
      await this.#serve().catch((error: unknown) => this.#fault(error));
      if (!this.#stopping) await this.#pause();
    }
  }

  /** Returns when there is no modem, or no modem any more. */
  async #serve(): Promise<void> {
    const { usb, device } = this.#configuration;
    const all = await this.#candidates();
    const turn = this.#attempt % Math.max(1, all.length);
    const found = all[turn];
    if (found === undefined) {
      this.#runner.run((now) => this.#machine.absent(noModem(usb ?? device), now));
      return;
    }
    try {
      this.#open = await OpenPorts.open(this.#parts.ports, found, (channel, octets) =>
        this.#runner.run((now) => this.#machine.octets(channel, octets, now)),
      );
    } catch (error) {
      this.#attempt += 1;
      this.#runner.run((now) => this.#machine.absent(cannotOpen(errorText(error)), now));
      return;
    }
    await this.#use(this.#open, found, turn === 0 ? PROBE_MS : PROBE_OTHER_MS);
  }

  /** The one that worked before comes first. */
  async #candidates(): Promise<readonly ModemPorts[]> {
    const all = modemPorts(this.#configuration, await this.#parts.usb.list());
    const worked = all.filter((one) => keyOf(one) === this.#worked);
    return [...worked, ...all.filter((one) => keyOf(one) !== this.#worked)];
  }

  async #use(open: OpenPorts, found: ModemPorts, probeMs: number): Promise<void> {
    this.#found = found;
    const given = Promise.withResolvers<string>();
    this.#giveUp = () => given.resolve('it is not used any more');
    const { twoChannels } = open;
    const { quirks } = found;
    const ethernet = this.#usesEthernet(found);
    this.#runner.run((now) => this.#machine.portsOpened(now, { twoChannels, quirks, ethernet, probeMs }));
    const reason = await Promise.race([given.promise, open.lost]);
    this.#giveUp = undefined;
    this.#parts.log(`the modem ${this.name} (${found.where}) is let go: ${reason}`);
    this.#found = undefined;
    this.#runner.run((now) => this.#machine.portsLost(reason, now));
    // Whoever has the descriptor lets go of it before it is closed.
    await this.#line?.released;
    this.#open = undefined;
    await open.close();
  }

  #pause(): Promise<void> {
    const { clock } = this.#parts;
    return new Promise((resolve) => {
      this.#wake = resolve;
      this.#timer?.cancel();
      this.#timer = clock.setTimer(clock.now() + LOOK_AGAIN_MS, resolve);
    });
  }

  #usesEthernet({ network }: ModemPorts): boolean {
    return network !== undefined && this.#configuration.data !== 'ppp';
  }

  #handle(output: ModemOutput): void {
    const { log, trace } = this.#parts;
    switch (output.kind) {
      case 'send':
        this.#open?.write(output.channel, output.octets);
        break;
      case 'changed':
        this.#changed();
        break;
      case 'connected':
        this.#connected(output.peer);
        break;
      case 'dial-failed':
        this.#failDial(output.failure);
        break;
      case 'line-ended':
        this.#line?.end(output.failure);
        break;
      case 'hung-up':
        this.#hangingUp?.resolve();
        break;
      case 'may-try-pin':
        void this.#mayTryPin(output.sim);
        break;
      case 'pin-tried':
        void this.#guard
          .tried(output.sim, this.#configuration.pin ?? '', output.good)
          .catch((error: unknown) => log(`the modem ${this.name}: ${errorText(error)}`));
        break;
      case 'power-cycle':
        void this.#powerCycle();
        break;
      case 'silent':
        void this.#silent();
        break;
      case 'message':
        this.onMessage?.(output.sms);
        break;
      case 'log':
        log(`the modem ${this.name}: ${output.text}`);
        break;
      case 'trace':
        trace?.(`modem ${this.name} ${output.text}`);
    }
  }

  #changed(): void {
    if (this.#found !== undefined && this.#machine.info.sim !== 'unknown') {
      this.#worked = keyOf(this.#found);
      this.#attempt = 0;
    }
    this.onChange?.();
  }

  #connected(peer: string): void {
    const dialling = this.#dialling;
    this.#dialling = undefined;
    if (dialling === undefined) {
      this.#runner.run((now) => this.#machine.hangUp(now));
      return;
    }
    const ethernet = this.#found !== undefined && this.#usesEthernet(this.#found);
    const port = ethernet ? undefined : this.#open?.callPort;
    const line = new ModemLine(port?.lend() ?? -1, peer, async () => {
      port?.takeBack();
      line.release();
      await this.#hangUp();
      this.#line = undefined;
    });
    this.#line = line;
    dialling.resolve(line);
  }

  async #hangUp(): Promise<void> {
    this.#hangingUp = Promise.withResolvers<void>();
    const { promise } = this.#hangingUp;
    this.#runner.run((now) => this.#machine.hangUp(now));
    await promise;
  }

  #failDial(failure: Failure): void {
    const dialling = this.#dialling;
    this.#dialling = undefined;
    dialling?.reject(new PppLineError(failure));
  }

  async #mayTryPin(sim: string): Promise<void> {
    const { pin = '' } = this.#configuration;
    const may = await this.#guard.mayTry(sim, pin).catch((error: unknown) => {
      this.#parts.log(`the modem ${this.name}: ${errorText(error)}`);
      return false;
    });
    this.#runner.run((now) => this.#machine.answer(may, now));
  }

  async #powerCycle(): Promise<boolean> {
    const { powerCycle, log } = this.#parts;
    const done = await powerCycle?.().then(
      () => true,
      (error: unknown) => log(`the power of the modem ${this.name} cannot be switched: ${errorText(error)}`),
    );
    this.#runner.run((now) => this.#machine.answer(done === true, now));
    return done === true;
  }

  /** Another port or another speed is tried; when all were, the modem's power. */
  async #silent(): Promise<void> {
    const all = await this.#candidates();
    this.#attempt += 1;
    if (all.length > 0 && this.#attempt % all.length === 0) await this.#powerCycle();
    this.#giveUp?.();
  }

  #fault(error: unknown): void {
    const failure = internalFailure(error);
    this.#parts.log(`the modem ${this.name}: ${failure.reason}; ${failure.remedy}`);
    this.#failDial(failure);
    this.#line?.end(failure);
    this.#giveUp?.();
  }
}

function keyOf({ control, data = '', baud }: ModemPorts): string {
  return `${control} ${data} ${baud}`;
}
