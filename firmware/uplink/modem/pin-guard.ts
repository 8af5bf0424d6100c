/**
 * A wrong PIN is tried once on a SIM, over restarts and reboots: that it is tried is written down, durably, before it is. A file in the
 * state directory holds no PIN and no SIM, but derived values; a PIN of four digits can be found by trying all of them, which scrypt makes
 * slow, and the file is for its owner alone.
 */
import { createHash, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import Type, { type Static } from 'typebox';
import { Value } from 'typebox/value';
import { readStateFile, writeStateFile } from '../../config/state-file.ts';
import {
  mayTryPin,
  noteResult,
  noteTry,
  type PinEntry,
  type PinKey,
  type PinKeys,
} from '../../protocol/at/pin-record.ts';
import type { RandomSource } from '../../protocol/machine.ts';
import { errorText } from '../../vpn/steps.ts';

const derive = promisify<string, string, number, object, Buffer>(scrypt);

/** 16 MiB and some tens of ms: it is done once for each time that a modem gets power. */
const COST = { N: 16_384, r: 8, p: 1 };
const KEY_OCTETS = 16;
const SALT_OCTETS = 16;
/** Pairs of SIM and PIN that are remembered; the oldest goes first. */
const MOST_ENTRIES = 64;
const MOST_OCTETS = 65_536;

const HEX = Type.String({ pattern: '^[0-9a-f]{32}$' });
const SCHEMA = Type.Object(
  {
    format: Type.Literal(1),
    salt: HEX,
    entries: Type.Array(
      Type.Object(
        { sim: HEX, pin: HEX, state: Type.Enum(['tried', 'tried unseen', 'good']) },
        { additionalProperties: false },
      ),
      { maxItems: MOST_ENTRIES },
    ),
  },
  { additionalProperties: false },
);

type PinFile = Static<typeof SCHEMA>;

export class PinGuard {
  readonly #path: string;
  readonly #random: RandomSource;

  /** @param path of its file, one for each modem. */
  constructor(path: string, random: RandomSource) {
    this.#path = path;
    this.#random = random;
  }

  /**
   * Notes that the PIN is about to be tried.
   * @param sim serial number of the SIM; empty where that is not known.
   * @returns whether it may be. @throws Error in words when that cannot be known, or not be written: then it must not be tried.
   */
  async mayTry(sim: string, pin: string): Promise<boolean> {
    const file = await this.#read();
    const keys = await keysOf(file, sim, pin);
    if (!mayTryPin(file.entries, keys)) return false;
    await this.#write(file, noteTry(file.entries, keys));
    return true;
  }

  /** Notes what came of it. @throws Error in words when it cannot be written. */
  async tried(sim: string, pin: string, good: boolean): Promise<void> {
    const file = await this.#read();
    await this.#write(file, noteResult(file.entries, await keysOf(file, sim, pin), good));
  }

  async #read(): Promise<PinFile> {
    const text = await readStateFile(this.#path, MOST_OCTETS);
    if (text === undefined)
      return { format: 1, salt: Buffer.from(this.#random.bytes(SALT_OCTETS)).toString('hex'), entries: [] };
    const file = parse(text);
    if (file !== undefined) return file;
    throw new Error(
      `${this.#path} is damaged, so that nobody knows which PINs were tried; remove it if the PIN of the modem is surely right.`,
    );
  }

  async #write(file: PinFile, entries: readonly PinEntry[]): Promise<void> {
    const text = JSON.stringify({ ...file, entries: entries.slice(-MOST_ENTRIES) });
    await writeStateFile(this.#path, `${text}\n`).catch((error: unknown) => {
      throw new Error(`the PIN is not tried, since that cannot be noted: ${errorText(error)}`);
    });
  }
}

async function keysOf({ salt }: PinFile, sim: string, pin: string): Promise<PinKeys> {
  const key = async (of: string): Promise<PinKey> => {
    const derived = await derive(`${pin} ${of}`, salt, KEY_OCTETS, COST);
    const hash = createHash('sha256').update(`${salt} ${of}`).digest('hex');
    return { sim: hash.slice(0, KEY_OCTETS * 2), pin: derived.toString('hex') };
  };
  const modem = await key('this modem');
  return sim === '' ? { modem } : { modem, sim: await key(sim) };
}

function parse(text: string): PinFile | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Value.Check(SCHEMA, value) ? value : undefined;
  } catch {
    return undefined;
  }
}
