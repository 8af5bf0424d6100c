/** Whether there is something at the other end of a device's cable, at once: the kernel tells of it up to a second late. */
export interface CarrierSenseFactory {
  /** @throws HalError: too many open files. */
  open(): CarrierSense;
}

export interface CarrierSense {
  /**
   * One system call.
   * @param device 1..15 octets.
   * @returns false also while the device is down; undefined: there is no such device.
   */
  read(device: string): boolean | undefined;
  /** Harmless when it is closed. */
  close(): void;
}
