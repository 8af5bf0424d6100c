/** Of one network device, since it is there. */
export interface LinkCounters {
  /** Octets. */
  readonly received: number;
  readonly sent: number;
  readonly packetsReceived: number;
  readonly packetsSent: number;
  /** Packets that were damaged, or could not be sent. */
  readonly receiveErrors: number;
  readonly sendErrors: number;
  /** Packets for which there was no room. */
  readonly receiveDrops: number;
  readonly sendDrops: number;
}

/** What the kernel counts of this machine and this process. */
export interface MachineCounters {
  /** By name of the device; those that are not there are left out. */
  links(devices: readonly string[]): ReadonlyMap<string, LinkCounters>;
  /** Octets that this process has had written to disks; `undefined` where the kernel does not say. */
  diskWrites(): number | undefined;
}
