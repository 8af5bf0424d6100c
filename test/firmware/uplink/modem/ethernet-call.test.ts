import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Failure } from '../../../../firmware/protocol/machine.ts';
import { EthernetCall } from '../../../../firmware/uplink/modem/ethernet-call.ts';
import { PppLineError } from '../../../../firmware/uplink/ppp-line.ts';
import { Backoff } from '../../../../firmware/vpn/backoff.ts';
import { SimulatedClock } from '../../../../hal/simulated/clock.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';
import { FakeLink } from './fake-link.ts';

const DROPPED: Failure = { step: 'NO CARRIER', reason: 'the network has ended the call', remedy: 'wait' };
const REFUSED: Failure = { step: 'call', reason: 'the network refuses', remedy: 'check the SIM', cause: 'refused' };

function benched() {
  const clock = new SimulatedClock();
  const links: FakeLink[] = [];
  const ends: ((failure: Failure) => void)[] = [];
  const bench = {
    clock,
    links,
    ends,
    dialled: 0,
    hungUp: 0,
    hangUp: Promise.resolve(),
    /** What was done to the meter and the call, in its order. */
    order: [] as string[],
    refusal: undefined as Failure | undefined,
  };
  const call = new EthernetCall({
    clock,
    backoff: new Backoff(new SeededRandom(5)),
    meter: (device) => {
      bench.order.push(`count ${device}`);
      return async () => {
        bench.order.push(`counted, link ${links.at(-1)?.running ? 'up' : 'down'}`);
      };
    },
    dhcp: (device) => {
      const link = new FakeLink(device);
      links.push(link);
      return link;
    },
    dial: async () => {
      bench.dialled += 1;
      if (bench.refusal !== undefined) throw new PppLineError(bench.refusal);
      const { promise, resolve } = Promise.withResolvers<Failure>();
      ends.push(resolve);
      const hangUp = async () => {
        bench.hungUp += 1;
        bench.order.push('hung up');
        await bench.hangUp;
      };
      return { device: 'usb0', peer: 'the modem', ended: promise, hangUp };
    },
  });
  return { bench, call };
}

/** Lets what is decided become done. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await setImmediate();
}

/** Ends each call as soon as it stands. @returns how long it took until the next was dialled, ms. */
async function waitAfterDrop(bench: ReturnType<typeof benched>['bench']): Promise<number> {
  const { clock, ends } = bench;
  const before = bench.dialled;
  const at = clock.now();
  ends.at(-1)?.(DROPPED);
  await settle();
  while (bench.dialled === before) {
    clock.advance(50);
    await settle();
  }
  return clock.now() - at;
}

describe('a call of a modem with a network interface', () => {
  it('is counted from its beginning until nothing is sent any more, and is hung up then', async () => {
    const { bench, call } = benched();
    call.start();
    await settle();
    bench.ends.at(-1)?.(DROPPED);
    await settle();
    expect(bench.order).toEqual(['count usb0', 'counted, link down', 'hung up']);
    await call.stop();
  });

  it('is up when the interface has an address, and is hung up when nobody wants it', async () => {
    const { bench, call } = benched();
    expect(call.view()).toEqual({ state: 'down', carrier: false, doing: '' });
    call.start();
    call.start();
    expect(call.view()).toMatchObject({ state: 'connecting', doing: 'dialling' });
    await settle();
    expect(bench.links.map(({ device, running }) => [device, running])).toEqual([['usb0', true]]);
    bench.links[0]?.up();
    expect(call.view()).toMatchObject({ state: 'up', addressing: { device: 'usb0' } });
    await call.stop();
    expect(bench).toMatchObject({ dialled: 1, hungUp: 1 });
    expect(bench.links[0]?.running).toBe(false);
    expect(call.view()).toEqual({ state: 'down', carrier: false, doing: '' });
  });

  it('that ends says so before it is hung up, and is dialled again', async () => {
    const { bench, call } = benched();
    call.start();
    await settle();
    bench.links[0]?.up();
    const { promise, resolve } = Promise.withResolvers<void>();
    bench.hangUp = promise;
    const told: string[] = [];
    call.onChange = () => told.push(call.view().state);
    bench.ends[0]?.(DROPPED);
    await settle();
    expect(told).toEqual(['failed']);
    expect(call.view()).toMatchObject({ failure: DROPPED, doing: 'waiting to dial again' });
    bench.clock.advance(10_000);
    await settle();
    expect(bench.dialled).toBe(1);
    resolve();
    await settle();
    bench.clock.advance(10_000);
    await settle();
    expect(bench).toMatchObject({ dialled: 2, hungUp: 1 });
    bench.links[1]?.up();
    expect(call.view().state).toBe('up');
    expect(call.view()).not.toHaveProperty('failure');
    await call.stop();
  });

  it('that never brings an address is dialled less and less often; one that did, at once', async () => {
    const { bench, call } = benched();
    call.start();
    await settle();
    const waits: number[] = [];
    for (let time = 0; time < 5; time++) waits.push(await waitAfterDrop(bench));
    expect(waits.at(-1)).toBeGreaterThan(3_900);
    bench.links.at(-1)?.up();
    expect(await waitAfterDrop(bench)).toBeLessThanOrEqual(550);
    await call.stop();
  });

  it('that is refused says why; the modem that came back is dialled without waiting', async () => {
    const { bench, call } = benched();
    bench.refusal = REFUSED;
    call.start();
    await settle();
    expect(call.view()).toMatchObject({ state: 'failed', failure: REFUSED });
    bench.refusal = undefined;
    call.parentReturned();
    await settle();
    expect(bench.dialled).toBe(2);
    call.parentReturned();
    expect(bench.links[0]?.returned).toBe(1);
    await call.stop();
    expect(bench.hungUp).toBe(1);
  });

  it('that is wanted again while it is hung up begins when that is done, without the old failure', async () => {
    const { bench, call } = benched();
    bench.refusal = REFUSED;
    call.start();
    await settle();
    bench.refusal = undefined;
    const stopped = call.stop();
    call.start();
    expect(call.view().state).toBe('connecting');
    await stopped;
    await settle();
    expect(bench.links).toHaveLength(1);
    await call.stop();
  });
});
