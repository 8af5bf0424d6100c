import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { ModemUplink } from '../../../../firmware/uplink/modem/modem-uplink.ts';
import type { DataPlaneDispatch } from '../../../../firmware/vpn/data-plane-dispatch.ts';
import { SimulatedMachineCounters } from '../../../../hal/simulated/machine-counters.ts';
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
  readonly counters = new SimulatedMachineCounters();
  /** Of the data plane. */
  sessions: { key: number; octetsReceived: number; octetsSent: number }[] = [];
  meterSession: ((key: number) => () => Promise<void>) | undefined;
  #uplink: ModemUplink | undefined;

  get uplink(): ModemUplink {
    if (this.#uplink === undefined) throw new Error('it is not made');
    return this.#uplink;
  }

  make(data: 'auto' | 'ppp' | 'ethernet' = 'auto', more: { readonly monthlyMegabytes?: number } = {}): this {
    this.bench.make({ data, ...more });
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
        dataPlane: { counters: async () => ({ sessions: this.sessions }) },
      } as unknown as DataPlaneDispatch,
      counters: this.counters,
      ppp: (meter) => {
        this.meterSession = meter;
        return link('ppp-lte');
      },
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

  it('by its network interface carries what the month may have, and then stays off and says why', async () => {
    lab = new UplinkOfModem();
    lab.bench.plug().plugNetwork('usb0');
    // What earlier runs have carried is not of this call.
    lab.counters.devices.set('usb0', { received: 5_000_000, sent: 5_000_000 });
    lab.make('ethernet', { monthlyMegabytes: 1 });
    lab.uplink.start();
    await lab.up('usb0');
    lab.counters.devices.set('usb0', { received: 5_700_000, sent: 5_300_000 });
    await lab.until(() => lab.uplink.view().state === 'failed' && lab.running().length === 0);
    expect(lab.uplink.view().failure).toMatchObject({
      step: 'data cap',
      remedy: expect.stringContaining('modems.lte.monthlyMegabytes'),
    });
    expect(lab.uplink.modem()).toMatchObject({ octetsThisMonth: 1_000_000, failure: { step: 'data cap' } });
    await lab.bench.ready();
    await lab.uplink.stop();
    lab.uplink.start();
    for (let turn = 0; turn < 10; turn++) await setImmediate();
    expect(lab.uplink.view()).toMatchObject({ state: 'failed', failure: { step: 'data cap' } });
    expect(lab.bench.modem.heard('AT+QNETDEVCTL')).toEqual(NETWORK);
  });

  it('by PPP counts the session of its call, and its last octets before that is gone', async () => {
    lab = new UplinkOfModem();
    lab.bench.plug();
    lab.make('ppp');
    lab.uplink.start();
    await lab.up('ppp-lte');
    lab.sessions = [
      { key: 1, octetsReceived: 9_000, octetsSent: 9_000 },
      { key: 2, octetsReceived: 300, octetsSent: 40 },
    ];
    const ended = lab.meterSession?.(2);
    await ended?.();
    expect(lab.uplink.modem().octetsThisMonth).toBe(340);
    // The next one begins at zero.
    lab.sessions = [{ key: 3, octetsReceived: 1_000, octetsSent: 0 }];
    await lab.meterSession?.(3)();
    expect(lab.uplink.modem().octetsThisMonth).toBe(1_340);
  });
});
