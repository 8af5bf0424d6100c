/** The serial console of a DSL modem, for whoever plays the modem on a pseudo-terminal or a simulated line: octets in, octets out. */

export interface DslConsoleOptions {
  /** Answers by command; every other command is not found. */
  readonly commands: Readonly<Record<string, () => string>>;
  /** Who may log in; without it nobody has to. */
  readonly login?: { readonly user: string; readonly password: string };
  /** Default: `# `. */
  readonly prompt?: string;
  readonly send: (octets: Uint8Array) => void;
}

const BANNER = '\r\nBusyBox v1.17.2 built-in shell (ash)\r\n\r\n';

export class SimulatedDslConsole {
  readonly #options: DslConsoleOptions;
  #state: 'asleep' | 'user' | 'password' | 'shell';
  #typed = '';
  #user = '';
  /** Every line that was typed, also passwords. */
  readonly lines: string[] = [];
  /** Says nothing, and hears all the same. */
  mute = false;
  /** What stands behind each answer and its prompt: a message of the kernel, noise. */
  after = '';

  constructor(options: DslConsoleOptions) {
    this.#options = options;
    this.#state = 'asleep';
  }

  received(octets: Uint8Array): void {
    for (const character of Buffer.from(octets).toString('latin1')) {
      if (character === '\r' || character === '\n') this.#line();
      else if (character === '\u0003') this.#typed = '';
      else {
        this.#typed += character;
        if (this.#state !== 'password') this.say(character);
      }
    }
  }

  /** Of its own accord, too. */
  say(text: string): void {
    if (!this.mute) this.#options.send(Buffer.from(text, 'latin1'));
  }

  /** Switched off and on. */
  restart(): void {
    this.#state = 'asleep';
    this.#typed = '';
  }

  #line(): void {
    const line = this.#typed;
    this.#typed = '';
    this.lines.push(line);
    const { login, commands, prompt = '# ' } = this.#options;
    this.say('\r\n');
    if (this.#state === 'asleep') {
      this.#state = login === undefined ? 'shell' : 'user';
      this.say(BANNER + (login === undefined ? prompt : 'modem login: '));
    } else if (this.#state === 'user') {
      this.#user = line;
      this.#state = line === '' ? 'user' : 'password';
      this.say(line === '' ? 'modem login: ' : 'Password: ');
    } else if (this.#state === 'password') {
      const right = this.#user === login?.user && line === login.password;
      this.#state = right ? 'shell' : 'user';
      this.say(right ? BANNER + prompt : 'Login incorrect\r\nmodem login: ');
    } else if (line === '') this.say(prompt);
    else {
      const answer = commands[line];
      const text = answer === undefined ? `-sh: ${line.split(' ')[0]}: not found\n` : answer();
      this.say(`${text.replaceAll('\n', '\r\n')}${prompt}${this.after}`);
    }
  }
}
