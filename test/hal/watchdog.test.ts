import { describe, expect, it } from 'vitest';
import { LinuxWatchdogs } from '../../hal/linux/watchdog.ts';
import { SimulatedClock } from '../../hal/simulated/clock.ts';
import { SimulatedWatchdogs } from '../../hal/simulated/watchdog.ts';
import { suiteOf } from './contract/contract.ts';
import { describeSimulated } from './contract/run.ts';
import { watchdogContract } from './contract/watchdog.ts';
import { FakeDevices, FakeWatchdog } from './linux/fake-devices.ts';

const DEVICE = '/dev/watchdog';
const none = () => undefined;

describeSimulated(watchdogContract, () => {
  const watchdogs = new SimulatedWatchdogs(DEVICE, () => 0);
  return { world: { watchdogs, device: DEVICE, running: () => watchdogs.running }, close: none };
});

describe('a simulated watchdog', () => {
  it('bites who does not feed it in time, and nobody else', () => {
    const clock = new SimulatedClock();
    const watchdogs = new SimulatedWatchdogs(DEVICE, () => clock.now());
    const watchdog = watchdogs.open(DEVICE, 10);
    clock.advance(9_000);
    watchdog.feed();
    clock.advance(9_999);
    expect(watchdogs.bitten).toBe(false);
    clock.advance(1);
    expect(watchdogs.bitten).toBe(true);
  });
});

function linuxWorld(options: { readonly most?: number; readonly stops?: boolean } = {}) {
  const devices = new FakeDevices();
  const kernel = new FakeWatchdog(devices, DEVICE, options);
  const watchdogs = new LinuxWatchdogs(devices);
  return { kernel, watchdogs, world: { watchdogs, device: DEVICE, running: () => kernel.running }, close: none };
}

describe('watchdog, Linux, on a kernel that is made up', () => {
  for (const { name, run } of suiteOf(watchdogContract, () => linuxWorld()).cases) it(name, run);

  it('says who it is, and is fed', () => {
    const { kernel, watchdogs } = linuxWorld();
    const watchdog = watchdogs.open(DEVICE, 30);
    expect(watchdog.identity).toBe('Software Watchdog');
    watchdog.feed();
    watchdog.feed();
    expect(kernel.fed).toBe(2);
  });

  it('has the timeout of the driver where that takes no other', () => {
    expect(linuxWorld({ most: 16 }).watchdogs.open(DEVICE, 30).timeoutSeconds).toBe(60);
  });

  it('says when it runs on for ever', () => {
    const { kernel, watchdogs } = linuxWorld({ stops: false });
    expect(watchdogs.open(DEVICE, 30).close()).toEqual({ running: true });
    expect(kernel.running).toBe(true);
  });

  it('says that somebody else feeds it', () => {
    const { watchdogs } = linuxWorld();
    watchdogs.open(DEVICE, 30);
    expect(() => watchdogs.open(DEVICE, 30)).toThrow('Somebody else feeds it, such as systemd (RuntimeWatchdogSec)');
  });
});
