import type { Clock, Timer } from '../../hal/clock.ts';
import { dateText, type WallTime } from '../certificates/certificate-failures.ts';
import { type Concern, concernsOf } from '../certificates/concerns.ts';
import { type Configuration, ownEntry } from '../config/schema.ts';

/** How often the certificates are looked at, ms. */
const INTERVAL = 60 * 60_000;

export interface CertificateWatchParts {
  readonly clock: Clock;
  readonly wall: () => WallTime;
  /** Says it once, and again when there is something new to say. @param connections that are concerned, by name. */
  readonly tell: (text: string, connections: readonly string[]) => void;
}

/** Tells in time what has to be done about the certificates that connections use. */
export class CertificateWatch {
  readonly #parts: CertificateWatchParts;
  #configuration: Configuration | undefined;
  /** Keys of the concerns that were told. */
  #told: ReadonlySet<string> = new Set();
  #timer: Timer | undefined;

  constructor(parts: CertificateWatchParts) {
    this.#parts = parts;
  }

  /** Other certificates from now on. */
  watch(configuration: Configuration): void {
    this.#configuration = configuration;
    this.#look();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#configuration = undefined;
  }

  /** As it is now, a sentence each. */
  get warnings(): string[] {
    return this.#concerns().map(({ text }) => text);
  }

  #look(): void {
    const concerns = this.#concerns();
    for (const { key, text, connections } of concerns) if (!this.#told.has(key)) this.#parts.tell(text, connections);
    this.#told = new Set(concerns.map(({ key }) => key));
    this.#timer?.cancel();
    this.#timer = undefined;
    const { clock } = this.#parts;
    // Without certificates there is nothing to wait for.
    if (this.#users().size > 0) this.#timer = clock.setTimer(clock.now() + INTERVAL, () => this.#look());
  }

  /** Names of the connections that use a certificate, by its name. */
  #users(): ReadonlyMap<string, readonly string[]> {
    const users = new Map<string, string[]>();
    for (const [name, entry] of Object.entries(this.#configuration?.ipsec.connections ?? {})) {
      const used = [...(entry.certificate === undefined ? [] : [entry.certificate]), ...(entry.authorities ?? [])];
      for (const certificate of new Set(used)) users.set(certificate, [...(users.get(certificate) ?? []), name]);
    }
    return users;
  }

  #concerns(): (Concern & { readonly connections: readonly string[] })[] {
    const now = this.#parts.wall();
    const users = this.#users();
    const known = this.#configuration?.ipsec.certificates ?? {};
    const found = [...users].flatMap(([name, connections]) => {
      const material = ownEntry(known, name);
      const concerns = material === undefined ? [] : concernsOf(name, material, now);
      return concerns.map((concern) => ({ ...concern, connections }));
    });
    if (now.trusted || users.size === 0) return found;
    const text =
      `the clock of this router has not been set since its start: certificates are judged by ${dateText(now.at)}, the ` +
      'latest time that is known, until it is set';
    return [{ key: 'clock', text, connections: [...new Set([...users.values()].flat())] }, ...found];
  }
}
