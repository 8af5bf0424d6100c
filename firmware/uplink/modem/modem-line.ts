/** A call that stands: PPP behind CONNECT, or the modem's network interface that was switched on. */
import type { PppCarrier } from '../../dataplane/ppp-carrier.ts';
import type { Failure } from '../../protocol/machine.ts';
import type { PppLine } from '../ppp-line.ts';

/** Of PPP on a serial line (RFC 1661 section 6.1). */
const MRU = 1500;

export class ModemLine implements PppLine {
  readonly carrier: PppCarrier;
  readonly mru = MRU;
  readonly peer: string;
  readonly #ended = Promise.withResolvers<Failure>();
  readonly #released = Promise.withResolvers<void>();
  readonly #hangUp: () => Promise<void>;
  #hungUp: Promise<void> | undefined;

  /** @param hangUp takes the descriptor back, then ends the call. */
  constructor(descriptor: number, peer: string, hangUp: () => Promise<void>) {
    this.carrier = { kind: 'serial', descriptor };
    this.peer = peer;
    this.#hangUp = hangUp;
  }

  get ended(): Promise<Failure> {
    return this.#ended.promise;
  }

  /** Resolves when nobody uses the descriptor any more. */
  get released(): Promise<void> {
    return this.#released.promise;
  }

  release(): void {
    this.#released.resolve();
  }

  /** The other side or the line has ended it. */
  end(failure: Failure): void {
    this.#ended.resolve(failure);
  }

  hangUp(): Promise<void> {
    this.#hungUp ??= this.#hangUp();
    return this.#hungUp;
  }
}

/** What a modem with an Ethernet of its own gives. */
export interface ModemEthernet {
  /** `usb0`: a DHCP client goes on from there. */
  readonly device: string;
  readonly peer: string;
  readonly ended: Promise<Failure>;
  hangUp(): Promise<void>;
}
