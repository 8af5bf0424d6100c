/** The driver of a modem on real pseudo-terminals, a simulated modem behind them. Real time, which the conditions wait for. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ModemConfiguration } from '../../../../firmware/config/modems-schema.ts';
import { CellularModem } from '../../../../firmware/uplink/modem/cellular-modem.ts';
import type { Clock } from '../../../../hal/clock.ts';
import { LinuxClock } from '../../../../hal/linux/clock.ts';
import { LinuxSerialPorts } from '../../../../hal/linux/serial-port.ts';
import { SimulatedUsbDevices } from '../../../../hal/simulated/usb-devices.ts';
import type { UsbInterface } from '../../../../hal/usb-devices.ts';
import type { ModemTraits } from '../../../../scripts/lab/modem/modem-traits.ts';
import { type Carrier, SimulatedModem } from '../../../../scripts/lab/modem/simulated-modem.ts';
import { Pty } from '../../../../scripts/lab/pty.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';

/** Ten times as fast as the clock of the machine, so that guard times and pauses do not make the tests slow. */
class FastClock implements Clock {
  readonly #real = new LinuxClock();
  readonly #origin = this.#real.now();

  now(): number {
    return this.#origin + (this.#real.now() - this.#origin) * 10;
  }

  wall(): number {
    return this.#real.wall();
  }

  setTimer(at: number, callback: () => void) {
    return this.#real.setTimer(this.#origin + (at - this.#origin) / 10, callback);
  }
}

const DEVICE = { id: '2c7c:0125', location: '1-1.2' };

export class DriverBench {
  readonly clock = new FastClock();
  readonly usb = new SimulatedUsbDevices();
  readonly modem: SimulatedModem;
  readonly state: string;
  readonly log: string[] = [];
  powerCycles = 0;
  #driver: CellularModem | undefined;
  #ptys: Pty[] = [];
  #interfaces: Record<number, Partial<UsbInterface>> = {};

  constructor(carrier: Carrier, traits: Partial<ModemTraits> = {}) {
    this.state = mkdtempSync(join(tmpdir(), 'modem-'));
    this.modem = new SimulatedModem(this.clock, carrier, traits);
  }

  get driver(): CellularModem {
    if (this.#driver === undefined) throw new Error('there is no driver');
    return this.#driver;
  }

  /** Plugs the modem in, under names that nobody knows before. @param interfaces of USB that are lines. */
  plug(interfaces: readonly number[] = [2, 3]): this {
    const lines = interfaces.map((number) => {
      const pty = new Pty();
      this.#ptys.push(pty);
      const port = this.modem.port((octets) => pty.send(octets));
      pty.onOctets = (octets) => port.octets(octets);
      return [number, { tty: pty.path }] as const;
    });
    this.#interfaces = Object.fromEntries(lines);
    this.usb.plug(DEVICE, this.#interfaces);
    return this;
  }

  unplug(): this {
    this.usb.unplug(DEVICE.location);
    this.modem.unplug();
    for (const pty of this.#ptys.splice(0)) pty.close();
    return this;
  }

  /** The modem has a network interface, too. */
  plugNetwork(network: string): this {
    this.#interfaces[4] = { network, driver: 'cdc_ether' };
    this.usb.plug(DEVICE, this.#interfaces);
    return this;
  }

  /** A router that has just been switched on. */
  start(configuration: Partial<ModemConfiguration> = {}): this {
    this.make(configuration);
    this.driver.start();
    return this;
  }

  make(configuration: Partial<ModemConfiguration> = {}): this {
    this.#driver = new CellularModem(
      'lte',
      { baud: 115200, roaming: false, data: 'auto', ...configuration },
      {
        ports: new LinuxSerialPorts(),
        usb: this.usb,
        clock: this.clock,
        random: new SeededRandom(7),
        stateDirectory: this.state,
        powerCycle: async () => {
          this.powerCycles += 1;
        },
        log: (line) => this.log.push(line),
      },
    );
    return this;
  }

  /** Waits for a change that makes `done` hold. */
  async until(done: () => boolean): Promise<void> {
    if (done()) return;
    await new Promise<void>((resolve) => {
      this.driver.onChange = () => {
        if (done()) resolve();
      };
    });
  }

  async ready(): Promise<void> {
    await this.until(() => this.driver.status().doing === 'ready');
  }

  async close(): Promise<void> {
    await this.#driver?.stop();
    this.unplug();
    rmSync(this.state, { recursive: true, force: true });
  }
}
