/** What only the kernel's TUN devices can show. */
import assert from 'node:assert/strict';
import type { Contract } from '../contract/contract.ts';
import { ip } from '../contract/linux-worlds.ts';
import type { TunWorld } from '../contract/tun.ts';

export const linuxTunCases: Contract<TunWorld> = {
  name: 'linux-tun',
  cases: [
    {
      name: 'a device that was deleted from outside makes read throw, in words',
      run: (world) => {
        const tun = world.open('cvtun0');
        ip('link del cvtun0');
        assert.throws(() => tun.read(new Uint8Array(100)), {
          name: 'HalError',
          code: 'EBADFD',
          message: /cvtun0 .* was deleted from outside/,
        });
      },
    },
    {
      name: 'a TUN that someone else made to last is left alone',
      run: (world) => {
        ip('tuntap add dev cvtun0 mode tun');
        try {
          assert.throws(() => world.open('cvtun0'), { code: 'EBUSY' });
        } finally {
          ip('link del cvtun0');
        }
      },
    },
  ],
};
