import { describe, expect, it } from 'vitest';
import type { KernelFeatureName } from '../../hal/kernel-features.ts';
import { judgeFeatures, type KernelEvidence, LinuxKernelFeatures } from '../../hal/linux/kernel-features.ts';
import { SimulatedKernelFeatures } from '../../hal/simulated/kernel-features.ts';
import { suiteOf } from './contract/contract.ts';
import { kernelFeaturesContract } from './contract/kernel-features.ts';
import { describeSimulated } from './contract/run.ts';

const nothing = () => undefined;
describeSimulated(kernelFeaturesContract, () => ({ world: new SimulatedKernelFeatures(), close: nothing }));

describe.skipIf(process.platform !== 'linux')('kernel-features, Linux', () => {
  const suite = suiteOf(kernelFeaturesContract, () => ({ world: new LinuxKernelFeatures(), close: nothing }));
  for (const { name, run } of suite.cases) it(name, run);
});

function state(name: KernelFeatureName, evidence: KernelEvidence) {
  const found = judgeFeatures(evidence).find((feature) => feature.name === name);
  return [found?.state, found?.evidence];
}

const LISTS = {
  loaded: 'esp4 24576 2 - Live 0x0\naf_packet 1 1 - Live 0x0\n',
  builtin: 'kernel/drivers/net/tun.ko\n',
  installed: 'kernel/net/ipv4/esp4.ko.xz:\nkernel/net/xfrm/xfrm-user.ko: kernel/net/xfrm/xfrm_algo.ko\n',
};

describe('what a kernel has', () => {
  it.each([
    ['built in', 'tun', { configuration: 'CONFIG_TUN=y\n' }, 'present', 'CONFIG_TUN is built in'],
    ['left out', 'esp', { configuration: '# CONFIG_INET_ESP is not set\n' }, 'absent', /without CONFIG_INET_ESP/],
    ['of a longer name', 'tun', { configuration: 'CONFIG_TUN_VNET=y\n' }, 'absent', /without CONFIG_TUN/],
    ['a module', 'esp', { configuration: 'CONFIG_INET_ESP=m\n' }, 'loadable', 'it is the module esp4'],
    ['a module that is loaded', 'esp', { configuration: 'CONFIG_INET_ESP=m\n', ...LISTS }, 'present', /esp4 is loaded/],
    ['a module that is not installed', 'ppp', { configuration: 'CONFIG_PPP=m\n', ...LISTS }, 'absent', /not installed/],
    ['built in, by the lists', 'tun', LISTS, 'present', 'tun is built in'],
    ['loaded, by the lists', 'packet-sockets', LISTS, 'present', /af_packet is loaded/],
    ['installed, by the lists', 'xfrm', LISTS, 'loadable', /xfrm_user is installed/],
    ['in no list', 'vlan', LISTS, 'absent', 'no module 8021q is installed'],
    ['never a module, by the lists', 'policy-routing', LISTS, 'unknown', /nor the lists of its modules/],
    ['of a machine that says nothing', 'esp', {}, 'unknown', /nor the lists of its modules/],
    ['of a machine with half of the lists', 'vlan', { loaded: LISTS.loaded }, 'unknown', /nor the lists/],
  ] as const)('%s', (_what, name, evidence, wanted, words) => {
    const expected = typeof words === 'string' ? words : expect.stringMatching(words);
    expect(state(name, evidence)).toEqual([wanted, expected]);
  });
});
