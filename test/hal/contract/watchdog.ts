import assert from 'node:assert/strict';
import { HalError } from '../../../hal/hal-error.ts';
import type { Watchdogs } from '../../../hal/watchdog.ts';
import type { Contract } from './contract.ts';

export interface WatchdogWorld {
  readonly watchdogs: Watchdogs;
  /** Of one that can be stopped, and that takes any number of seconds. */
  readonly device: string;
  /** Whether it runs, as seen past the port. */
  running(): boolean | Promise<boolean>;
}

export const watchdogContract: Contract<WatchdogWorld> = {
  name: 'watchdog',
  cases: [
    {
      name: 'runs while it is open, and stops when it is closed',
      run: async ({ watchdogs, device, running }) => {
        assert.equal(await running(), false);
        const watchdog = watchdogs.open(device, 30);
        assert.equal(await running(), true);
        assert.notEqual(watchdog.identity, '');
        assert.equal(watchdog.timeoutSeconds, 30);
        watchdog.feed();
        assert.deepEqual(watchdog.close(), { running: false });
        assert.equal(await running(), false);
      },
    },
    {
      name: 'is fed by one at a time',
      run: ({ watchdogs, device }) => {
        const watchdog = watchdogs.open(device, 30);
        assert.throws(() => watchdogs.open(device, 30), HalError);
        watchdog.close();
      },
    },
    {
      name: 'is closed once, is not fed any more then, and can be opened again',
      run: ({ watchdogs, device }) => {
        const watchdog = watchdogs.open(device, 30);
        watchdog.close();
        watchdog.close();
        assert.throws(() => watchdog.feed(), HalError);
        watchdogs.open(device, 20).close();
      },
    },
    {
      name: 'there is none of another name, in words',
      run: ({ watchdogs }) => {
        assert.throws(
          () => watchdogs.open('/dev/watchdog-nothing', 30),
          (error) => error instanceof HalError && error.code === 'ENOENT',
        );
      },
    },
  ],
};
