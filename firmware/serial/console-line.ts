import type { Clock } from '../../hal/clock.ts';
import type { SerialPort } from '../../hal/serial-port.ts';
import type { AccountControl, LoginAttempt, LoginSession } from '../api/account-control.ts';
import { encodeFrame, NOT_HERE, resultPayload, START_MARK } from '../protocol/provisioning/frames.ts';
import { MachineRunner } from '../vpn/machine-runner.ts';
import { errorText } from '../vpn/steps.ts';
import { ConsoleMachine, type ConsoleMachineOptions } from './console-machine.ts';
import type { ConsoleOutput } from './console-types.ts';
import { LineWriter } from './line-writer.ts';
import { MarkScanner } from './mark-scanner.ts';
import type { ProvisioningDesk } from './provisioning-desk.ts';
import type { SessionPort } from './session-port.ts';
import type { ShellSession, StartShell } from './shell-port.ts';
import { Transfer } from './transfer.ts';

export interface ConsoleLineParts extends ConsoleMachineOptions {
  readonly clock: Clock;
  readonly accounts: AccountControl;
  readonly sessions: SessionPort;
  readonly startShell: StartShell;
  /** Takes bundles; without it there is no provisioning. */
  readonly provisioning?: ProvisioningDesk;
  /** Called with each sentence that belongs into the log. */
  readonly log: (line: string) => void;
}

/** Characters that may be typed ahead of the shell; beyond that the line is not read, and its flow control holds the sender. */
const MOST_AHEAD = 1024 * 1024;

/** ^U: what was typed of a line is forgotten. */
const KILL_LINE = Uint8Array.of(0x15);

/** Hands for one {@link ConsoleMachine}, as long as its line is open. */
export class ConsoleLine {
  readonly #parts: ConsoleLineParts;
  readonly #port: SerialPort;
  readonly #machine: ConsoleMachine;
  readonly #runner: MachineRunner<ConsoleOutput>;
  readonly #writer: LineWriter;
  readonly #encoder = new TextEncoder();
  readonly #scanner = new MarkScanner(START_MARK);
  #shell: ShellSession | undefined;
  #transfer: Transfer | undefined;

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
    port.onOctets = (octets) => this.#octets(octets);
  }

  /** Returns when the line is closed or lost, and nobody is logged in there any more. */
  async end(): Promise<void> {
    await this.#port.ended;
    this.#writer.end();
    this.#transfer?.stop();
    const shell = this.#shell;
    this.#runner.run(() => this.#machine.unplugged());
    await shell?.ended;
  }

  #octets(octets: Uint8Array): void {
    const { provisioning } = this.#parts;
    const at = provisioning === undefined ? undefined : this.#scanner.find(octets);
    const before = at === undefined ? octets : octets.subarray(0, at);
    if (this.#transfer === undefined) this.#type(before);
    else if (at === undefined || this.#transfer.judging) this.#transfer.octets(octets);
    if (at === undefined || provisioning === undefined || this.#transfer?.judging === true) return;
    this.#begin(provisioning);
    this.#octets(octets.subarray(at + 1));
  }

  #type(octets: Uint8Array): void {
    this.#runner.run((now) => this.#machine.octets(octets, now));
  }

  /** The mark was typed: the line belongs to a transfer until that ends. */
  #begin(desk: ProvisioningDesk): void {
    const { clock, facts, log } = this.#parts;
    // The mark is no command and no name.
    if (this.#transfer === undefined) this.#type(KILL_LINE);
    this.#transfer?.stop();
    this.#transfer = undefined;
    const refusal = desk.refusal(this.#machine.session);
    const words = refusal === undefined ? desk.words() : [`It is not taken: ${refusal}.`];
    for (const line of words) this.#writer.write(this.#encoder.encode(`\r\n${line}`));
    if (refusal !== undefined) {
      this.#writer.write(encodeFrame('F', NOT_HERE, resultPayload({ ok: false, lines: [refusal] })));
      this.#runner.run((now) => this.#machine.lineBack(now));
      return;
    }
    const { hostname, version } = facts();
    this.#transfer = new Transfer({
      clock,
      desk,
      session: () => this.#machine.session,
      log,
      ready: { hostname, version, device: desk.device },
      write: (octets) => this.#writer.write(octets),
      onEnd: (reason) => this.#endTransfer(reason),
    });
  }

  #endTransfer(reason: string | undefined): void {
    this.#transfer = undefined;
    if (reason !== undefined)
      this.#writer.write(this.#encoder.encode(`\r\nProvisioning has ended, and nothing was changed: ${reason}.`));
    this.#runner.run((now) => this.#machine.lineBack(now));
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
        this.#feed(output.octets, output.token);
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
    if (!result.ok) return;
    const { token } = result.session;
    this.#parts.sessions.onEnd(token, () => this.#runner.run(() => this.#machine.sessionEnded(token)));
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

  #feed(octets: Uint8Array, token: string): void {
    const shell = this.#shell;
    if (shell === undefined) return;
    this.#parts.sessions.used(token);
    shell.feed(octets);
    if (shell.typedAhead > MOST_AHEAD) this.#port.pause();
  }

  #fault(error: unknown, output?: ConsoleOutput): void {
    this.#parts.log(`the console has a fault: ${errorText(error)}`);
    if (output?.kind === 'start-shell') this.#runner.run(() => this.#machine.shellEnded());
  }
}
