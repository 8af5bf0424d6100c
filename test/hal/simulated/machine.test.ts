import { describe, expect, it } from 'vitest';
import { SimulatedClock } from '../../../hal/simulated/clock.ts';
import { SimulatedEntropy } from '../../../hal/simulated/entropy.ts';
import { SimulatedHandles } from '../../../hal/simulated/handles.ts';
import { SimulatedLinks } from '../../../hal/simulated/links.ts';
import { SimulatedPollerFactory } from '../../../hal/simulated/poller.ts';
import { SimulatedTunFactory } from '../../../hal/simulated/tun.ts';

describe('the simulated clock', () => {
  it('fires each timer at its instant, also one that another set on the way', () => {
    const clock = new SimulatedClock();
    const fired: string[] = [];
    clock.setTimer(10, () => {
      fired.push(`first at ${clock.now()}`);
      clock.setTimer(15, () => fired.push(`second at ${clock.now()}`));
    });
    expect(clock.nextTimer).toBe(10);
    clock.advance(20);
    expect(fired).toEqual(['first at 10', 'second at 15']);
    expect(clock.now()).toBe(20);
    expect(clock.nextTimer).toBeUndefined();
  });

  it('fires timers of one instant in the order in which they were set', () => {
    const clock = new SimulatedClock();
    const fired: number[] = [];
    for (const index of [0, 1, 2]) clock.setTimer(5, () => fired.push(index));
    clock.advance(5);
    expect(fired).toEqual([0, 1, 2]);
  });

  it('lets a timer cancel one that is due at the same time', () => {
    const clock = new SimulatedClock();
    const fired: string[] = [];
    const timers = [clock.setTimer(5, () => timers[1]?.cancel()), clock.setTimer(5, () => fired.push('second'))];
    clock.advance(5);
    expect(fired).toEqual([]);
  });

  it('moves the wall clock along, and does not go back', () => {
    const clock = new SimulatedClock(100, 1_000_000);
    clock.advance(50);
    expect(clock.wall()).toBe(1_000_150);
    expect(() => clock.advanceTo(1)).toThrow(RangeError);
  });
});

describe('simulated entropy', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(new SimulatedEntropy(3).bytes(32)).toEqual(new SimulatedEntropy(3).bytes(32));
    expect(new SimulatedEntropy(3).bytes(32)).not.toEqual(new SimulatedEntropy(4).bytes(32));
  });
});

describe('the simulated links', () => {
  it('note every change, so that a test sees that a second reconciliation makes none', async () => {
    const links = new SimulatedLinks();
    links.addLink({ name: 'eth0' });
    expect(links.takeChanges()).toEqual([]);
    await links.setUp('eth0', true);
    await links.addAddress('eth0', '10.0.0.1/24');
    expect(links.takeChanges()).toEqual(['link eth0 up', 'address add 10.0.0.1/24 dev eth0']);
    expect(links.takeChanges()).toEqual([]);
  });

  it('lose addresses and routes with their device', async () => {
    const links = new SimulatedLinks();
    links.addLink({ name: 'eth0', up: true });
    await links.addAddress('eth0', '10.0.0.1/24');
    links.removeLink('eth0');
    expect((await links.addresses()).some((entry) => entry.device === 'eth0')).toBe(false);
    expect(await links.routes(4, 254)).toEqual([]);
  });
});

describe('the simulated machine', () => {
  it('knows a wake-up that nobody waited for yet', () => {
    const pollers = new SimulatedPollerFactory(new SimulatedHandles());
    const poller = pollers.open();
    expect(pollers.isWoken(poller.wakeHandle)).toBe(false);
    pollers.wake(poller.wakeHandle);
    expect(pollers.isWoken(poller.wakeHandle)).toBe(true);
    poller.wait(-1);
    expect(pollers.isWoken(poller.wakeHandle)).toBe(false);
  });

  it('drops packets for a TUN whose queue is full', () => {
    const tun = new SimulatedTunFactory(new SimulatedHandles()).open('tun0');
    const packet = Uint8Array.of(0x45, 0, 0, 1);
    let taken = 0;
    while (tun.inject(packet)) taken++;
    expect(taken).toBe(500);
    tun.read(new Uint8Array(4));
    expect(tun.inject(packet)).toBe(true);
  });
});
