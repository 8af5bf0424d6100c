/** LEDs of the kernel's LED class (Documentation/ABI/testing/sysfs-class-led and sysfs-class-led-trigger-*). */
import { HalError } from '../hal-error.ts';
import type { Led, LedDisplay, LedKind, Leds } from '../leds.ts';
import { codeOf, type SysFiles, sysFiles } from './sys-files.ts';

const ROOT = '/sys/class/leds';

/** Attributes of the triggers that are put back with them, in the order in which they are written. */
const PARAMETERS: Readonly<Record<string, readonly string[]>> = {
  timer: ['delay_on', 'delay_off'],
  netdev: ['device_name', 'link', 'tx', 'rx'],
};

type OtherDisplay = { readonly kind: 'other'; readonly trigger: string };

export class LinuxLeds implements Leds {
  readonly #root: string;
  readonly #files: SysFiles;

  constructor({ root = ROOT, files = sysFiles }: { readonly root?: string; readonly files?: SysFiles } = {}) {
    this.#root = root;
    this.#files = files;
  }

  async names(): Promise<readonly string[]> {
    return (await this.#files.list(this.#root)).toSorted();
  }

  async open(name: string): Promise<Led> {
    if (name === '' || name.includes('/') || name.startsWith('.'))
      throw new HalError(`${JSON.stringify(name)} cannot name a LED: use a name of ${this.#root}.`, 'EINVAL');
    const attributes = new Attributes(name, `${this.#root}/${name}`, this.#files);
    const found = await attributes.found();
    const most = Number(await attributes.read('max_brightness'));
    return new LinuxLed(attributes, Number.isFinite(most) && most > 0 ? most : 1, found);
  }
}

/** What is put back in the end. */
interface Found {
  /** `none` for none. */
  readonly trigger: string;
  readonly triggers: readonly string[];
  readonly parameters: readonly (readonly [name: string, value: string])[];
}

/** The files of one LED, with errors in words. */
class Attributes {
  readonly led: string;
  readonly #folder: string;
  readonly #files: SysFiles;

  constructor(led: string, folder: string, files: SysFiles) {
    this.led = led;
    this.#folder = folder;
    this.#files = files;
  }

  async read(name: string): Promise<string> {
    try {
      return await this.#files.read(`${this.#folder}/${name}`);
    } catch (error) {
      throw this.#refused(`cannot be read (its ${name})`, error);
    }
  }

  async write(name: string, value: string): Promise<void> {
    try {
      await this.#files.write(`${this.#folder}/${name}`, value);
    } catch (error) {
      throw this.#refused(`cannot be changed (its ${name})`, error);
    }
  }

  async found(): Promise<Found> {
    const words = (await this.read('trigger')).split(/\s+/);
    const trigger = words.find((word) => word.startsWith('['))?.slice(1, -1) ?? 'none';
    const triggers = words.map((word) => word.replaceAll(/[[\]]/g, ''));
    const names = trigger === 'none' ? ['brightness'] : (PARAMETERS[trigger] ?? []);
    const parameters = await Promise.all(names.map(async (name) => [name, await this.read(name)] as const));
    return { trigger, triggers, parameters };
  }

  #refused(what: string, error: unknown): HalError {
    const code = codeOf(error);
    const remedy =
      code === 'ENOENT' || code === 'ENODEV'
        ? `There is no such LED any more, or it never was there: "ls ${ROOT}" shows those that are.`
        : code === 'EACCES' || code === 'EPERM' || code === 'EROFS'
          ? 'Run this as root, or give its files to the user of this program.'
          : 'The kernel log may say why.';
    return new HalError(`The LED ${this.led} ${what}: ${code || 'unknown error'}. ${remedy}`, code);
  }
}

class LinuxLed implements Led {
  readonly name: string;
  readonly kinds: ReadonlySet<LedKind>;
  readonly #attributes: Attributes;
  readonly #most: number;
  readonly #found: Found;
  #trigger: string;
  #last: Promise<void> = Promise.resolve();

  constructor(attributes: Attributes, most: number, found: Found) {
    this.name = attributes.led;
    this.#attributes = attributes;
    this.#most = most;
    this.#found = found;
    this.#trigger = found.trigger;
    const own = (['timer', 'heartbeat', 'netdev'] as const).filter((kind) => found.triggers.includes(kind));
    this.kinds = new Set<LedKind>(['steady', ...own]);
  }

  show(display: LedDisplay): Promise<void> {
    return this.#inTurn(() => this.#show(display));
  }

  async shown(): Promise<LedDisplay | OtherDisplay> {
    const { trigger, parameters } = await this.#attributes.found();
    const value = (name: string): string => parameters.find(([key]) => key === name)?.[1] ?? '';
    if (trigger === 'none') return { kind: 'steady', level: Math.min(1, Number(value('brightness')) / this.#most) };
    if (trigger === 'heartbeat') return { kind: 'heartbeat' };
    if (trigger === 'netdev') return { kind: 'netdev', device: value('device_name') };
    if (trigger === 'timer')
      return { kind: 'timer', onMs: Number(value('delay_on')), offMs: Number(value('delay_off')) };
    return { kind: 'other', trigger };
  }

  restore(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#setTrigger(this.#found.trigger);
      for (const [name, value] of this.#found.parameters) await this.#attributes.write(name, value);
    });
  }

  async #show(display: LedDisplay): Promise<void> {
    const { kind } = display;
    if (!this.kinds.has(kind)) {
      throw new HalError(
        `The LED ${this.name} has no ${kind}: load the module ledtrig-${kind} into the kernel.`,
        'EINVAL',
      );
    }
    if (kind === 'steady') {
      await this.#setTrigger('none');
      const level = Math.min(1, Math.max(0, display.level));
      await this.#attributes.write('brightness', String(Math.ceil(level * this.#most)));
      return;
    }
    // One that was dimmed would blink or flicker dimly.
    if (this.#trigger === 'none') await this.#attributes.write('brightness', String(this.#most));
    await this.#setTrigger(kind);
    if (kind === 'timer') {
      await this.#attributes.write('delay_on', String(Math.round(display.onMs)));
      await this.#attributes.write('delay_off', String(Math.round(display.offMs)));
    } else if (kind === 'netdev') {
      await this.#attributes.write('device_name', display.device);
      for (const part of ['link', 'tx', 'rx']) await this.#attributes.write(part, '1');
    }
  }

  /** Setting the one that is set would begin it anew, with its defaults. */
  async #setTrigger(trigger: string): Promise<void> {
    if (this.#trigger === trigger) return;
    await this.#attributes.write('trigger', trigger);
    this.#trigger = trigger;
  }

  #inTurn(task: () => Promise<void>): Promise<void> {
    const next = this.#last.then(task, task);
    this.#last = next.catch(() => undefined);
    return next;
  }
}
