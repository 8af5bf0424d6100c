import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DataMeter } from '../../../../firmware/uplink/modem/data-meter.ts';
import { PinGuard } from '../../../../firmware/uplink/modem/pin-guard.ts';
import { SimulatedClock } from '../../../../hal/simulated/clock.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'modem-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('the guard of the PIN', () => {
  const path = () => join(folder, 'pins.json');
  /** As after a reboot: nothing is known but the file. */
  const guard = () => new PinGuard(path(), new SeededRandom(1));

  it('lets a PIN be tried once on a SIM, over reboots', async () => {
    expect(await guard().mayTry('8949', '1234')).toBe(true);
    expect(await guard().mayTry('8949', '1234')).toBe(false);
    expect(await guard().mayTry('8949', '4711')).toBe(true);
    expect(await guard().mayTry('8950', '1234')).toBe(true);
    await guard().tried('8949', '1234', false);
    expect(await guard().mayTry('8949', '1234')).toBe(false);
  });

  it('lets one that was good be given again, until it is good no more', async () => {
    await guard().mayTry('8949', '1234');
    await guard().tried('8949', '1234', true);
    expect(await guard().mayTry('8949', '1234')).toBe(true);
    expect(await guard().mayTry('8949', '1234')).toBe(true);
    await guard().tried('8949', '1234', false);
    expect(await guard().mayTry('8949', '1234')).toBe(false);
  });

  it('counts a SIM whose serial number cannot be read as the one that was in the modem', async () => {
    expect(await guard().mayTry('8949', '1234')).toBe(true);
    expect(await guard().mayTry('', '1234')).toBe(false);
    expect(await guard().mayTry('8950', '1234')).toBe(true);
    expect(await guard().mayTry('', '4711')).toBe(true);
    expect(await guard().mayTry('', '4711')).toBe(false);
    expect(await guard().mayTry('8951', '4711')).toBe(false);
    await guard().tried('', '4711', true);
    expect(await guard().mayTry('', '4711')).toBe(true);
    expect(await guard().mayTry('8951', '4711')).toBe(true);
  });

  it('writes neither PIN nor SIM into its file', async () => {
    await guard().mayTry('89490200001234567899', '12345678');
    const text = await readFile(path(), 'utf8');
    expect(text).not.toContain('12345678');
    expect(text).not.toContain('8949020000');
  });

  it('lets nothing be tried when that cannot be known or noted', async () => {
    await writeFile(path(), '{"format":1');
    await expect(guard().mayTry('8949', '1234')).rejects.toThrow('is damaged');
    const nowhere = new PinGuard(join(path(), 'x', 'pins.json'), new SeededRandom(1));
    await expect(nowhere.mayTry('8949', '1234')).rejects.toThrow();
  });
});

describe('the data of the month', () => {
  const meterAt = async (wall: number) => {
    const clock = new SimulatedClock(0, wall);
    const meter = new DataMeter(join(folder, 'data.json'), clock);
    await meter.load();
    return { meter, clock };
  };
  const NOVEMBER = Date.UTC(2026, 10, 29);
  const DAY = 86_400_000;

  it('is kept over restarts, and begins anew with the month', async () => {
    const { meter } = await meterAt(NOVEMBER);
    await meter.add(3_000_000);
    await meter.save();
    const { meter: next, clock } = await meterAt(NOVEMBER + DAY);
    await next.add(1_000_000);
    expect(next.octets).toBe(4_000_000);
    expect([next.isOver(4), next.isOver(5), next.isOver(undefined)]).toEqual([true, false, false]);
    clock.advance(DAY);
    expect(next.octets).toBe(0);
  });

  it('is not lost to a clock that is not set yet', async () => {
    const { meter } = await meterAt(NOVEMBER);
    await meter.add(3_000_000);
    await meter.save();
    const { meter: early, clock } = await meterAt(0);
    await early.add(1);
    expect(early.octets).toBe(3_000_001);
    clock.setWall(NOVEMBER);
    expect(early.octets).toBe(3_000_001);
  });

  it('is written now and then, and not with each packet', async () => {
    const { meter } = await meterAt(NOVEMBER);
    await meter.add(9_999_999);
    await expect(readFile(join(folder, 'data.json'))).rejects.toThrow();
    await meter.add(1);
    expect(await readFile(join(folder, 'data.json'), 'utf8')).toBe('{"month":"2026-11","octets":10000000}\n');
  });
});
