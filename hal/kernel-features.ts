/** What the kernel of this machine has, as far as that can be told by looking: nothing is loaded, opened or tried for it. */

export const KERNEL_FEATURES = [
  'tun',
  'packet-sockets',
  'policy-routing',
  'nftables',
  'masquerade',
  'ipv6',
  'xfrm',
  'esp',
  'ah',
  'l2tp',
  'ppp',
  'pppoe',
  'vlan',
  'bridge',
  'netem',
] as const;

export type KernelFeatureName = (typeof KERNEL_FEATURES)[number];

/** `loadable`: as a module that is installed and not loaded now. `unknown`: this machine does not say what its kernel has. */
export type KernelFeatureState = 'present' | 'loadable' | 'absent' | 'unknown';

export interface KernelFeature {
  readonly name: KernelFeatureName;
  readonly state: KernelFeatureState;
  /** By what that is known, a clause without a full stop. */
  readonly evidence: string;
}

export interface KernelReport {
  /** As uname(2) has it. */
  readonly release: string;
  /** Each of {@link KERNEL_FEATURES}, in their order. */
  readonly features: readonly KernelFeature[];
}

export interface KernelFeatures {
  /** Never rejects. Takes some milliseconds. */
  report(): Promise<KernelReport>;
}
