/** The console: somebody types commands at a terminal, and each is carried out before the next. */
import type { Role } from '../../api/account-control.ts';
import { ControlClient } from '../../api/client.ts';
import { ConfigurationClient } from '../../api/configuration-client.ts';
import { pathText } from '../../config/derived/edits.ts';
import type { Author } from '../../config/store/revision.ts';
import { History } from '../../terminal/history.ts';
import { done, failed } from '../output.ts';
import { sentence } from '../sentence.ts';
import { NotAnsweredError } from '../terminal.ts';
import { type ConfigurationMode, configurationCommands, END_MARK } from './configuration.ts';
import { Draft } from './draft.ts';
import { Facts } from './facts.ts';
import { byLine, filtered, unpaged } from './filters.ts';
import { type CommandLine, key, nothingMore, type ShellCommand, ShellError, understand } from './grammar.ts';
import { completion, help } from './hints.ts';
import { lexLine } from './lexer.ts';
import { operationalCommands } from './operational.ts';
import { commandsFor } from './roles.ts';
import type { Screen } from './screen.ts';

export interface ShellOptions {
  readonly stateDir: string;
  readonly author: Author;
  readonly screen: Screen;
  /** The person runs this program, and may use it on files; not so where somebody has logged in at a serial line. */
  readonly files?: boolean;
  /** Until somebody who does nothing is logged out, ms; never when absent. */
  readonly idleMs?: number;
  /** Of whoever types; an administrator when absent. */
  readonly role?: Role;
}

/** Why it ended. */
export type Farewell = 'exit' | 'idle' | 'gone';

/** Lines of a configuration that is pasted; longer ones are no configuration. */
const MAX_TEXT = 2 * 1024 * 1024;

export class Shell {
  readonly #options: ShellOptions;
  readonly #screen: Screen;
  readonly #client: ConfigurationClient;
  readonly #control: ControlClient;
  readonly #role: Role;
  readonly #facts: Facts;
  readonly #operational: readonly ShellCommand[];
  readonly #histories = { operational: new History(), configuration: new History() };
  #mode: ConfigurationMode | undefined;
  #hostname = 'culvert';
  #left: Farewell | undefined;

  constructor(options: ShellOptions) {
    this.#options = options;
    this.#screen = options.screen;
    this.#client = new ConfigurationClient(options.stateDir);
    this.#control = new ControlClient(options.stateDir);
    this.#role = options.role ?? 'admin';
    const { stateDir, author, screen } = options;
    this.#facts = new Facts(stateDir);
    this.#operational = operationalCommands({ stateDir, author, facts: this.#facts, terminal: screen });
  }

  /** In configuration mode from the beginning. @throws ShellError when somebody else works on the draft. */
  async configure(): Promise<void> {
    await this.#configure(false);
  }

  /** "exit" was given. */
  get left(): boolean {
    return this.#left !== undefined;
  }

  /** Gives the router what was changed. @throws ShellError when it is refused. */
  async keep(): Promise<void> {
    await this.#mode?.draft.flush();
  }

  /** Returns when the person has left. Nothing that a command does ends it. */
  async run(): Promise<Farewell> {
    await this.#look();
    while (this.#left === undefined) {
      if (!this.#screen.keyboard.waiting) await this.#keepDraft();
      if (this.#mode !== undefined && this.#mode.path.length > 0)
        this.#screen.say(`[edit ${pathText(this.#mode.path)}]`);
      const typed = await this.#screen.readLine(this.#prompt, this.#prompting());
      if (typed.kind === 'line') await this.execute(typed.text);
      else if (typed.kind === 'end') await this.execute('exit');
      else if (typed.kind !== 'interrupt') this.#left = typed.kind;
    }
    // What was changed and is not in force is kept by the router, whoever hangs up.
    await this.#keepDraft();
    return this.#left;
  }

  get #prompt(): string {
    return `${this.#hostname}${this.#mode === undefined ? '>' : '#'} `;
  }

  #prompting() {
    const { idleMs } = this.#options;
    const { columns } = this.#screen;
    return {
      history: this.#mode === undefined ? this.#histories.operational : this.#histories.configuration,
      completes: true,
      asksHelp: (before: string) => lexLine(before).open === undefined,
      hint: (kind: 'complete' | 'help', before: string) =>
        kind === 'help' ? help(before, this.#commands, columns) : completion(before, this.#commands, columns),
      ...(idleMs === undefined ? {} : { idleMs }),
    };
  }

  get #commands(): readonly ShellCommand[] {
    if (this.#mode !== undefined) return [...configurationCommands(this.#mode), ...this.#alsoInMode];
    return commandsFor(this.#role, [...this.#operational, ...this.#modeCommands]);
  }

  get #modeCommands(): readonly ShellCommand[] {
    return [
      {
        name: 'configure',
        help: 'change the configuration: a draft first, then "commit"',
        follow: (words) =>
          words.length > 0
            ? nothingMore
            : { offers: [key('takeover', 'Also when somebody else works on the draft.')], enough: true },
        run: async (words) => {
          await this.#configure(words[0] === 'takeover');
          return done;
        },
      },
      {
        name: 'exit',
        help: 'leave the console',
        follow: () => nothingMore,
        run: async () => {
          this.#left = 'exit';
        },
      },
    ];
  }

  /** What is not about the draft, and is wanted while somebody works on it. */
  get #alsoInMode(): readonly ShellCommand[] {
    const also = ['confirm', 'revert', 'rollback'];
    const names = this.#operational.map(({ name, help: words }) => key(name, `${words}.`));
    const inner = (name = '') => this.#operational.find((command) => command.name === name);
    return [
      ...this.#operational.filter(({ name }) => also.includes(name)),
      {
        name: 'run',
        help: 'give a command that is not about the draft',
        streams: true,
        follow: ([name, ...words]) =>
          inner(name)?.follow(words) ?? { offers: name === undefined ? names : [], enough: false },
        concludes: ([name, ...words]) => inner(name)?.concludes?.(words) === true,
        run: async ([name, ...words], running) => {
          const command = inner(name);
          if (command === undefined)
            throw new ShellError('a command is missing behind "run": press ? for those there are');
          return await command.run(words, running);
        },
      },
    ];
  }

  async #configure(takeover: boolean): Promise<void> {
    const draft = new Draft(this.#client, this.#options.author);
    await draft.open(takeover);
    this.#mode = {
      client: this.#client,
      author: this.#options.author,
      draft,
      path: [],
      readText: () => this.#readText(),
      ask: (question) => this.#screen.ask(question),
      askSecret: (question) => this.#screen.askSecret(question),
      files: this.#options.files === true,
      facts: this.#facts,
      leave: () => {
        this.#mode = undefined;
      },
    };
    if (draft.begun)
      this.#screen.say('a draft is there already: "compare" shows what it changes, "discard" throws it away');
  }

  /** Carries out one line. Nothing is thrown. @returns the exit code that it would have as a command of `culvert`. */
  async execute(line: string): Promise<number> {
    const history = this.#mode === undefined ? this.#histories.operational : this.#histories.configuration;
    const lines: string[] = [];
    try {
      const meant = await understand(line, this.#commands);
      if (meant === undefined) return done;
      if (meant.command.secret?.(meant.words) !== true) history.add(line);
      return await this.#perform(meant, lines);
    } catch (error) {
      // What it has said before it failed comes first.
      await this.#screen.page([...lines, error instanceof ShellError ? error.message : sentence(error)]);
      return failed;
    }
  }

  async #perform({ command, words, filters }: CommandLine, lines: string[]): Promise<number> {
    const { keyboard } = this.#screen;
    const end = new AbortController();
    const atOnce = command.streams === true && byLine(filters);
    const through = (all: readonly string[]) =>
      filters.reduce<readonly string[]>((shown, filter) => filtered(shown, filter), all);
    const concludes = command.concludes?.(words) === true;
    let left = false;
    const out = (text: string): void => {
      if (left) return;
      if (!atOnce) lines.push(...text.split('\n'));
      else for (const line of through(text.split('\n'))) this.#screen.say(line);
    };
    const brokenOff = Promise.withResolvers<'broken off'>();
    keyboard.onInterrupt = () => {
      if (concludes && !end.signal.aborted) {
        this.#screen.say('^C');
        end.abort();
        return;
      }
      left = true;
      end.abort();
      brokenOff.resolve('broken off');
    };
    const run = command.run(words, { out, signal: end.signal });
    // What it comes to after ^C is not waited for.
    run.catch(() => undefined);
    // One that was struck between the line and now is for this command.
    if (keyboard.takeInterrupt()) keyboard.onInterrupt();
    let code: number | undefined | 'broken off';
    try {
      code = await Promise.race([run, brokenOff.promise]);
    } finally {
      keyboard.onInterrupt = undefined;
    }
    if (code === 'broken off') {
      this.#screen.say('^C');
      lines.push('it was broken off here; what the router has begun goes on');
    }
    const shown = atOnce ? lines : through(lines);
    if (unpaged(filters)) for (const line of shown) this.#screen.say(line);
    else await this.#screen.page(shown);
    if (command.name === 'commit' || command.name === 'confirm' || command.name === 'rollback') await this.#look();
    return code === 'broken off' ? failed : (code ?? done);
  }

  /** Under which name the router is known. */
  async #look(): Promise<void> {
    const running = await this.#client.running().catch(() => undefined);
    const { system } = (running ?? {}) as { readonly system?: { readonly hostname?: string } };
    this.#hostname = system?.hostname ?? 'culvert';
    const status = await this.#control.status().catch((error: unknown) => error);
    if (status instanceof Error) this.#screen.say(sentence(status));
  }

  async #keepDraft(): Promise<void> {
    try {
      await this.keep();
    } catch (error) {
      this.#screen.say(`${error instanceof ShellError ? error.message : sentence(error)}; the last changes are lost`);
    }
  }

  /** Lines up to the end mark. @throws NotAnsweredError, ShellError */
  async #readText(): Promise<string> {
    let text = '';
    for (;;) {
      const typed = await this.#screen.readLine('', { masked: true, most: MAX_TEXT + 1 });
      if (typed.kind === 'line' && typed.text.trim() === END_MARK) return text;
      if (typed.kind === 'end') return text;
      if (typed.kind !== 'line') throw new NotAnsweredError('it was broken off, and nothing was changed');
      text += `${typed.text}\n`;
      if (text.length > MAX_TEXT)
        throw new ShellError('the text is too long for a configuration, and nothing was changed');
    }
  }
}
