/** What the kernel counts of this machine and this process. */
export interface MachineCounters {
  /** Octets received and sent by each of these network devices since it is there; those that are not there are left out. */
  links(devices: readonly string[]): ReadonlyMap<string, { readonly received: number; readonly sent: number }>;
  /** Octets that this process has had written to disks; `undefined` where the kernel does not say. */
  diskWrites(): number | undefined;
}
