import assert from 'node:assert/strict';
import type { CarrierSenseFactory } from '../../../hal/carrier-sense.ts';
import type { Contract } from './contract.ts';
import type { LinksWorld } from './links.ts';

export interface CarrierSenseWorld extends LinksWorld {
  readonly carriers: CarrierSenseFactory;
}

export const carrierSenseContract: Contract<CarrierSenseWorld> = {
  name: 'carrier-sense',
  cases: [
    {
      name: 'says at once when a cable was pulled, and when it is back',
      run: ({ carriers, device, plug }) => {
        const sense = carriers.open();
        assert.equal(sense.read(device), true);
        plug(false);
        assert.equal(sense.read(device), false);
        plug(true);
        assert.equal(sense.read(device), true);
        sense.close();
      },
    },
    {
      name: 'a device that is down has none, whatever its cable',
      run: async ({ carriers, device, links }) => {
        const sense = carriers.open();
        await links.setUp(device, false);
        assert.equal(sense.read(device), false);
        sense.close();
      },
    },
    {
      name: 'of a device whose driver says nothing, the flags tell: loopback',
      run: ({ carriers }) => {
        const sense = carriers.open();
        assert.equal(sense.read('lo'), true);
        sense.close();
      },
    },
    {
      name: 'of a device that is not there nothing is said, and a name that is none is refused',
      run: ({ carriers }) => {
        const sense = carriers.open();
        assert.equal(sense.read('cvnothing'), undefined);
        assert.throws(() => sense.read('a b'), { name: 'HalError', code: 'EINVAL' });
        sense.close();
      },
    },
    {
      name: 'a closed one says so',
      run: ({ carriers, device }) => {
        const sense = carriers.open();
        sense.close();
        sense.close();
        assert.throws(() => sense.read(device), { name: 'HalError', code: 'EBADF' });
      },
    },
  ],
};
