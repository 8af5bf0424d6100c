import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { ModemUplink } from '../../../../firmware/uplink/modem/modem-uplink.ts';
import type { PppUplink } from '../../../../firmware/uplink/ppp/ppp-uplink.ts';
import type { DataPlaneDispatch } from '../../../../firmware/vpn/data-plane-dispatch.ts';
import type { Carrier } from '../../../../scripts/lab/modem/simulated-modem.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';
import { DriverBench } from './driver-bench.ts';
import { FakeLink } from './fake-link.ts';

const ECHO: Carrier = (toTerminal) => ({ octets: toTerminal, end: () => undefined });
const NETWORK = ['AT+QNETDEVCTL=1,1,1', 'AT+QNETDEVCTL=1,0,0'];

class UplinkOfModem {
  readonly bench = new DriverBench(ECHO);
  /** In the order in which they were made. */
  readonly links: FakeLink[] = [];
  #uplink: ModemUplink | undefined;

  get uplink(): ModemUplink {
    if (this.#uplink === undefined) throw new Error('it is not made');
    return this.#uplink;
  }

  make(data: 'auto' | 'ppp' | 'ethernet' = 'auto'): this {
    this.bench.make({ data });
    const { clock, driver, log } = this.bench;
    const link = (device: string) => {
      const made = new FakeLink(device);
      this.links.push(made);
      return made;
    };
    this.#uplink = new ModemUplink(driver, {
      clock,
      random: new SeededRandom(3),
      dispatch: {
        dataPlane: { counters: async () => ({ sessions: [] }) },
      } as unknown as DataPlaneDispatch,
      ppp: () => link('ppp-lte') as unknown as PppUplink,
      dhcp: link,
      log: (line) => log.push(line),
    });
    return this;
  }

  /** Waits for a change of the uplink or the modem that makes `done` hold. */
  async until(done: () => boolean): Promise<void> {
    const changed = new Promise<void>((resolve) => {
      this.uplink.onChange = () => {
        if (done()) resolve();
      };
    });
    // What was begun within a change ends after it.
    for (let turn = 0; turn < 10; turn++) await setImmediate();
    if (!done()) await changed;
  }

  running(): readonly string[] {
    return this.links.filter(({ running }) => running).map(({ device }) => device);
  }

  /** Waits for the one link that runs, and gives it an address. */
  async up(device: string): Promise<void> {
    await this.until(() => this.running().includes(device));
    this.links.findLast((link) => link.running)?.up();
    expect(this.uplink.view()).toMatchObject({ state: 'up', addressing: { device } });
  }

  async close(): Promise<void> {
    await this.#uplink?.dispose();
    await this.bench.close();
  }
}

let lab: UplinkOfModem;
afterEach(() => lab.close());

describe('a modem as an uplink', { timeout: 20_000 }, () => {
  it('tells of its signal while nobody dials, and dials by its network interface where it has one', async () => {
    lab = new UplinkOfModem();
    lab.bench.plug().plugNetwork('usb0');
    lab.make();
    await lab.until(() => lab.uplink.view().signalBars !== undefined);
    expect(lab.uplink.view().state).toBe('down');
    expect(lab.links).toEqual([]);
    lab.uplink.start();
    await lab.up('usb0');
    await lab.uplink.stop();
    expect(lab.running()).toEqual([]);
    expect(lab.bench.modem.heard('AT+QNETDEVCTL')).toEqual(NETWORK);
    lab.uplink.start();
    await lab.up('usb0');
  });

  it.each(['auto', 'ppp'] as const)('goes by PPP where the choice is %s', async (choice) => {
    lab = new UplinkOfModem();
    lab.bench.plug();
    if (choice === 'ppp') lab.bench.plugNetwork('usb0');
    lab.make(choice);
    lab.uplink.start();
    await lab.up('ppp-lte');
    expect(lab.bench.modem.heard('AT+QNETDEVCTL=1,1,1')).toEqual([]);
  });

  it('that is unplugged says so, and is up again when it is back', async () => {
    lab = new UplinkOfModem();
    lab.bench.plug().plugNetwork('usb0');
    lab.make('ethernet');
    lab.uplink.start();
    await lab.up('usb0');
    lab.bench.unplug();
    await lab.until(() => lab.uplink.view().state === 'failed' && lab.running().length === 0);
    expect(lab.uplink.view().failure?.reason).toContain('the modem');
    lab.bench.modem.restart();
    lab.bench.plug().plugNetwork('usb1');
    await lab.up('usb1');
    expect(lab.links.map(({ device }) => device)).toEqual(['usb0', 'usb1']);
  });

  it('that comes back without its network interface while nobody dials goes by PPP, and by nothing else', async () => {
    lab = new UplinkOfModem();
    lab.bench.plug().plugNetwork('usb0');
    lab.make();
    lab.uplink.start();
    await lab.up('usb0');
    await lab.uplink.stop();
    lab.bench.unplug();
    await lab.until(() => lab.uplink.modem().data === undefined);
    lab.bench.modem.restart();
    lab.bench.plug();
    await lab.until(() => lab.uplink.view().signalBars !== undefined);
    const calls = lab.bench.modem.heard('ATD').length;
    lab.uplink.start();
    await lab.up('ppp-lte');
    expect(lab.links.map(({ device }) => device)).toEqual(['usb0', 'ppp-lte']);
    expect(lab.bench.modem.heard('ATD')).toHaveLength(calls);
  });
});
