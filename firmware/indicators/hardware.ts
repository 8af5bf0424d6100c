/** The LEDs, buttons and watchdog of a board, opened by what the machine has: each is chosen, and said, once. */
import { join } from 'node:path';
import type { BoardButton, BoardDescription, BoardGpio, BoardLed } from '../../board/board.ts';
import type { Button, Buttons } from '../../hal/buttons.ts';
import type { Clock } from '../../hal/clock.ts';
import { type Gpio, gpioLineText } from '../../hal/gpio.ts';
import { GpioButtons } from '../../hal/gpio-buttons.ts';
import { GpioLed } from '../../hal/gpio-led.ts';
import type { Led, Leds } from '../../hal/leds.ts';
import { openGpio } from '../../hal/linux/gpio.ts';
import { InputButtons } from '../../hal/linux/input-buttons.ts';
import { LedFileMemory } from '../../hal/linux/led-memory.ts';
import { LinuxLeds } from '../../hal/linux/leds.ts';
import { LinuxWatchdogs } from '../../hal/linux/watchdog.ts';
import { SimulatedButtons } from '../../hal/simulated/buttons.ts';
import { SimulatedLeds } from '../../hal/simulated/leds.ts';
import type { Watchdog, Watchdogs } from '../../hal/watchdog.ts';
import { errorText } from '../vpn/steps.ts';

/** Ways to what a board has. */
export interface HardwareSources {
  readonly leds: Leds;
  /** `undefined`: the machine has no GPIO lines that this process could use. */
  readonly gpio: Gpio | undefined;
  /** Keys of input devices. */
  readonly keys: Buttons;
  readonly watchdogs: Watchdogs;
  /** Of a simulated board: made when it is wanted. */
  readonly files: {
    readonly leds: (names: readonly string[]) => Leds;
    readonly buttons: (names: readonly string[]) => Buttons;
  };
}

/** Those of this machine; the files of a simulated board are in `stateDirectory`. */
export function linuxSources(stateDirectory: string, clock: Pick<Clock, 'now'>): HardwareSources {
  const folder = join(stateDirectory, 'board');
  return {
    leds: new LinuxLeds({ memory: new LedFileMemory(join(stateDirectory, 'leds.json')) }),
    gpio: openGpio(),
    keys: new InputButtons(),
    watchdogs: new LinuxWatchdogs(),
    files: {
      leds: (names) => new SimulatedLeds(join(folder, 'leds'), names),
      buttons: (names) => new SimulatedButtons(join(folder, 'buttons'), names, () => clock.now()),
    },
  };
}

/** One thing of the board: there, or not and why. */
interface Found<Description, Device> {
  readonly description: Description;
  /** Where it is, or should be. */
  readonly place: string;
  readonly device?: Device;
  /** One sentence. */
  readonly trouble?: string;
}

export type FoundLed = Found<BoardLed, Led>;
export type FoundButton = Found<BoardButton, Button>;

export interface Hardware {
  readonly leds: readonly FoundLed[];
  readonly buttons: readonly FoundButton[];
  readonly watchdog?: { readonly place: string; readonly device?: Watchdog; readonly trouble?: string };
  /** One sentence without a full stop for each kind of thing, for the log. */
  readonly lines: readonly string[];
}

/** Never rejects: what cannot be had costs that thing alone. */
export async function openHardware(board: BoardDescription, sources: HardwareSources): Promise<Hardware> {
  const leds = await openLeds(board.leds, sources);
  const buttons = await openButtons(board.buttons, sources);
  const watchdog = openWatchdog(board, sources.watchdogs);
  const wantsGpio = [...board.leds, ...board.buttons].some(({ gpio }) => gpio !== undefined);
  const gpio = sources.gpio?.means ?? 'none on this machine';
  return {
    leds,
    buttons,
    ...(watchdog === undefined ? {} : { watchdog }),
    lines: [
      `LEDs: ${listed(leds)}`,
      `GPIO: ${wantsGpio ? gpio : `not used by this board (${gpio})`}`,
      `buttons: ${listed(buttons)}`,
      `watchdog: ${watchdogLine(watchdog)}`,
    ],
  };
}

function listed(things: readonly (FoundLed | FoundButton)[]): string {
  if (things.length === 0) return 'none on this board';
  const words = things.map(({ description: { purpose }, place, trouble }) =>
    trouble === undefined ? `${purpose} at ${place}` : `${purpose} not at ${place} (${withoutStop(trouble)})`,
  );
  return words.join(', ');
}

function watchdogLine(watchdog: Hardware['watchdog']): string {
  if (watchdog === undefined) return 'none on this board';
  const { device, place, trouble = '' } = watchdog;
  return device === undefined
    ? `none (${withoutStop(trouble)})`
    : `${device.identity} at ${place}, ${device.timeoutSeconds} s`;
}

function withoutStop(sentence: string): string {
  return sentence.replace(/\.$/, '');
}

async function openLeds(leds: readonly BoardLed[], sources: HardwareSources): Promise<readonly FoundLed[]> {
  const files = leds.flatMap(({ file }) => (file === undefined ? [] : [file]));
  const there = await sources.leds.names();
  const found: FoundLed[] = [];
  for (const description of leds) {
    const { devices = [], gpio, file } = description;
    const name = file ?? (gpio ? undefined : firstMatch(devices, there));
    const place = file ?? (gpio ? gpioLineText(gpio) : (name ?? devices.join(' or ')));
    found.push(
      await attempt(description, place, async () => {
        if (gpio !== undefined) return await gpioLed(gpio, sources.gpio);
        if (name === undefined) throw new Error('the kernel has no LED of that name');
        return await (file === undefined ? sources.leds : sources.files.leds(files)).open(name);
      }),
    );
  }
  return found;
}

/** The first pattern that names one that is there. */
function firstMatch(patterns: readonly string[], names: readonly string[]): string | undefined {
  for (const pattern of patterns) {
    const parts = pattern.split('*').map((part) => RegExp.escape(part));
    const expression = new RegExp(`^${parts.join('.*')}$`);
    const name = names.find((candidate) => expression.test(candidate));
    if (name !== undefined) return name;
  }
  return undefined;
}

async function gpioLed(line: BoardGpio, gpio: Gpio | undefined): Promise<Led> {
  if (gpio === undefined) throw new Error('this machine has no GPIO lines that this program could use');
  return new GpioLed(gpioLineText(line), await gpio.output(line, { active: false }));
}

async function openButtons(buttons: readonly BoardButton[], sources: HardwareSources): Promise<readonly FoundButton[]> {
  const files = buttons.flatMap(({ file }) => (file === undefined ? [] : [file]));
  const found: FoundButton[] = [];
  for (const description of buttons) {
    const { gpio, key, file } = description;
    const place = file ?? (gpio ? gpioLineText(gpio) : `key ${key}`);
    const opened = await attempt(description, place, async () => {
      if (file !== undefined) return await sources.files.buttons(files).open({ kind: 'file', name: file });
      if (key !== undefined) return await sources.keys.open({ kind: 'key', code: key });
      if (gpio === undefined || sources.gpio === undefined)
        throw new Error('this machine has no GPIO lines that this program could use');
      return await new GpioButtons(sources.gpio).open({ kind: 'gpio', line: gpio });
    });
    found.push(opened.device === undefined ? opened : { ...opened, place: opened.device.place });
  }
  return found;
}

async function attempt<Description, Device>(
  description: Description,
  place: string,
  open: () => Promise<Device>,
): Promise<Found<Description, Device>> {
  try {
    return { description, place, device: await open() };
  } catch (error) {
    return { description, place, trouble: errorText(error) };
  }
}

function openWatchdog({ watchdog }: BoardDescription, watchdogs: Watchdogs): Hardware['watchdog'] {
  if (watchdog === undefined) return undefined;
  const { device: place, timeoutSeconds } = watchdog;
  try {
    return { place, device: watchdogs.open(place, timeoutSeconds) };
  } catch (error) {
    return { place, trouble: errorText(error) };
  }
}
