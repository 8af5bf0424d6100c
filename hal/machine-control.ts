/** The machine as a whole: what only its owner may end. */
export type MachineAction = 'reboot' | 'poweroff';

export interface MachineControl {
  /**
   * Asks the machine for it, in good order: whatever runs gets its SIGTERM, this process too, soon after.
   * @throws HalError, in words: it cannot, or this process may not.
   */
  perform(action: MachineAction): Promise<void>;
}
