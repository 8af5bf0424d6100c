import type { Timer } from '../../hal/clock.ts';
import type { SerialPort, SerialPorts } from '../../hal/serial-port.ts';
import { errorText } from '../vpn/steps.ts';
import { ConsoleLine, type ConsoleLineParts } from './console-line.ts';

/** What every console server and every boot loader speaks. */
export const CONSOLE_BAUD = 115_200;
/** How long until a line that could not be opened, or was lost, is tried again, ms. */
const REOPEN_MS = 2000;

export interface SerialConsoleParts extends ConsoleLineParts {
  readonly ports: SerialPorts;
  /** `/dev/ttyGS0`. */
  readonly path: string;
}

/** The console of a router on one serial line, which may be unplugged and plugged in as often as somebody likes. */
export class SerialConsole {
  readonly #parts: SerialConsoleParts;
  readonly #stopped = Promise.withResolvers<void>();
  #stopping = false;
  #port: SerialPort | undefined;
  #timer: Timer | undefined;
  /** What was last said of the line: a line that stays away is told once. */
  #told = '';

  constructor(parts: SerialConsoleParts) {
    this.#parts = parts;
  }

  start(): void {
    void this.#run();
  }

  /** Whoever is logged in is logged out. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wake();
    await this.#port?.close();
    await this.#stopped.promise;
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      await this.#serve();
      if (!this.#stopping) await this.#pause();
    }
    this.#stopped.resolve();
  }

  /** Returns when there is no line, or no line any more. */
  async #serve(): Promise<void> {
    const { ports, path } = this.#parts;
    let port: SerialPort;
    try {
      port = await ports.open({ path, baud: CONSOLE_BAUD });
    } catch (error) {
      this.#tell(`there is no console: ${errorText(error)}`);
      return;
    }
    this.#port = port;
    if (this.#stopping) await port.close();
    this.#tell(`the console is on ${path}`);
    const line = new ConsoleLine(port, this.#parts);
    await line.end();
    this.#port = undefined;
    const end = await port.ended;
    if (end.kind === 'lost') this.#tell(`the console on ${path} is lost: ${end.reason}`);
  }

  #tell(line: string): void {
    if (line !== this.#told) this.#parts.log(line);
    this.#told = line;
  }

  #wake: () => void = () => undefined;

  async #pause(): Promise<void> {
    const { clock } = this.#parts;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    this.#timer = clock.setTimer(clock.now() + REOPEN_MS, resolve);
    await promise;
    this.#timer.cancel();
  }
}
