/** What a machine says of itself: what board it is, and which network devices it has. */
export interface MachineIdentity {
  /** Of its device tree, the most special first; none where there is no device tree. */
  readonly compatible: readonly string[];
  /** Of its firmware (DMI); empty where it says nothing. */
  readonly vendor: string;
  readonly product: string;
  /** Names of network devices. */
  readonly devices: readonly string[];
}
