/** LEDs as files in a folder, which a test or a web page can watch: each holds a line such as `timer 100 100`. */
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HalError } from '../hal-error.ts';
import type { Led, LedDisplay, LedKind, Leds } from '../leds.ts';

export class SimulatedLeds implements Leds {
  readonly #folder: string;

  /** @param names LEDs that are made dark where they are not there yet. */
  constructor(folder: string, names: readonly string[] = []) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
    const there = readdirSync(folder);
    for (const name of names) if (!there.includes(name)) write(folder, name, { kind: 'steady', level: 0 });
  }

  async names(): Promise<readonly string[]> {
    return readdirSync(this.#folder).toSorted();
  }

  async open(name: string): Promise<Led> {
    if (!(await this.names()).includes(name))
      throw new HalError(`There is no LED ${name} in ${this.#folder}: make an empty file of that name.`, 'ENOENT');
    return new SimulatedLed(this.#folder, name);
  }
}

class SimulatedLed implements Led {
  readonly name: string;
  readonly kinds: ReadonlySet<LedKind> = new Set(['steady', 'timer', 'heartbeat', 'netdev']);
  readonly #folder: string;
  readonly #found: LedDisplay;

  constructor(folder: string, name: string) {
    this.#folder = folder;
    this.name = name;
    this.#found = this.#read();
  }

  async show(display: LedDisplay): Promise<void> {
    // Else it would come back to life.
    this.#read();
    write(this.#folder, this.name, display);
  }

  async shown(): Promise<LedDisplay> {
    return this.#read();
  }

  restore(): Promise<void> {
    return this.show(this.#found);
  }

  #read(): LedDisplay {
    try {
      return parseDisplay(readFileSync(join(this.#folder, this.name), 'utf8'));
    } catch {
      throw new HalError(`The LED ${this.name} is gone from ${this.#folder}: make it again.`, 'ENOENT');
    }
  }
}

/** Whole or not at all, for whoever watches it. */
function write(folder: string, name: string, display: LedDisplay): void {
  const fresh = join(folder, '..', `.${name}.new`);
  writeFileSync(fresh, `${displayText(display)}\n`);
  renameSync(fresh, join(folder, name));
}

function displayText(display: LedDisplay): string {
  switch (display.kind) {
    case 'steady':
      return `steady ${display.level}`;
    case 'timer':
      return `timer ${display.onMs} ${display.offMs}`;
    case 'netdev':
      return `netdev ${display.device}`;
    case 'heartbeat':
      return 'heartbeat';
  }
}

/** What a file says; dark where it says nothing. */
function parseDisplay(text: string): LedDisplay {
  const [kind, first = '', second = ''] = text.trim().split(' ');
  if (kind === 'timer') return { kind, onMs: Number(first), offMs: Number(second) };
  if (kind === 'netdev') return { kind, device: first };
  if (kind === 'heartbeat') return { kind };
  return { kind: 'steady', level: Number(first) || 0 };
}
