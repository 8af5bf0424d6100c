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
      Type.Object({ sim: HEX, pin: HEX, state: Type.Enum(['tried', 'good']) }, { additionalProperties: false }),
      { maxItems: MOST_ENTRIES },
    ),
  },
  { additionalProperties: false },
);

type PinFile = Static<typeof SCHEMA>;

export class PinGuard {
  readonly #path: string;
  readonly #random: RandomSource;

  /** @param path of its file; several modems may share it, but not at one moment. */
  constructor(path: string, random: RandomSource) {
    this.#path = path;
    this.#random = random;
  }

  /**
   * Notes that the PIN is about to be tried.
   * @param sim serial number of the SIM, or of the modem where that is not known.
   * @returns whether it may be. @throws Error in words when that cannot be known, or not be written: then it must not be tried.
   */
  async mayTry(sim: string, pin: string): Promise<boolean> {
    const file = await this.#read();
    const entry = await entryOf(file, sim, pin);
    const known = file.entries.find((one) => one.sim === entry.sim && one.pin === entry.pin);
    // One that was good stays good while it is given again: else a power cut in that moment would lock the branch out.
    if (known !== undefined) return known.state === 'good';
    await this.#write({ ...file, entries: [...file.entries, { ...entry, state: 'tried' }] });
    return true;
  }

  /** Notes what came of it. @throws Error in words when it cannot be written. */
  async tried(sim: string, pin: string, good: boolean): Promise<void> {
    const file = await this.#read();
    const entry = await entryOf(file, sim, pin);
    // A right PIN gives the SIM all of its tries back, so that others may be tried again, too.
    const others = file.entries.filter((one) => one.sim !== entry.sim || (!good && one.pin !== entry.pin));
    await this.#write({ ...file, entries: [...others, { ...entry, state: good ? 'good' : 'tried' }] });
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

  async #write(file: PinFile): Promise<void> {
    const text = JSON.stringify({ ...file, entries: file.entries.slice(-MOST_ENTRIES) });
    await writeStateFile(this.#path, `${text}\n`).catch((error: unknown) => {
      throw new Error(`the PIN is not tried, since that cannot be noted: ${errorText(error)}`);
    });
  }
}

async function entryOf({ salt }: PinFile, sim: string, pin: string): Promise<{ sim: string; pin: string }> {
  const key = await derive(`${pin} ${sim}`, salt, KEY_OCTETS, COST);
  const hash = createHash('sha256').update(`${salt} ${sim}`).digest('hex');
  return { sim: hash.slice(0, KEY_OCTETS * 2), pin: key.toString('hex') };
}

function parse(text: string): PinFile | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Value.Check(SCHEMA, value) ? value : undefined;
  } catch {
    return undefined;
  }
}
