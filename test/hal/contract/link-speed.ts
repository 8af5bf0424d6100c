import assert from 'node:assert/strict';
import type { LinkSpeeds } from '../../../hal/link-speed.ts';
import type { Contract } from './contract.ts';
import type { LinksWorld } from './links.ts';

export interface LinkSpeedWorld extends LinksWorld {
  readonly speeds: LinkSpeeds;
}

export const linkSpeedContract: Contract<LinkSpeedWorld> = {
  name: 'link-speed',
  cases: [
    {
      name: 'tells what a cable carries',
      run: ({ speeds, device }) => {
        const speed = speeds.read(device);
        assert.ok(speed !== undefined && speed.megabits >= 10 && Number.isInteger(speed.megabits));
        assert.equal(speed.fullDuplex, true);
      },
    },
    {
      name: 'of a device that has no speed, or is not there, nothing is said, and a name that is none is refused',
      run: ({ speeds }) => {
        assert.equal(speeds.read('lo'), undefined);
        assert.equal(speeds.read('cvnothing'), undefined);
        assert.throws(() => speeds.read('a b'), { name: 'HalError', code: 'EINVAL' });
      },
    },
  ],
};
