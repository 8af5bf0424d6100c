/** A console machine with a person in front of it and accounts behind it; time passes when the test says so. */
import type { AccountControl } from '../../../firmware/api/account-control.ts';
import { ConsoleMachine } from '../../../firmware/serial/console-machine.ts';
import type { ConsoleOutput } from '../../../firmware/serial/console-types.ts';
import type { FakeAccounts } from '../../support/fake-accounts.ts';

export const IDLE_MS = 900_000;

export class MachineBench {
  readonly machine: ConsoleMachine;
  readonly accounts: AccountControl;
  now = 1000;
  /** Lines of the banner. */
  state: readonly string[] = ['no configuration yet'];
  #shown = '';
  /** What the shell got, and `hang-up`. */
  shell: string[] | undefined;

  constructor(accounts: AccountControl) {
    this.accounts = accounts;
    this.machine = new ConsoleMachine({
      facts: () => {
        const initialPassword = accounts.initialPassword();
        const facts = { hostname: 'branch-12', version: '0.1.0', state: this.state };
        return initialPassword === undefined ? facts : { ...facts, initialPassword };
      },
      idleMs: () => IDLE_MS,
    });
  }

  /** Types, and lets the accounts answer. @returns what was shown since. */
  async type(text: string): Promise<string> {
    this.machine.octets(Buffer.from(text), this.now);
    return await this.settle();
  }

  async pass(milliseconds: number): Promise<string> {
    this.now += milliseconds;
    this.machine.tick(this.now);
    return await this.settle();
  }

  async unplug(): Promise<void> {
    this.machine.unplugged();
    await this.settle();
  }

  /** Somebody ends the newest session, and the machine learns of it. */
  async revoke(): Promise<string> {
    const token = [...(this.accounts as FakeAccounts).sessions.keys()].at(-1) ?? '';
    await this.accounts.logout(token);
    this.machine.sessionEnded(token);
    return await this.settle();
  }

  async endShell(): Promise<string> {
    this.shell = undefined;
    this.machine.shellEnded();
    return await this.settle();
  }

  async settle(): Promise<string> {
    for (let output = this.machine.poll(); output !== undefined; output = this.machine.poll()) await this.#do(output);
    const shown = this.#shown;
    this.#shown = '';
    return shown;
  }

  async #do(output: ConsoleOutput): Promise<void> {
    const { accounts, machine } = this;
    switch (output.kind) {
      case 'send':
        this.#shown += output.text;
        break;
      case 'login':
        machine.loginAnswered(await accounts.login(output.attempt), this.now);
        break;
      case 'change-password': {
        const { token, current, next } = output;
        machine.passwordChanged(await accounts.changePassword(token, current, next), this.now);
        break;
      }
      case 'logout':
        await accounts.logout(output.token);
        break;
      case 'start-shell':
        this.shell = [];
        break;
      case 'shell-octets':
        this.shell?.push(Buffer.from(output.octets).toString());
        break;
      case 'hang-up':
        this.shell?.push('hang-up');
    }
  }
}
