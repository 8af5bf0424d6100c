import { HalError } from '../hal-error.ts';
import { assertInterfaceName } from '../names.ts';
import type { Tun, TunFactory } from '../tun.ts';
import type { SimulatedHandles } from './handles.ts';
import type { SimulatedLinks } from './links.ts';

/** Packets that wait in a device before the kernel drops more (txqueuelen of a TUN). */
const QUEUE_LENGTH = 500;

/** The MTU of a new TUN, octets. */
const DEFAULT_MTU = 1500;

/** TUN devices of a simulated machine: a test is their kernel side. */
export class SimulatedTunFactory implements TunFactory {
  readonly #handles: SimulatedHandles;
  readonly #links: SimulatedLinks | undefined;
  readonly #open = new Map<string, SimulatedTun>();

  /** @param links where the devices appear as links; without it every device is up from the start. */
  constructor(handles: SimulatedHandles, links?: SimulatedLinks) {
    this.#handles = handles;
    this.#links = links;
  }

  open(name: string): SimulatedTun {
    assertInterfaceName(name);
    if (this.#open.has(name) || this.#links?.has(name)) {
      throw new HalError(
        `The TUN device ${name} cannot be created (EBUSY). A network interface of that name exists: ` +
          'remove it or choose another name.',
        'EBUSY',
      );
    }
    const links = this.#links;
    links?.addLink({ name, mtu: DEFAULT_MTU, up: false });
    const tun = new SimulatedTun(
      name,
      this.#handles,
      () => links?.isUp(name) ?? true,
      () => {
        this.#open.delete(name);
        links?.removeLink(name);
      },
    );
    this.#open.set(name, tun);
    return tun;
  }

  /** The open device of that name. */
  device(name: string): SimulatedTun | undefined {
    return this.#open.get(name);
  }
}

export class SimulatedTun implements Tun {
  readonly name: string;
  readonly handle: number;
  readonly #handles: SimulatedHandles;
  readonly #isUp: () => boolean;
  readonly #onClose: () => void;
  readonly #toProgram: Uint8Array[] = [];
  #fromProgram: Uint8Array[] = [];
  #closed = false;

  constructor(name: string, handles: SimulatedHandles, isUp: () => boolean, onClose: () => void) {
    this.name = name;
    this.#handles = handles;
    this.#isUp = isUp;
    this.#onClose = onClose;
    this.handle = handles.register(() => this.#toProgram.length > 0);
  }

  read(into: Uint8Array): number {
    this.#assertOpen();
    const packet = this.#toProgram.shift();
    if (!packet) return -1;
    const length = Math.min(packet.length, into.length);
    into.set(packet.subarray(0, length));
    return length;
  }

  write(packet: Uint8Array): boolean {
    this.#assertOpen();
    const version = (packet[0] ?? 0) >> 4;
    if (!this.#isUp() || (version !== 4 && version !== 6)) return false;
    this.#fromProgram.push(packet.slice());
    return true;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#handles.release(this.handle);
    this.#onClose();
  }

  /** The kernel routes a packet into the device. @returns false when it is down or its queue is full. */
  inject(packet: Uint8Array): boolean {
    if (this.#closed || !this.#isUp() || this.#toProgram.length >= QUEUE_LENGTH) return false;
    this.#toProgram.push(packet.slice());
    return true;
  }

  /** What was written since the last call. */
  taken(): readonly Uint8Array[] {
    const packets = this.#fromProgram;
    this.#fromProgram = [];
    return packets;
  }

  #assertOpen(): void {
    if (this.#closed) throw new HalError(`The TUN device ${this.name} is closed.`, 'EBADF');
  }
}
