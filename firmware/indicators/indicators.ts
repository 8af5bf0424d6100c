/** The board's face: LEDs that say how the router is, buttons that people press, and the watchdog. */
import type { BoardButton, BoardDescription } from '../../board/board.ts';
import type { Clock, Timer } from '../../hal/clock.ts';
import type { BoardStatus, CommandResult } from '../api/router-control.ts';
import { ButtonDesk } from './button-desk.ts';
import type { ButtonMeaning } from './button-machine.ts';
import { type Condition, NO_MODEM, type Phase } from './condition.ts';
import type { FoundLed, Hardware } from './hardware.ts';
import { Lamp } from './lamp.ts';
import { type Meaning, meaningOf, type Signal } from './meaning.ts';
import { patternText } from './pattern.ts';
import { WatchdogKeeper } from './watchdog-keeper.ts';

/** How often the state of the router is looked at without being told of a change, ms. */
const LOOK_MS = 1_000;
/** How long a bundle's fate is shown, ms. */
const BUNDLE_MS = 5_000;

export interface IndicatorsParts {
  readonly board: BoardDescription;
  readonly clock: Clock;
  readonly open: () => Promise<Hardware>;
  /** How the router is, but for its phase; asked once a second, and at each change. */
  readonly condition: () => Omit<Condition, 'phase'>;
  /** Whether the factory configuration is in force because nothing better can be. */
  readonly failsafe: () => boolean;
  /** Whether a network device has a link. */
  readonly carrier: (device: string) => boolean;
  /** Asks the data plane's thread for anything. */
  readonly ask: () => Promise<unknown>;
  /** Somebody has pressed this button shortly. */
  readonly reboot: (button: BoardButton) => void;
  /** Somebody has held one for long. */
  readonly factoryReset: () => void;
  readonly log: { readonly info: (line: string) => void; readonly warn: (line: string) => void };
}

/** A signal that ends by itself, or not. */
interface Shown {
  readonly signal: Signal;
  readonly timer?: Timer;
}

const NO_LEDS: CommandResult = {
  ok: false,
  reason: 'this board has no LED that could blink',
  remedy: 'see what it has with "culvert show leds"',
};

const NOTHING_YET: Omit<Condition, 'phase'> = {
  wan: { state: 'off', why: 'the router starts' },
  vpn: { state: 'off', why: 'the router starts' },
  lte: NO_MODEM,
};

export class Indicators {
  readonly #parts: IndicatorsParts;
  #hardware: Hardware | undefined;
  #lamps: readonly { readonly led: FoundLed; readonly lamp?: Lamp; meaning?: Meaning }[] = [];
  #buttons: readonly ButtonDesk[] = [];
  #keeper: WatchdogKeeper | undefined;
  #phase: Phase = 'booting';
  /** What the button says goes before what was asked for. */
  #press: Shown | undefined;
  #asked: Shown | undefined;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(parts: IndicatorsParts) {
    this.#parts = parts;
  }

  /**
   * Opens what the board has, says so, and shows that the router starts.
   * @returns whether the button was held at the start: failsafe. May take some seconds while it is held.
   */
  async start(): Promise<{ readonly failsafe: boolean }> {
    const { clock, log, open } = this.#parts;
    const hardware = await open();
    this.#hardware = hardware;
    for (const line of hardware.lines) log.info(line);
    const warn = (line: string): void => log.warn(line);
    this.#lamps = hardware.leds.map((led) => ({
      led,
      ...(led.device && { lamp: new Lamp({ led: led.device, clock, log: warn }) }),
    }));
    const { device: watchdog } = hardware.watchdog ?? {};
    if (watchdog !== undefined) {
      this.#keeper = new WatchdogKeeper({ watchdog, clock, ask: this.#parts.ask, log: warn });
      this.#keeper.start();
    }
    this.#look();
    this.#buttons = hardware.buttons.flatMap(({ device: button, description }) => {
      const onMeaning = (meaning: ButtonMeaning): void => this.#pressed(description, meaning);
      return button ? [new ButtonDesk({ button, clock, log: warn, onMeaning })] : [];
    });
    let failsafe = false;
    for (const desk of this.#buttons) {
      failsafe = (await desk.heldAtStart(() => this.setPhase('failsafe'))) || failsafe;
      if (this.#stopped) return { failsafe };
      desk.start();
    }
    this.setPhase(failsafe ? 'failsafe' : 'booting');
    return { failsafe };
  }

  setPhase(phase: Phase): void {
    this.#phase = phase;
    this.refresh();
  }

  /** Something has changed. */
  refresh(): void {
    if (this.#stopped) return;
    const starting = this.#phase !== 'ready';
    const phase = this.#phase === 'ready' && this.#parts.failsafe() ? 'failsafe' : this.#phase;
    const condition = { phase, ...(starting ? NOTHING_YET : this.#parts.condition()) };
    const signal = (this.#press ?? this.#asked)?.signal;
    for (const entry of this.#lamps) {
      entry.meaning = meaningOf(entry.led.description, condition, signal, this.#parts.carrier);
      entry.lamp?.show(entry.meaning.pattern);
    }
  }

  /** All LEDs blink, so that somebody finds the router. @param seconds 0: it ends. */
  identify(seconds: number): CommandResult {
    this.#show(seconds > 0 ? { kind: 'identify' } : undefined, seconds * 1000);
    return this.#lamps.some(({ lamp }) => lamp !== undefined) ? { ok: true } : NO_LEDS;
  }

  /** What has become of a bundle, for whoever stands before the router. */
  bundle(accepted: boolean): void {
    this.#show({ kind: accepted ? 'accepted' : 'refused' }, BUNDLE_MS);
  }

  status(): BoardStatus {
    const { board } = this.#parts;
    const { leds = [], buttons = [], watchdog } = this.#hardware ?? {};
    return {
      board: board.name,
      description: board.description,
      leds: leds.map(({ description: { purpose }, place, trouble }, index) => {
        const { lamp, meaning } = this.#lamps[index] ?? {};
        const reason = trouble ?? lamp?.trouble;
        return {
          purpose,
          device: place,
          by: lamp?.by ?? '',
          shows: lamp?.pattern === undefined ? '' : patternText(lamp.pattern),
          why: meaning?.why ?? '',
          ...(reason === undefined ? {} : { reason: reason.replace(/\.$/, '') }),
        };
      }),
      buttons: this.#buttonStatus(buttons),
      ...(watchdog === undefined ? {} : this.#watchdogStatus(watchdog)),
    };
  }

  /** LEDs show what they showed before, the watchdog is stopped where that can be. Never rejects. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#press?.timer?.cancel();
    this.#asked?.timer?.cancel();
    for (const desk of this.#buttons) desk.stop();
    await Promise.all(this.#lamps.map(({ lamp }) => lamp?.stop()));
    this.#keeper?.stop();
  }

  #look(): void {
    const { clock } = this.#parts;
    this.refresh();
    this.#timer = clock.setTimer(clock.now() + LOOK_MS, () => this.#look());
  }

  #show(signal: Signal | undefined, forMs: number): void {
    const { clock } = this.#parts;
    this.#asked?.timer?.cancel();
    this.#asked = undefined;
    if (signal !== undefined) {
      const timer = clock.setTimer(clock.now() + forMs, () => this.#show(undefined, 0));
      this.#asked = { signal, timer };
    }
    this.refresh();
  }

  #pressed(button: BoardButton, meaning: ButtonMeaning): void {
    const { log, reboot, factoryReset } = this.#parts;
    const { kind } = meaning;
    this.#press = kind === 'countdown' || kind === 'armed' ? { signal: meaning } : undefined;
    this.refresh();
    // Whoever does these two says so.
    if (kind === 'short') reboot(button);
    else if (kind === 'reset') factoryReset();
    else if (kind === 'cancelled') log.info('the reset button was let go before 5 s were over: nothing happens');
    else if (kind === 'stuck')
      log.warn('the reset button is held for a minute: it is stuck, and means nothing until it is let go');
    else if (kind === 'unstuck') log.info('the reset button was let go: it means something again');
  }

  #buttonStatus(buttons: Hardware['buttons']): BoardStatus['buttons'] {
    let next = 0;
    return buttons.map(({ description: { purpose }, place, device, trouble }) => {
      const desk = device === undefined ? undefined : this.#buttons[next++];
      const reason = (trouble ?? desk?.trouble)?.replace(/\.$/, '');
      const state = desk?.state ?? 'failed';
      return { purpose, device: place, state, does: BUTTON_DOES, ...(reason === undefined ? {} : { reason }) };
    });
  }

  #watchdogStatus({ place, device, trouble }: NonNullable<Hardware['watchdog']>): Pick<BoardStatus, 'watchdog'> {
    const { state, reason = trouble?.replace(/\.$/, '') } = this.#keeper?.state ?? { state: 'failed' as const };
    const { identity = '', timeoutSeconds = 0 } = device ?? {};
    return {
      watchdog: { device: place, identity, timeoutSeconds, state, ...(reason === undefined ? {} : { reason }) },
    };
  }
}

const BUTTON_DOES =
  'under 1 s: reboot; 5 s or more: factory reset, counted down by the LEDs; held at the start and then let go: failsafe';
