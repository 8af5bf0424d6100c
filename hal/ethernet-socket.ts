/**
 * Frames of one EtherType on one Ethernet device, for a thread that blocks in a {@link Poller} and moves many of them: nothing is
 * allocated for a frame. (`packet-socket.ts` is the same for the control thread.)
 */
export interface EthernetSocketFactory {
  /**
   * @param device 1..15 octets.
   * @param etherType 0x0600..0xffff.
   * @throws HalError: no such device, not Ethernet, capability missing, too many open files.
   */
  open(device: string, etherType: number): EthernetSocket;
}

/** Filled by {@link EthernetSocket.receive}; one object serves for all calls. */
export interface EthernetFrameInfo {
  /** Octets behind the Ethernet header, with the padding of a short frame; more than the buffer holds: it was cut. */
  length: number;
  /** Six octets. */
  readonly source: Uint8Array;
}

/** One open socket. It outlives its device being down. */
export interface EthernetSocket {
  /** For {@link Poller}. */
  readonly handle: number;
  /**
   * Takes the next frame for this host alone; nothing for groups, and nothing that is for others.
   * @returns false when none is waiting. @throws HalError when the device was removed: nothing comes any more.
   */
  receive(into: Uint8Array, info: EthernetFrameInfo): boolean;
  /**
   * @param destination six octets.
   * @returns undefined when sent, else the errno name (`ENETDOWN`, `EMSGSIZE`, `ENOBUFS` ...). Never throws for the network's sake.
   */
  send(destination: Uint8Array, payload: Uint8Array): string | undefined;
  /** Harmless when it is closed. */
  close(): void;
}

export function newEthernetFrameInfo(): EthernetFrameInfo {
  return { length: 0, source: new Uint8Array(6) };
}
