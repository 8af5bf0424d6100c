/** What only a real kernel shows of the drivers of a board. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { LinuxLeds } from '../../../hal/linux/leds.ts';
import { LinuxWatchdogs } from '../../../hal/linux/watchdog.ts';
import type { Contract } from '../contract/contract.ts';
import { UserLed } from './user-led.ts';

const NAME = 'router:blue:vpn';
const pass = (milliseconds: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, milliseconds));

/** Lines of the kernel's log that say that the watchdog has not been fed in time. */
function bites(): number {
  const log = execFileSync('dmesg', { encoding: 'utf8' });
  return log.split('\n').filter((line) => /softdog: Triggered/.test(line)).length;
}

export const boardCases: Contract<undefined> = {
  name: 'board',
  cases: [
    {
      name: 'a LED that blinks goes on by itself, at the pace that was asked for',
      run: async () => {
        const lamp = new UserLed(NAME);
        try {
          const led = await new LinuxLeds().open(NAME);
          await led.show({ kind: 'timer', onMs: 50, offMs: 150 });
          const levels: number[] = [];
          const start = performance.now();
          // The lamp holds one level for whoever looks: it is looked at more often than it changes.
          while (performance.now() - start < 2_000) {
            levels.push(...lamp.levels());
            await pass(5);
          }
          const flashes = levels.filter((level) => level === 1).length;
          assert.ok(flashes >= 5 && flashes <= 11, `${flashes} flashes in two seconds instead of ten`);
          await led.restore();
        } finally {
          lamp.close();
        }
      },
    },
    {
      name: 'a watchdog that is fed stays quiet, and bites when it is not',
      run: async () => {
        const before = bites();
        const watchdog = new LinuxWatchdogs().open('/dev/watchdog', 2);
        try {
          assert.equal(watchdog.timeoutSeconds, 2);
          for (let round = 0; round < 16; round++) {
            await pass(250);
            watchdog.feed();
          }
          assert.equal(bites(), before);
          const start = performance.now();
          while (bites() === before && performance.now() - start < 10_000) await pass(50);
          assert.ok(performance.now() - start > 1_500, 'it bites too early');
          assert.equal(bites(), before + 1);
        } finally {
          watchdog.close();
        }
      },
    },
  ],
};
