/** LEDs of a kernel that a test makes up, with the attributes and triggers of the kernel's LED class. */
import type { SysFiles } from '../../../hal/linux/sys-files.ts';
import { systemError } from './fake-devices.ts';

const DEFAULTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  timer: { delay_on: '500', delay_off: '500' },
  netdev: { device_name: '', link: '0', tx: '0', rx: '0', interval: '50' },
};

interface FakeLed {
  brightness: number;
  readonly most: number;
  trigger: string;
  readonly triggers: readonly string[];
  parameters: Record<string, string>;
}

export class FakeSysfs implements SysFiles {
  readonly leds = new Map<string, FakeLed>();
  /** What was written, `NAME/ATTRIBUTE=value`. */
  readonly written: string[] = [];
  /** Refuses every write, as of a user without the right. */
  readOnly = false;
  readonly #files = new Map<string, string>();

  addLed(
    name: string,
    { most = 255, triggers = ['none', 'timer', 'heartbeat', 'netdev', 'mmc0'], trigger = 'none' } = {},
  ) {
    this.leds.set(name, { brightness: 0, most, trigger, triggers, parameters: { ...DEFAULTS[trigger] } });
  }

  /** Any other file. */
  addFile(path: string, text: string): void {
    this.#files.set(path, text);
  }

  async list(path: string): Promise<readonly string[]> {
    if (path === '/leds') return [...this.leds.keys()];
    const below = [...this.#files.keys()].filter((file) => file.startsWith(`${path}/`));
    return [...new Set(below.map((file) => file.slice(path.length + 1).split('/')[0] ?? ''))];
  }

  async read(path: string): Promise<string> {
    const text = this.#files.get(path);
    if (text !== undefined) return text;
    const [led, attribute] = this.#led(path);
    if (attribute === 'max_brightness') return String(led.most);
    if (attribute === 'brightness') return String(led.brightness);
    if (attribute === 'trigger')
      return led.triggers.map((name) => (name === led.trigger ? `[${name}]` : name)).join(' ');
    const value = led.parameters[attribute];
    if (value === undefined) throw systemError('ENOENT');
    return value;
  }

  async write(path: string, text: string): Promise<void> {
    // As long as a real one may take.
    await new Promise(setImmediate);
    const [led, attribute] = this.#led(path);
    if (this.readOnly) throw systemError('EACCES');
    this.written.push(`${path.split('/').slice(2).join('/')}=${text}`);
    if (attribute === 'trigger') {
      if (!led.triggers.includes(text)) throw systemError('EINVAL');
      led.trigger = text;
      led.parameters = { ...DEFAULTS[text] };
      if (text === 'none') led.brightness = 0;
    } else if (attribute === 'brightness') {
      led.brightness = Math.min(led.most, Number(text));
      if (led.brightness === 0) led.trigger = 'none';
    } else {
      if (led.parameters[attribute] === undefined) throw systemError('ENOENT');
      led.parameters[attribute] = text;
    }
  }

  #led(path: string): readonly [FakeLed, string] {
    const [, root, name = '', attribute = ''] = path.split('/');
    const led = this.leds.get(name);
    if (root !== 'leds' || led === undefined) throw systemError('ENOENT');
    return [led, attribute];
  }
}
