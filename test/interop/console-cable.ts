/**
 * The console of a router on one pseudo-terminal, a laptop's port on another, and the cable between them, which may be pulled at
 * any frame or be bad. The other end of the cable is either a terminal program, which this is then, or `culvert provision`.
 */
import { chmodSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHECKOUT, type LabCulvert } from '../../scripts/lab/culvert.ts';
import { Pty } from '../../scripts/lab/pty.ts';
import { type RunResult, tryRun } from '../../scripts/lab/shell.ts';
import { createStateFolder, type StateFolder } from '../../scripts/lab/state-folder.ts';
import { waitFor } from '../../scripts/lab/wait.ts';
import type { SeededRandom } from '../support/seeded-random.ts';

/** The start of a frame that does not get through: the cable is pulled there. */
export interface Cut {
  readonly from: 'laptop' | 'router';
  /** `:D0001` */
  readonly before: string;
}

/** Probabilities for each octet, 0..1, both ways. */
export interface Noise {
  readonly random: SeededRandom;
  readonly lost: number;
  readonly changed: number;
}

export interface Badness {
  readonly cut?: Cut;
  readonly noise?: Noise;
}

/** Octets of what was shown that are kept. */
const MOST_SHOWN = 100_000;

export class ConsoleCable {
  /** For the board file: whatever is plugged in is found there. */
  readonly device: string;
  readonly #folder: StateFolder;
  #router: Pty;
  #laptop: Pty | undefined;
  #badness: Badness = {};
  /** The last octets that went through, for a frame may come in pieces. */
  #tails = { laptop: '', router: '' };
  #shown = '';
  /** Octets that noise has damaged or swallowed. */
  damaged = 0;

  constructor() {
    this.#folder = createStateFolder('cable');
    // The router is an ordinary user.
    chmodSync(this.#folder.path, 0o711);
    this.device = join(this.#folder.path, 'ttyGS0');
    this.#router = this.#newConsole();
  }

  /** Writes a file that the router may read. @returns its path. */
  provide(name: string, content: Uint8Array): string {
    const path = join(this.#folder.path, name);
    writeFileSync(path, content, { mode: 0o644 });
    return path;
  }

  /** Another console device in place of the present one, which is hung up: what a gadget does when its cable is pulled. */
  replug(): void {
    this.#router.close();
    unlinkSync(this.device);
    this.#router = this.#newConsole();
  }

  remove(): void {
    this.#laptop?.close();
    this.#router.close();
    this.#folder.remove();
  }

  /** Waits until the router has opened its console, for the `times`th time: what was typed before that is lost. */
  async opened(router: LabCulvert, times = 1): Promise<void> {
    const count = () => router.log().split('the console is on').length - 1;
    await waitFor(`the console of ${router.name}`, () => count() >= times);
  }

  /** Types at a terminal, and forgets what was shown before. @returns what was shown until it matches. */
  async type(text: string, until: RegExp): Promise<string> {
    this.#shown = '';
    this.#router.send(text);
    return await this.sees(until);
  }

  async sees(what: RegExp): Promise<string> {
    await waitFor(`the console showing ${what}`, () => what.test(this.#shown)).catch((error: unknown) => {
      throw new Error(`${error instanceof Error ? error.message : error}; it shows: ${this.#shown.slice(-1000)}`);
    });
    return this.#shown;
  }

  /** Runs `culvert provision` at the laptop's end. */
  async provision(bundle: string, badness: Badness = {}, ...options: readonly string[]): Promise<RunResult> {
    const laptop = new Pty();
    this.#laptop = laptop;
    this.#badness = badness;
    this.#tails = { laptop: '', router: '' };
    laptop.onOctets = (octets) => this.#carry('laptop', octets, this.#router);
    try {
      const command = [join(CHECKOUT, 'scripts/culvert'), 'provision', laptop.path, bundle, ...options] as const;
      return await tryRun(command, { timeoutMs: 240_000 });
    } finally {
      // What it has sent is on the cable, also when it is gone itself.
      await laptop.drained();
      this.#laptop = undefined;
      laptop.close();
    }
  }

  #newConsole(): Pty {
    const router = new Pty();
    chmodSync(router.path, 0o666);
    symlinkSync(router.path, this.device);
    router.onOctets = (octets) => {
      this.#shown = (this.#shown + Buffer.from(octets).toString('latin1')).slice(-MOST_SHOWN);
      if (this.#laptop !== undefined) this.#carry('router', octets, this.#laptop);
    };
    return router;
  }

  #carry(from: 'laptop' | 'router', octets: Uint8Array, to: Pty): void {
    const { cut, noise } = this.#badness;
    if (cut?.from === from) {
      const tail = this.#tails[from];
      const text = tail + Buffer.from(octets).toString('latin1');
      const at = text.indexOf(cut.before);
      this.#tails[from] = text.slice(-cut.before.length);
      if (at >= 0) {
        to.send(octets.subarray(0, Math.max(0, at - tail.length)));
        this.#pull();
        return;
      }
    }
    to.send(noise === undefined ? octets : this.#damage(octets, noise));
  }

  /** The laptop sees its converter go; a UART sees nothing. */
  #pull(): void {
    this.#laptop?.close();
    this.#laptop = undefined;
  }

  #damage(octets: Uint8Array, { random, lost, changed }: Noise): Uint8Array {
    const out: number[] = [];
    for (const octet of octets) {
      const drawn = random.next();
      if (drawn < lost + changed) this.damaged += 1;
      if (drawn >= lost + changed) out.push(octet);
      else if (drawn >= lost) out.push(octet ^ (1 << random.int(8)));
    }
    return Uint8Array.from(out);
  }
}
