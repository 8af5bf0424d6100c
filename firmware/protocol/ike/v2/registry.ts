/** Which IKE SAs there are, and numbers and SPIs that none of them has. */
import type { RandomSource } from '../../machine.ts';
import { isZeroSpi, SPI_OCTETS, spiKey } from '../message-header.ts';
import { type Child, spiNumber } from './child.ts';
import type { IkeSa } from './ike-sa.ts';

/** ESP SPIs below are reserved (RFC 4303 section 2.1). */
const FIRST_ESP_SPI = 256;

export class Registry {
  readonly #random: RandomSource;
  readonly #spiInUse: (spi: number) => boolean;
  readonly #byId = new Map<number, IkeSa>();
  readonly #bySpi = new Map<string, IkeSa>();
  /** SPIs of ours that are in use, or were given to a peer that has not answered yet. */
  readonly #reserved = new Set<string>();
  #lastIkeId = 0;
  #lastChildId = 0;

  /** @param spiInUse tells of ESP SPIs that somebody else receives on. */
  constructor(random: RandomSource, spiInUse: (spi: number) => boolean = () => false) {
    this.#random = random;
    this.#spiInUse = spiInUse;
  }

  get size(): number {
    return this.#byId.size;
  }

  /** Of this instant: what is added or goes meanwhile does not matter. */
  all(): readonly IkeSa[] {
    return [...this.#byId.values()];
  }

  get(ikeId: number): IkeSa | undefined {
    return this.#byId.get(ikeId);
  }

  /** By the SPI that this side chose. */
  bySpi(spi: Uint8Array): IkeSa | undefined {
    return this.#bySpi.get(spiKey(spi));
  }

  add(sa: IkeSa): void {
    this.#byId.set(sa.id, sa);
    this.#bySpi.set(spiKey(sa.ownSpi), sa);
  }

  remove(sa: IkeSa): void {
    this.#byId.delete(sa.id);
    this.#bySpi.delete(spiKey(sa.ownSpi));
    this.release(sa.ownSpi);
  }

  child(childId: number): { readonly sa: IkeSa; readonly child: Child } | undefined {
    for (const sa of this.#byId.values()) {
      const child = sa.children.get(childId);
      if (child !== undefined) return { sa, child };
    }
    return undefined;
  }

  newIkeId(): number {
    this.#lastIkeId += 1;
    return this.#lastIkeId;
  }

  newChildId(): number {
    this.#lastChildId += 1;
    return this.#lastChildId;
  }

  /** 8 octets, reserved until {@link release}. */
  newIkeSpi(): Uint8Array {
    for (;;) {
      const spi = this.#random.bytes(SPI_OCTETS);
      if (isZeroSpi(spi) || this.isReserved(spi)) continue;
      this.#reserved.add(spiKey(spi));
      return spi;
    }
  }

  isReserved(spi: Uint8Array): boolean {
    return this.#reserved.has(spiKey(spi));
  }

  release(spi: Uint8Array): void {
    this.#reserved.delete(spiKey(spi));
  }

  newEspSpi(): number {
    for (;;) {
      const spi = spiNumber(this.#random.bytes(4)) ?? 0;
      if (spi >= FIRST_ESP_SPI && !this.#hasInboundSpi(spi) && !this.#spiInUse(spi)) return spi;
    }
  }

  #hasInboundSpi(spi: number): boolean {
    for (const sa of this.#byId.values()) {
      for (const child of sa.children.values()) if (child.sa.inboundSpi === spi) return true;
    }
    return false;
  }
}
