/** Where the address of this side is of interest: a connection may stick to a way of its own. */
export interface Destination {
  /** Of `ipsec.connections`. */
  readonly connection: string;
  readonly remote: string;
}

/** The local address from which outer packets of a connection leave; `undefined` when there is no way there. */
export type SourceAddress = (remote: string, connection: string) => Promise<string | undefined>;

export interface LocalAddressesServices {
  readonly destinations: () => readonly Destination[];
  readonly sourceAddress: SourceAddress;
  readonly onAddress: (destination: Destination, local: string) => void;
}

/** Finds out which address this side has towards its peers, whenever the network may have changed. */
export class LocalAddresses {
  readonly #services: LocalAddressesServices;
  #looking = false;
  #again = false;

  constructor(services: LocalAddressesServices) {
    this.#services = services;
  }

  /** Never more than one look at a time, and the last change is never missed. */
  look(): void {
    this.#again = true;
    if (!this.#looking) void this.#look();
  }

  async #look(): Promise<void> {
    this.#looking = true;
    while (this.#again) {
      this.#again = false;
      for (const destination of this.#services.destinations()) {
        const { remote, connection } = destination;
        // Where the way there is missing for a moment, the next change tells of another one.
        const local = await this.#services.sourceAddress(remote, connection).catch(() => undefined);
        if (local !== undefined) this.#services.onAddress(destination, local);
      }
    }
    this.#looking = false;
  }
}
