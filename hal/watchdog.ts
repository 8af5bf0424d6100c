/** What resets the machine when nobody feeds it. */

export interface Watchdog {
  /** Of its driver, `Broadcom BCM2835 Watchdog timer`. */
  readonly identity: string;
  /** Seconds without food after which it resets the machine; the driver may have chosen another number than was asked for. */
  readonly timeoutSeconds: number;
  /** @throws HalError when the driver refuses. */
  feed(): void;
  /**
   * Stops it, where the driver lets it be stopped. Harmless when it is closed.
   * @returns whether it will reset the machine all the same, since the driver does not let it be stopped.
   */
  close(): { readonly running: boolean };
}

export interface Watchdogs {
  /**
   * From here on it must be fed. @param device `/dev/watchdog`. @param timeoutSeconds 1 or more.
   * @throws HalError: there is none, somebody else feeds it, no permission.
   */
  open(device: string, timeoutSeconds: number): Watchdog;
}
