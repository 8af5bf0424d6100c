/** What IPsec keeps over restarts: the secret of Quick Crash Detection, and the offers that have worked. */
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import Type from 'typebox';
import { Value } from 'typebox/value';
import { readStateFile, reasonOf, writeStateFile } from '../config/state-file.ts';
import type { RandomSource } from '../protocol/machine.ts';
import type { OfferMemory, WorkingOffer } from '../vpn/ipsec/ipsec-types.ts';

const SECRET_FILE = 'ipsec-crash-secret';
const OFFERS_FILE = 'ipsec-offers.json';

/** Octets of QCD_SECRET (RFC 6290 section 5.1). */
const SECRET_OCTETS = 32;

const SECRET_LINE = new RegExp(`^[0-9a-f]{${SECRET_OCTETS * 2}}\n?$`);
const MAX_SECRET_FILE_OCTETS = 256;

/** Permissions that nobody but the owner may have. */
const OTHERS = 0o077;

/** Connections that are remembered, more than a configuration has; the one that worked longest ago is forgotten first. */
export const MAX_OFFERS = 256;

/** Characters of a connection's name; the configuration allows 32. */
const MAX_NAME = 128;

/** Far more than {@link MAX_OFFERS} entries take, also when each character of a name is written as six. */
const MAX_OFFERS_FILE_OCTETS = 512 * 1024;

const ENTRY = Type.Object({
  connection: Type.String({ minLength: 1, maxLength: MAX_NAME }),
  offer: Type.Union([Type.Literal('modern'), Type.Literal('legacy')]),
  port: Type.Union([Type.Literal(500), Type.Literal(4500)]),
  udpEncapsulation: Type.Boolean(),
});

export interface IpsecStateOptions {
  readonly stateDirectory: string;
  readonly random: RandomSource;
  /** Gets a sentence about each file that is damaged or cannot be written; never a secret. */
  readonly log: (line: string) => void;
}

/** Nothing here fails: without its files IPsec works, only the next start is slower. */
export class IpsecState implements OfferMemory {
  readonly #secretPath: string;
  readonly #offersPath: string;
  readonly #log: (line: string) => void;
  #secret: Uint8Array;
  /** A map and a list in the file, so that no name means anything to JavaScript. The latest stands last. */
  readonly #offers = new Map<string, WorkingOffer>();
  #unsaved = false;
  #saving: Promise<void> | undefined;

  constructor({ stateDirectory, random, log }: IpsecStateOptions) {
    this.#secretPath = join(stateDirectory, SECRET_FILE);
    this.#offersPath = join(stateDirectory, OFFERS_FILE);
    this.#log = log;
    this.#secret = random.bytes(SECRET_OCTETS);
  }

  /** Reads what an earlier run kept. What is damaged is replaced, with a line in the log. To be called once, first. */
  async load(): Promise<void> {
    await this.#loadSecret();
    await this.#loadOffers();
  }

  /**
   * QCD_SECRET (RFC 6290 section 5.1), 32 octets: after {@link load} that of the run before, or a new one that is kept for
   * the next; before it, one that nobody will know.
   */
  get quickCrashSecret(): Uint8Array {
    return this.#secret;
  }

  get(connection: string): WorkingOffer | undefined {
    return this.#offers.get(connection);
  }

  /** Kept at once, and written soon; see {@link flush}. */
  set(connection: string, { offer, port, udpEncapsulation }: WorkingOffer): void {
    if (connection === '' || connection.length > MAX_NAME) return;
    const known = this.#offers.get(connection);
    this.#keep(connection, { offer, port, udpEncapsulation });
    if (known?.offer === offer && known.port === port && known.udpEncapsulation === udpEncapsulation) return;
    this.#save();
  }

  /** Fulfilled when everything that was set is on the disk, or could not be written. */
  async flush(): Promise<void> {
    while (this.#saving) await this.#saving;
  }

  async #loadSecret(): Promise<void> {
    try {
      const text = await readStateFile(this.#secretPath, MAX_SECRET_FILE_OCTETS);
      if (text !== undefined) {
        if (!SECRET_LINE.test(text)) throw new Error(`${this.#secretPath} is damaged.`);
        if (((await lstat(this.#secretPath)).mode & OTHERS) !== 0) {
          throw new Error(`${this.#secretPath} could be read or written by others.`);
        }
        this.#secret = new Uint8Array(Buffer.from(text.trim(), 'hex'));
        return;
      }
    } catch (error) {
      this.#log(`The secret of IPsec's crash detection is replaced by a new one: ${reasonOf(error)}`);
    }
    await this.#write(this.#secretPath, `${Buffer.from(this.#secret).toString('hex')}\n`);
  }

  async #loadOffers(): Promise<void> {
    try {
      const text = await readStateFile(this.#offersPath, MAX_OFFERS_FILE_OCTETS);
      if (text === undefined) return;
      const damaged = this.#takeEntries(parseJson(text));
      if (damaged === 0) return;
      this.#log(`${damaged} of the IPsec offers in ${this.#offersPath} could not be read and are forgotten.`);
    } catch (error) {
      this.#log(`The IPsec offers that have worked are forgotten: ${reasonOf(error)}`);
    }
    this.#save();
    await this.flush();
  }

  /** @returns how many entries are none. @throws Error when the file has no list of them. */
  #takeEntries(value: unknown): number {
    if (!Array.isArray(value)) throw new Error(`${this.#offersPath} is damaged.`);
    let damaged = 0;
    for (const entry of value as readonly unknown[]) {
      if (Value.Check(ENTRY, entry)) {
        const { connection, offer, port, udpEncapsulation } = entry;
        this.#keep(connection, { offer, port, udpEncapsulation });
      } else damaged++;
    }
    return damaged;
  }

  #keep(connection: string, offer: WorkingOffer): void {
    this.#offers.delete(connection);
    this.#offers.set(connection, offer);
    for (const oldest of this.#offers.keys()) {
      if (this.#offers.size <= MAX_OFFERS) break;
      this.#offers.delete(oldest);
    }
  }

  /** One writing at a time; what was set meanwhile goes with the next. */
  #save(): void {
    this.#unsaved = true;
    this.#saving ??= this.#saveAll();
  }

  async #saveAll(): Promise<void> {
    while (this.#unsaved) {
      this.#unsaved = false;
      const entries = [...this.#offers].map(([connection, offer]) => ({ connection, ...offer }));
      await this.#write(this.#offersPath, `${JSON.stringify(entries, undefined, 1)}\n`);
    }
    this.#saving = undefined;
  }

  async #write(path: string, text: string): Promise<void> {
    try {
      await writeStateFile(path, text);
    } catch (error) {
      this.#log(`IPsec cannot remember this for the next start: ${reasonOf(error)}`);
    }
  }
}

/** @returns `undefined` for what is no JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
