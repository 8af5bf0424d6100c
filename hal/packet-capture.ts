/** Packets that pass a network device, both ways, as they are: a copy for somebody who looks, which changes nothing. */
export interface PacketCaptureFactory {
  /**
   * Begins at once. The device is not put into promiscuous mode: what is not for this machine is not wanted.
   * @param device 1..15 octets.
   * @throws HalError: no such device, capability missing, too many open files.
   */
  open(device: string): PacketCapture;
}

/** `inbound`: from the device to this machine. */
export type CaptureDirection = 'inbound' | 'outbound';

/** Filled by {@link PacketCapture.take}; one object serves for all calls. */
export interface CapturedFrame {
  /** Where the packet begins in the buffer. */
  offset: number;
  /** Octets of it that were taken: less than `originalLength` where the buffer had no more room. */
  length: number;
  originalLength: number;
  direction: CaptureDirection;
  /** Nanoseconds since 1970 at which the kernel saw it. */
  time: bigint;
}

/** Since the beginning of the capture. */
export interface CaptureStatistics {
  /** Packets that passed, lost ones included. */
  readonly passed: number;
  /** Packets that nobody took in time. */
  readonly lost: number;
}

export interface PacketCapture {
  readonly device: string;
  /** What a packet begins with: an Ethernet header (with its VLAN tag, if it had one), or IP, as on a TUN. */
  readonly link: 'ethernet' | 'ip';
  /** The device has been removed: nothing comes any more. */
  readonly gone: boolean;
  /**
   * Takes the next packet. The first {@link CAPTURE_HEADROOM} octets of `into` may stay unused.
   * @returns false when none is waiting.
   */
  take(into: Uint8Array, frame: CapturedFrame): boolean;
  statistics(): CaptureStatistics;
  close(): void;
}

/** Room for a VLAN tag that the kernel has taken out and that is put back, octets. */
export const CAPTURE_HEADROOM = 4;

export function newCapturedFrame(): CapturedFrame {
  return { offset: 0, length: 0, originalLength: 0, direction: 'inbound', time: 0n };
}
