export interface LocalAddressesServices {
  /** Where the address of this side is of interest. */
  readonly destinations: () => ReadonlySet<string>;
  /** The local address from which outer packets leave for this one; `undefined` when there is no way there. */
  readonly sourceAddress: (remote: string) => Promise<string | undefined>;
  readonly onAddress: (remote: string, local: string) => void;
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
      for (const remote of this.#services.destinations()) {
        // Where the way there is missing for a moment, the next change tells of another one.
        const local = await this.#services.sourceAddress(remote).catch(() => undefined);
        if (local !== undefined) this.#services.onAddress(remote, local);
      }
    }
    this.#looking = false;
  }
}
