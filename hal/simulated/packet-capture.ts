import { HalError } from '../hal-error.ts';
import { assertInterfaceName } from '../names.ts';
import {
  CAPTURE_HEADROOM,
  type CaptureDirection,
  type CapturedFrame,
  type CaptureStatistics,
  type PacketCapture,
  type PacketCaptureFactory,
} from '../packet-capture.ts';

/** Packets that wait in a capture before more are lost, as many as a buffer of some MiB holds. */
const QUEUE_LENGTH = 1024;

interface SimulatedDevice {
  readonly link: PacketCapture['link'];
  readonly captures: Set<SimulatedPacketCapture>;
}

/** The devices of a simulated machine, as captures see them: a test says what passes. */
export class SimulatedPacketCaptureFactory implements PacketCaptureFactory {
  readonly #devices = new Map<string, SimulatedDevice>();
  /** Time of what passes, nanoseconds since 1970. */
  time: () => bigint = () => 0n;

  addDevice(name: string, link: PacketCapture['link']): void {
    this.#devices.set(name, { link, captures: new Set() });
  }

  removeDevice(name: string): void {
    for (const capture of this.#devices.get(name)?.captures ?? []) capture.remove();
    this.#devices.delete(name);
  }

  open(name: string): PacketCapture {
    assertInterfaceName(name);
    const device = this.#devices.get(name);
    if (device === undefined) throw new HalError(`There is no network device ${name} to capture on.`, 'ENODEV');
    const capture = new SimulatedPacketCapture(name, device.link, () => device.captures.delete(capture));
    device.captures.add(capture);
    return capture;
  }

  /** How many captures are open. */
  get running(): number {
    return [...this.#devices.values()].reduce((sum, { captures }) => sum + captures.size, 0);
  }

  /** Packets that the captures of a device have taken, and that they have lost, as long as they are open. */
  taken(name: string): number {
    return this.#sum(name, (capture) => capture.takenCount);
  }

  lost(name: string): number {
    return this.#sum(name, (capture) => capture.statistics().lost);
  }

  #sum(name: string, of: (capture: SimulatedPacketCapture) => number): number {
    return [...(this.#devices.get(name)?.captures ?? [])].reduce((sum, capture) => sum + of(capture), 0);
  }

  /** A packet passes a device. */
  pass(name: string, packet: Uint8Array, direction: CaptureDirection = 'inbound'): void {
    const time = this.time();
    for (const capture of this.#devices.get(name)?.captures ?? []) capture.see(packet.slice(), direction, time);
  }
}

class SimulatedPacketCapture implements PacketCapture {
  readonly device: string;
  readonly link: PacketCapture['link'];
  readonly #onClose: () => void;
  readonly #waiting: { packet: Uint8Array; direction: CaptureDirection; time: bigint }[] = [];
  #passed = 0;
  #lost = 0;
  #removed = false;
  #gone = false;
  #closed = false;

  constructor(device: string, link: PacketCapture['link'], onClose: () => void) {
    this.device = device;
    this.link = link;
    this.#onClose = onClose;
  }

  get gone(): boolean {
    return this.#gone;
  }

  take(into: Uint8Array, frame: CapturedFrame): boolean {
    this.#assertOpen();
    const next = this.#waiting.shift();
    if (next === undefined) {
      this.#gone = this.#removed;
      return false;
    }
    const { packet, direction, time } = next;
    const kept = packet.subarray(0, into.length - CAPTURE_HEADROOM);
    into.set(kept, CAPTURE_HEADROOM);
    Object.assign(frame, { offset: CAPTURE_HEADROOM, length: kept.length, originalLength: packet.length });
    Object.assign(frame, { direction, time });
    return true;
  }

  statistics(): CaptureStatistics {
    this.#assertOpen();
    return { passed: this.#passed, lost: this.#lost };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#onClose();
  }

  see(packet: Uint8Array, direction: CaptureDirection, time: bigint): void {
    this.#passed += 1;
    if (this.#waiting.length >= QUEUE_LENGTH) this.#lost += 1;
    else this.#waiting.push({ packet, direction, time });
  }

  get takenCount(): number {
    return this.#passed - this.#lost - this.#waiting.length;
  }

  /** The kernel takes the device away. */
  remove(): void {
    this.#removed = true;
  }

  #assertOpen(): void {
    if (this.#closed) throw new HalError(`The capture on ${this.device} is closed.`, 'EBADF');
  }
}
