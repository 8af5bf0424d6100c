import type { Clock } from '../../hal/clock.ts';
import type { SerialPort } from '../../hal/serial-port.ts';
import type { AccountControl, LoginAttempt, LoginSession } from '../api/account-control.ts';
import { MachineRunner } from '../vpn/machine-runner.ts';
import { errorText } from '../vpn/steps.ts';
import { ConsoleMachine, type ConsoleMachineOptions } from './console-machine.ts';
import type { ConsoleOutput } from './console-types.ts';
import { LineWriter } from './line-writer.ts';
import type { ShellSession, StartShell } from './shell-port.ts';

export interface ConsoleLineParts extends ConsoleMachineOptions {
  readonly clock: Clock;
  readonly accounts: AccountControl;
  readonly startShell: StartShell;
  /** Called with each sentence that belongs into the log. */
  readonly log: (line: string) => void;
}

/** Characters that may be typed ahead of the shell; beyond that the line is not read, and its flow control holds the sender. */
const MOST_AHEAD = 1024 * 1024;

/** Hands for one {@link ConsoleMachine}, as long as its line is open. */
export class ConsoleLine {
  readonly #parts: ConsoleLineParts;
  readonly #port: SerialPort;
  readonly #machine: ConsoleMachine;
  readonly #runner: MachineRunner<ConsoleOutput>;
  readonly #writer: LineWriter;
  readonly #encoder = new TextEncoder();
  #shell: ShellSession | undefined;

  constructor(port: SerialPort, parts: ConsoleLineParts) {
    this.#parts = parts;
    this.#port = port;
    this.#machine = new ConsoleMachine(parts);
    this.#writer = new LineWriter(port, () => {
      parts.log('the console takes nothing any more, and whoever was there is logged out');
      void port.close();
    });
    this.#runner = new MachineRunner(
      this.#machine,
      parts.clock,
      (output) => this.#handle(output),
      (error, output) => this.#fault(error, output),
    );
    port.onOctets = (octets) => this.#runner.run((now) => this.#machine.octets(octets, now));
  }

  /** Returns when the line is closed or lost, and nobody is logged in there any more. */
  async end(): Promise<void> {
    await this.#port.ended;
    this.#writer.end();
    const shell = this.#shell;
    this.#runner.run(() => this.#machine.unplugged());
    await shell?.ended;
  }

  #handle(output: ConsoleOutput): void {
    switch (output.kind) {
      case 'send':
        this.#writer.write(this.#encoder.encode(output.text));
        break;
      case 'login':
        void this.#login(output.attempt);
        break;
      case 'change-password':
        void this.#changePassword(output);
        break;
      case 'logout':
        void this.#logout(output.token);
        break;
      case 'start-shell':
        this.#start(output.session);
        break;
      case 'shell-octets':
        this.#feed(output.octets);
        break;
      case 'hang-up':
        this.#shell?.hangUp();
    }
  }

  async #login(attempt: LoginAttempt): Promise<void> {
    const { accounts, log } = this.#parts;
    const result = await accounts.login(attempt).catch((error: unknown) => {
      log(`a login on the console could not be judged: ${errorText(error)}`);
      return { ok: false, reason: 'the login could not be judged: the log says why' } as const;
    });
    this.#runner.run((now) => this.#machine.loginAnswered(result, now));
  }

  async #changePassword(change: ConsoleOutput & { readonly kind: 'change-password' }): Promise<void> {
    const { accounts, log } = this.#parts;
    const { token, current, next } = change;
    const refusal = await accounts.changePassword(token, current, next).catch((error: unknown) => {
      log(`a password could not be changed on the console: ${errorText(error)}`);
      return 'the log says why';
    });
    this.#runner.run((now) => this.#machine.passwordChanged(refusal, now));
  }

  async #logout(token: string): Promise<void> {
    const { accounts, log } = this.#parts;
    await accounts.logout(token).catch((error: unknown) => log(`a logout on the console failed: ${errorText(error)}`));
  }

  #start(session: LoginSession): void {
    const shell = this.#parts.startShell(session, {
      write: (text) => this.#writer.write(this.#encoder.encode(text)),
      drained: () => this.#writer.drained(),
      onRoom: () => this.#port.resume(),
    });
    this.#shell = shell;
    const ended = shell.ended.catch((error: unknown) => this.#fault(error));
    void ended.then(() => {
      this.#shell = undefined;
      this.#port.resume();
      this.#runner.run(() => this.#machine.shellEnded());
    });
  }

  #feed(octets: Uint8Array): void {
    const shell = this.#shell;
    if (shell === undefined) return;
    shell.feed(octets);
    if (shell.typedAhead > MOST_AHEAD) this.#port.pause();
  }

  #fault(error: unknown, output?: ConsoleOutput): void {
    this.#parts.log(`the console has a fault: ${errorText(error)}`);
    if (output?.kind === 'start-shell') this.#runner.run(() => this.#machine.shellEnded());
  }
}
