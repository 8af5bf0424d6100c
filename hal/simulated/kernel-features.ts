import {
  KERNEL_FEATURES,
  type KernelFeatureName,
  type KernelFeatureState,
  type KernelFeatures,
  type KernelReport,
} from '../kernel-features.ts';

/** A kernel that has what a test says; of all else it has nothing. */
export class SimulatedKernelFeatures implements KernelFeatures {
  readonly states = new Map<KernelFeatureName, KernelFeatureState>();

  async report(): Promise<KernelReport> {
    const features = KERNEL_FEATURES.map((name) => {
      return { name, state: this.states.get(name) ?? ('absent' as const), evidence: 'the simulation says so' };
    });
    return { release: 'simulated', features };
  }
}
