import assert from 'node:assert/strict';
import { KERNEL_FEATURES, type KernelFeatures } from '../../../hal/kernel-features.ts';
import type { Contract } from './contract.ts';

export const kernelFeaturesContract: Contract<KernelFeatures> = {
  name: 'kernel-features',
  cases: [
    {
      name: 'tells of every feature once, in order, with what it knows that by',
      run: async (kernel) => {
        const { release, features } = await kernel.report();
        assert.notEqual(release, '');
        assert.deepEqual(
          features.map(({ name }) => name),
          KERNEL_FEATURES,
        );
        for (const { state, evidence } of features) {
          assert.match(state, /^(present|loadable|absent|unknown)$/);
          assert.match(evidence, /^\w.*[^.]$/);
        }
      },
    },
    {
      name: 'tells the same when it is asked again',
      run: async (kernel) => assert.deepEqual(await kernel.report(), await kernel.report()),
    },
  ],
};
