/** A modem machine and a simulated modem on a clock that the test turns. */
import { ModemMachine } from '../../../../firmware/protocol/at/modem-machine.ts';
import type { AtChannel, ModemOutput, ModemSettings } from '../../../../firmware/protocol/at/modem-types.ts';
import {
  mayTryPin,
  noteResult,
  noteTry,
  type PinEntry,
  type PinKeys,
} from '../../../../firmware/protocol/at/pin-record.ts';
import { MachineRunner } from '../../../../firmware/vpn/machine-runner.ts';
import { SimulatedClock } from '../../../../hal/simulated/clock.ts';
import type { ModemTraits } from '../../../../scripts/lab/modem/modem-traits.ts';
import {
  type Carrier,
  SimulatedModem,
  type SimulatedModemPort,
} from '../../../../scripts/lab/modem/simulated-modem.ts';

/** A carrier that sends back what it gets. */
export const ECHO: Carrier = (toTerminal) => ({ octets: toTerminal, end: () => undefined });

export interface BenchOptions {
  readonly traits?: Partial<ModemTraits>;
  readonly settings?: Partial<ModemSettings>;
  readonly twoChannels?: boolean;
  readonly carrier?: Carrier;
  /** Whether a PIN may be tried on a SIM. Default: once on each, and again where it was good. */
  readonly mayTryPin?: (sim: string) => boolean;
  /** Whether something here can switch the power of the modem. */
  readonly power?: boolean;
}

export class ModemBench {
  readonly clock = new SimulatedClock();
  readonly modem: SimulatedModem;
  readonly machine: ModemMachine;
  readonly outputs: ModemOutput[] = [];
  readonly faults: unknown[] = [];
  readonly #runner: MachineRunner<ModemOutput>;
  readonly #options: BenchOptions;
  #tried: readonly PinEntry[] = [];
  #ports: Partial<Record<AtChannel, SimulatedModemPort>> = {};

  constructor(options: BenchOptions = {}) {
    this.#options = options;
    this.modem = new SimulatedModem(this.clock, options.carrier ?? ECHO, options.traits);
    this.machine = new ModemMachine({ roaming: false, ...options.settings });
    this.#runner = new MachineRunner(
      this.machine,
      this.clock,
      (output) => this.#handle(output),
      (error) => this.faults.push(error),
    );
  }

  /** The ports are there. */
  open(): this {
    const { twoChannels = true } = this.#options;
    for (const channel of twoChannels ? (['control', 'data'] as const) : (['control'] as const)) {
      this.#ports[channel] = this.modem.port((octets) => {
        const copy = Uint8Array.from(octets);
        this.clock.setTimer(this.clock.now(), () => this.run((now) => this.machine.octets(channel, copy, now)));
      });
    }
    this.run((now) => this.machine.portsOpened(now, { twoChannels, probeMs: 60_000 }));
    return this;
  }

  run(input: (now: number) => void): void {
    this.#runner.run(input);
  }

  /** Lets so many seconds pass. */
  pass(seconds: number): this {
    this.clock.advance(seconds * 1000);
    if (this.faults.length > 0) throw this.faults[0];
    return this;
  }

  /** Lets time pass until `done`, at most `seconds`. @throws Error when it does not come to that. */
  until(done: () => boolean, seconds = 600): this {
    for (let at = 0; !done(); at += 0.1) {
      if (at > seconds) throw new Error(`not within ${seconds} s; ${JSON.stringify(this.machine.info)}`);
      this.pass(0.1);
    }
    return this;
  }

  ready(): this {
    return this.until(() => this.machine.info.doing === 'ready');
  }

  of<Kind extends ModemOutput['kind']>(kind: Kind): Extract<ModemOutput, { kind: Kind }>[] {
    return this.outputs.filter((output): output is Extract<ModemOutput, { kind: Kind }> => output.kind === kind);
  }

  dial(): this {
    this.run((now) => this.machine.dial(now));
    return this;
  }

  /** The driver's side of the line behind CONNECT. */
  data(octets: Uint8Array): void {
    (this.#ports.data ?? this.#ports.control)?.octets(octets);
  }

  #handle(output: ModemOutput): void {
    this.outputs.push(output);
    switch (output.kind) {
      case 'send':
        this.#ports[output.channel]?.octets(output.octets);
        break;
      case 'may-try-pin': {
        const keys = keysOf(output.sim);
        const may = this.#options.mayTryPin?.(output.sim) ?? mayTryPin(this.#tried, keys);
        if (may) this.#tried = noteTry(this.#tried, keys);
        this.run((now) => this.machine.answer(may, now));
        break;
      }
      case 'pin-tried':
        this.#tried = noteResult(this.#tried, keysOf(output.sim), output.good);
        break;
      case 'power-cycle':
        if (this.#options.power === true) this.modem.restart();
        this.run((now) => this.machine.answer(this.#options.power === true, now));
    }
  }
}

/** There is one PIN in a test. */
function keysOf(sim: string): PinKeys {
  return { modem: { sim: 'modem', pin: '' }, ...(sim !== '' && { sim: { sim, pin: '' } }) };
}
