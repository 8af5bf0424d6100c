import { HalError } from '../hal-error.ts';
import type { OctetLine, OctetLineFactory } from '../octet-line.ts';
import type { SimulatedHandles } from './handles.ts';

/** Lines with two ends, each known by a descriptor. */
export class SimulatedOctetLines implements OctetLineFactory {
  readonly #handles: SimulatedHandles;
  readonly #ends = new Map<number, SimulatedLineEnd>();

  constructor(handles: SimulatedHandles) {
    this.#handles = handles;
  }

  /** A new line. @param room octets that wait in each direction before no more are taken. */
  pair(room = 4096): readonly [SimulatedLineEnd, SimulatedLineEnd] {
    const one = new SimulatedLineEnd(this.#handles, room);
    const other = new SimulatedLineEnd(this.#handles, room);
    one.join(other);
    other.join(one);
    this.#ends.set(one.handle, one).set(other.handle, other);
    return [one, other];
  }

  adopt(descriptor: number): OctetLine {
    const end = this.#ends.get(descriptor);
    if (end === undefined) throw new HalError(`There is no line ${descriptor}.`, 'EBADF');
    return end;
  }
}

export class SimulatedLineEnd implements OctetLine {
  readonly handle: number;
  readonly #handles: SimulatedHandles;
  readonly #room: number;
  #other: SimulatedLineEnd | undefined;
  #waiting: number[] = [];
  #lost = false;
  /** What becomes of an octet on its way to this end, for tests that damage it. */
  garble: (octet: number) => number | undefined = (octet) => octet;

  constructor(handles: SimulatedHandles, room: number) {
    this.#handles = handles;
    this.#room = room;
    this.handle = handles.register(
      () => this.#lost || this.#waiting.length > 0,
      () => this.#lost || (this.#other?.hasRoom ?? false),
    );
  }

  join(other: SimulatedLineEnd): void {
    this.#other = other;
  }

  get hasRoom(): boolean {
    return this.#waiting.length < this.#room;
  }

  read(into: Uint8Array): number {
    const octets = this.#waiting.splice(0, into.length);
    if (octets.length > 0) {
      into.set(octets);
      return octets.length;
    }
    this.#assertThere();
    return -1;
  }

  write(octets: Uint8Array): number {
    this.#assertThere();
    return this.#other?.arrive(octets) ?? 0;
  }

  /** Both ends are gone. */
  hangUp(): void {
    this.#lost = true;
    if (this.#other?.isLost === false) this.#other.hangUp();
  }

  get isLost(): boolean {
    return this.#lost;
  }

  arrive(octets: Uint8Array): number {
    const taken = octets.subarray(0, Math.max(0, this.#room - this.#waiting.length));
    for (const octet of taken) {
      const arrived = this.garble(octet);
      if (arrived !== undefined) this.#waiting.push(arrived);
    }
    return taken.length;
  }

  close(): void {
    this.#handles.release(this.handle);
  }

  #assertThere(): void {
    if (this.#lost) throw new HalError('The line was unplugged or hung up (EIO).', 'EIO');
  }
}
