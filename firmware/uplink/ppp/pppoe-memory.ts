/**
 * The PPPoE sessions that stand, over crashes and power cuts. An access concentrator holds the session of a router that vanished
 * for minutes, and gives a line no second one meanwhile: whoever dials ends that one first.
 */
import { join } from 'node:path';
import { readStateFile, reasonOf, writeStateFile } from '../../config/state-file.ts';

export const PPPOE_SESSIONS_FILE = 'pppoe-sessions';

/** Far more than one line for each of the few uplinks takes. */
const MAX_FILE_OCTETS = 8192;
const MAX_SESSIONS = 32;

const LINE = /^(\S{1,64}) (\S{1,15}) ([0-9a-f]{2}(?::[0-9a-f]{2}){5}) (\d{1,5})$/;

export interface RememberedSession {
  readonly device: string;
  /** `aa:bb:cc:dd:ee:ff` */
  readonly peerMac: string;
  /** 1..65534 */
  readonly sessionId: number;
}

export interface SessionMemory {
  /** By the name of the uplink. */
  recall(name: string): RememberedSession | undefined;
  /** @param session absent: there is none any more. */
  remember(name: string, session: RememberedSession | undefined): void;
}

/** Nothing here fails: without its file a session that was left is only held for longer. */
export class PppoeMemory implements SessionMemory {
  readonly #path: string;
  readonly #log: (line: string) => void;
  readonly #sessions = new Map<string, RememberedSession>();
  #unsaved = false;
  #saving: Promise<void> | undefined;

  /** @param log gets a sentence when the file cannot be read or written. */
  constructor(stateDirectory: string, log: (line: string) => void) {
    this.#path = join(stateDirectory, PPPOE_SESSIONS_FILE);
    this.#log = log;
  }

  /** Reads what an earlier run kept. To be called once, first. Lines that make no sense are passed over. */
  async load(): Promise<void> {
    try {
      const text = (await readStateFile(this.#path, MAX_FILE_OCTETS)) ?? '';
      for (const line of text.split('\n').slice(0, MAX_SESSIONS)) {
        const [, name, device, peerMac, id] = LINE.exec(line) ?? [];
        const sessionId = Number(id);
        if (name === undefined || device === undefined || peerMac === undefined) continue;
        if (sessionId >= 1 && sessionId <= 0xfffe) this.#sessions.set(name, { device, peerMac, sessionId });
      }
    } catch (error) {
      this.#log(`The PPPoE sessions of the run before are not known: ${reasonOf(error)}`);
    }
  }

  recall(name: string): RememberedSession | undefined {
    return this.#sessions.get(name);
  }

  remember(name: string, session: RememberedSession | undefined): void {
    if (session === undefined && !this.#sessions.has(name)) return;
    this.#sessions.delete(name);
    if (session !== undefined) this.#sessions.set(name, session);
    this.#unsaved = true;
    this.#saving ??= this.#save();
  }

  /** What was told so far is on the disk, or was complained of. */
  async settled(): Promise<void> {
    await this.#saving;
  }

  async #save(): Promise<void> {
    while (this.#unsaved) {
      this.#unsaved = false;
      const lines = [...this.#sessions].map(
        ([name, { device, peerMac, sessionId }]) => `${name} ${device} ${peerMac} ${sessionId}\n`,
      );
      await writeStateFile(this.#path, lines.slice(-MAX_SESSIONS).join('')).catch((error: unknown) =>
        this.#log(`A PPPoE session cannot be remembered over a crash: ${reasonOf(error)}`),
      );
    }
    this.#saving = undefined;
  }
}
