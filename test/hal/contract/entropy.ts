import assert from 'node:assert/strict';
import type { Entropy } from '../../../hal/entropy.ts';
import type { Contract } from './contract.ts';

export const entropyContract: Contract<Entropy> = {
  name: 'entropy',
  cases: [
    {
      name: 'gives as many octets as asked, from none to 65536',
      run: (entropy) => {
        for (const length of [0, 1, 16, 65_536]) assert.equal(entropy.bytes(length).length, length);
      },
    },
    {
      name: 'gives other octets each time',
      run: (entropy) => {
        const drawn = new Set(Array.from({ length: 1000 }, () => Buffer.from(entropy.bytes(8)).toString('hex')));
        assert.equal(drawn.size, 1000);
      },
    },
    {
      name: 'uses every value of an octet about equally often',
      run: (entropy) => {
        const counts = new Uint32Array(256);
        for (const octet of entropy.bytes(65_536)) counts[octet] = (counts[octet] ?? 0) + 1;
        // 256 expected, standard deviation 16: ten of them would not happen in the life of the universe.
        for (const count of counts) assert.ok(count > 96 && count < 416, String(count));
      },
    },
    {
      name: 'refuses a length outside of its range',
      run: (entropy) => {
        for (const length of [-1, 1.5, 65_537, Number.NaN]) assert.throws(() => entropy.bytes(length), RangeError);
      },
    },
  ],
};
