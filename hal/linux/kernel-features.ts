/** What the kernel says of itself: its configuration, where it shows that, else the lists of its modules. */
import { readFile } from 'node:fs/promises';
import { release } from 'node:os';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import {
  KERNEL_FEATURES,
  type KernelFeature,
  type KernelFeatureName,
  type KernelFeatures,
  type KernelReport,
} from '../kernel-features.ts';

/** Option of the kernel's configuration, and the module where it is one. */
const PLACES: Readonly<Record<KernelFeatureName, { readonly option: string; readonly module: string }>> = {
  tun: { option: 'CONFIG_TUN', module: 'tun' },
  'packet-sockets': { option: 'CONFIG_PACKET', module: 'af_packet' },
  'policy-routing': { option: 'CONFIG_IP_MULTIPLE_TABLES', module: '' },
  nftables: { option: 'CONFIG_NF_TABLES', module: 'nf_tables' },
  masquerade: { option: 'CONFIG_NFT_MASQ', module: 'nft_masq' },
  ipv6: { option: 'CONFIG_IPV6', module: 'ipv6' },
  xfrm: { option: 'CONFIG_XFRM_USER', module: 'xfrm_user' },
  esp: { option: 'CONFIG_INET_ESP', module: 'esp4' },
  ah: { option: 'CONFIG_INET_AH', module: 'ah4' },
  l2tp: { option: 'CONFIG_L2TP', module: 'l2tp_core' },
  ppp: { option: 'CONFIG_PPP', module: 'ppp_generic' },
  pppoe: { option: 'CONFIG_PPPOE', module: 'pppoe' },
  vlan: { option: 'CONFIG_VLAN_8021Q', module: '8021q' },
  bridge: { option: 'CONFIG_BRIDGE', module: 'bridge' },
  netem: { option: 'CONFIG_NET_SCH_NETEM', module: 'sch_netem' },
};

/** Octets of a configuration at most: real ones have some 300,000. */
const MAX_CONFIGURATION = 4 * 1024 * 1024;

/** What could be read, each text absent where it could not. */
export interface KernelEvidence {
  /** Lines of the kernel's configuration. */
  readonly configuration?: string;
  /** /proc/modules. */
  readonly loaded?: string;
  /** modules.builtin and modules.dep of the release. */
  readonly builtin?: string;
  readonly installed?: string;
}

export class LinuxKernelFeatures implements KernelFeatures {
  async report(): Promise<KernelReport> {
    const running = release();
    return { release: running, features: judgeFeatures(await gather(running)) };
  }
}

async function gather(running: string): Promise<KernelEvidence> {
  const modules = `/lib/modules/${running}`;
  const [configuration, loaded, builtin, installed] = await Promise.all([
    configurationOf(running),
    textOf('/proc/modules'),
    textOf(`${modules}/modules.builtin`),
    textOf(`${modules}/modules.dep`),
  ]);
  return {
    ...(configuration !== undefined && { configuration }),
    ...(loaded !== undefined && { loaded }),
    ...(builtin !== undefined && { builtin }),
    ...(installed !== undefined && { installed }),
  };
}

async function configurationOf(running: string): Promise<string | undefined> {
  try {
    const unpacked = await promisify(gunzip)(await readFile('/proc/config.gz'), { maxOutputLength: MAX_CONFIGURATION });
    return unpacked.toString('latin1');
  } catch {
    return await textOf(`/boot/config-${running}`);
  }
}

async function textOf(path: string): Promise<string | undefined> {
  return await readFile(path, 'latin1').catch(() => undefined);
}

/** What follows of each feature. */
export function judgeFeatures(evidence: KernelEvidence): readonly KernelFeature[] {
  const options = evidence.configuration === undefined ? undefined : optionsOf(evidence.configuration);
  const loaded = names(evidence.loaded, (line) => line.split(' ')[0] ?? '');
  const builtin = names(evidence.builtin, moduleName);
  const installed = names(evidence.installed, moduleName);
  return KERNEL_FEATURES.map((name) => {
    const { option, module } = PLACES[name];
    const value = options?.get(option);
    const feature = (state: KernelFeature['state'], why: string): KernelFeature => ({ name, state, evidence: why });
    if (value === 'y') return feature('present', `${option} is built in`);
    if (loaded?.has(module)) return feature('present', `its module ${module} is loaded`);
    if (value === 'm') {
      if (installed === undefined || installed.has(module)) return feature('loadable', `it is the module ${module}`);
      return feature('absent', `its module ${module} is not installed`);
    }
    if (options !== undefined) return feature('absent', `the kernel was built without ${option}`);
    if (builtin?.has(module)) return feature('present', `${module} is built in`);
    if (installed?.has(module)) return feature('loadable', `its module ${module} is installed`);
    // What is never a module stands in no list of modules.
    if (module !== '' && builtin !== undefined && installed !== undefined) {
      return feature('absent', `no module ${module} is installed`);
    }
    return feature('unknown', 'neither the configuration of the kernel nor the lists of its modules can be read');
  });
}

function optionsOf(configuration: string): ReadonlyMap<string, string> {
  const lines = configuration.matchAll(/^(CONFIG_\w+)=([ym])$/gm);
  return new Map([...lines].map(([, option = '', value = '']) => [option, value]));
}

function names(text: string | undefined, nameOf: (line: string) => string): ReadonlySet<string> | undefined {
  return text === undefined
    ? undefined
    : new Set(
        text
          .split('\n')
          .map(nameOf)
          .filter((name) => name !== ''),
      );
}

/** `kernel/net/ipv4/esp4.ko.xz: ...` is `esp4`. The kernel takes `-` and `_` for the same in names of modules. */
function moduleName(line: string): string {
  const file = (line.split(':')[0] ?? '').split('/').at(-1) ?? '';
  return file.replace(/\.ko(\.\w+)?$/, '').replaceAll('-', '_');
}
