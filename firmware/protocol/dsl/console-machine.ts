/**
 * Somebody at the serial console of a DSL modem: wakes it, logs in where that is wanted, types a command now and then and reads
 * the answer up to the prompt. Octets and time in; octets, statuses and failures out. Whatever the console says, it is woken anew
 * and asked again in the end, with a back-off.
 */
import type { Failure, Instant, Machine } from '../machine.ts';
import type { DslDialect } from './chipsets.ts';
import { type ConsoleWish, noAnswer, noLogin, refusedLogin, silent } from './console-failures.ts';
import type { DslStatus } from './dsl-status.ts';
import { linesOf, MAX_ANSWER } from './dsl-text.ts';

export interface DslConsoleOptions {
  readonly dialects: readonly DslDialect[];
  /** For a console that wants a login. */
  readonly user?: string;
  readonly password?: string;
  /** Between two looks, ms. */
  readonly intervalMs: number;
}

export type DslConsoleOutput =
  | { readonly kind: 'send'; readonly octets: Uint8Array }
  | { readonly kind: 'status'; readonly status: DslStatus }
  /** Told each time; the same may come again and again. */
  | { readonly kind: 'failure'; readonly failure: Failure };

/** How long a console may take to show a prompt, ms. */
const PROMPT_MS = 3_000;
/** ... and to check a password: it is slow on purpose when it was wrong. */
const LOGIN_MS = 10_000;
/** How long a command may take. */
const COMMAND_MS = 8_000;
/** Times that a silent console is woken before it counts as silent. */
const WAKINGS = 3;
/** Bounds of the wait after a failure, ms, doubled each time. */
const BACK_OFF_MS = { first: 5_000, most: 300_000 } as const;
/** A password that was refused is not tried again soon: some consoles lock the user out. */
const REFUSED_MS = { first: 300_000, most: 3_600_000 } as const;
/** Looks in a row that bring no status until the kind of modem is looked for anew. */
const MISSES = 3;

const ENTER = '\r';
/** ^C: whatever runs there ends. */
const INTERRUPT = '\u0003';
const PROMPT = /^.{0,40}[#$>]\s?$/;
const LOGIN = /(?:login|user ?name|user)\s*:\s*$/i;
const PASSWORD = /password\s*:\s*$/i;
const MORE = /--\s?more\s?--\s*$/i;

type State =
  | { readonly kind: 'closed' }
  | { readonly kind: 'waking'; readonly tries: number }
  | { readonly kind: 'user-sent' }
  | { readonly kind: 'password-sent' }
  /** Until the next look, or the end of a back-off: then it is woken first. */
  | { readonly kind: 'resting' }
  | {
      readonly kind: 'asking';
      readonly dialect: number;
      readonly command: number;
      readonly answers: readonly string[];
    };

export class DslConsole implements Machine<DslConsoleOutput> {
  readonly #options: DslConsoleOptions;
  readonly #outputs: DslConsoleOutput[] = [];
  #state: State = { kind: 'closed' };
  #deadline: Instant | undefined;
  #heard = '';
  #prompt = '';
  #failures = 0;
  #refusals = 0;
  /** Which dialect has answered, and how often it has not since. */
  #known: number | undefined;
  #misses = 0;
  /** Where the search among the dialects is. */
  #next = 0;

  constructor(options: DslConsoleOptions) {
    this.#options = options;
  }

  /** The line is open. */
  opened(now: Instant): void {
    this.#wake(0, now);
  }

  /** The line is closed; whatever was under way is over. */
  closed(): void {
    this.#state = { kind: 'closed' };
    this.#deadline = undefined;
    this.#heard = '';
  }

  received(octets: Uint8Array, now: Instant): void {
    if (this.#state.kind === 'closed' || this.#state.kind === 'resting') return;
    this.#heard += Buffer.from(octets).toString('latin1');
    // What is longer is no answer: somebody else's, a boot, or noise without end.
    if (this.#heard.length > MAX_ANSWER) this.#heard = this.#heard.slice(-MAX_ANSWER / 2);
    this.#look(now);
  }

  tick(now: Instant): void {
    if (this.#deadline === undefined || now < this.#deadline) return;
    this.#deadline = undefined;
    switch (this.#state.kind) {
      case 'resting':
        this.#wake(0, now);
        break;
      case 'waking':
        if (this.#state.tries + 1 < WAKINGS) this.#wake(this.#state.tries + 1, now);
        else this.#fail(silent(this.#heard), now);
        break;
      case 'user-sent':
        this.#fail(silent(this.#heard), now);
        break;
      case 'password-sent':
        // What it says may hold the password, if it shows what is typed.
        this.#fail(silent(''), now);
        break;
      case 'asking':
        this.#miss(now, 'no prompt came');
        break;
      case 'closed':
        break;
    }
  }

  nextDeadline(): Instant | undefined {
    return this.#deadline;
  }

  poll(): DslConsoleOutput | undefined {
    return this.#outputs.shift();
  }

  #look(now: Instant): void {
    const last = linesOf(this.#heard.slice(-512)).at(-1)?.trimStart() ?? '';
    if (MORE.test(last)) {
      this.#heard = this.#heard.slice(0, this.#heard.lastIndexOf('--', this.#heard.lastIndexOf('--') - 1));
      this.#send(' ');
      return;
    }
    if (this.#state.kind === 'asking') {
      // A prompt alone is a second one from before: Enter brings two where the console was asleep.
      const isAnswer = this.#heard.replaceAll(this.#prompt, '').trim() !== '';
      if (last.trim() === this.#prompt && isAnswer) this.#answered(now);
      else if (LOGIN.test(last)) this.#wake(0, now);
      return;
    }
    if (PASSWORD.test(last)) this.#password(now);
    else if (LOGIN.test(last)) this.#login(now);
    else if (PROMPT.test(last)) {
      this.#prompt = last.trim();
      this.#refusals = 0;
      this.#ask(this.#known ?? this.#next, 0, [], now);
    }
  }

  #login(now: Instant): void {
    const { user } = this.#options;
    if (this.#state.kind === 'password-sent') {
      this.#refusals += 1;
      this.#rest(REFUSED_MS, this.#refusals, refusedLogin(user ?? ''), now);
    } else if (user === undefined) this.#rest(REFUSED_MS, 1, noLogin('user'), now);
    else if (this.#state.kind === 'waking') {
      this.#enter({ kind: 'user-sent' }, LOGIN_MS, now);
      this.#send(`${user}${ENTER}`);
    }
  }

  #password(now: Instant): void {
    const { user, password } = this.#options;
    if (this.#state.kind === 'password-sent') return;
    if (password === undefined) {
      this.#rest(REFUSED_MS, 1, noLogin('password'), now);
    } else if (user !== undefined && this.#state.kind === 'waking' && this.#state.tries === 0) {
      // Of a login that somebody left, perhaps: an empty one brings the question for the user back.
      this.#enter({ kind: 'waking', tries: 1 }, LOGIN_MS, now);
      this.#send(ENTER);
    } else {
      this.#enter({ kind: 'password-sent' }, LOGIN_MS, now);
      this.#send(`${password}${ENTER}`);
    }
  }

  #wake(tries: number, now: Instant): void {
    this.#enter({ kind: 'waking', tries }, PROMPT_MS, now);
    this.#send(tries === 0 ? ENTER : `${INTERRUPT}${ENTER}`);
  }

  #ask(dialect: number, command: number, answers: readonly string[], now: Instant): void {
    const words = this.#options.dialects[dialect]?.commands[command];
    if (words === undefined) return;
    this.#enter({ kind: 'asking', dialect, command, answers }, COMMAND_MS, now);
    this.#send(`${words}${ENTER}`);
  }

  #answered(now: Instant): void {
    if (this.#state.kind !== 'asking') return;
    const { dialect, command } = this.#state;
    // The echo of the command stands before it, and the prompt behind it: neither has anything that a parser takes.
    const answers = [...this.#state.answers, this.#heard];
    const { commands, parse } = this.#options.dialects[dialect] ?? { commands: [], parse: () => undefined };
    if (command + 1 < commands.length) {
      this.#ask(dialect, command + 1, answers, now);
      return;
    }
    const status = parse(answers.join('\n'));
    if (status === undefined) {
      this.#miss(now, 'its answer has no state of a line');
      return;
    }
    this.#known = dialect;
    this.#misses = 0;
    this.#failures = 0;
    this.#outputs.push({ kind: 'status', status });
    this.#enter({ kind: 'resting' }, this.#options.intervalMs, now);
  }

  /** A look that has brought nothing. */
  #miss(now: Instant, what: ConsoleWish): void {
    const { dialects } = this.#options;
    if (this.#known !== undefined) {
      this.#misses += 1;
      // Noise on the line, a message of the kernel behind the prompt: the next look will do.
      if (this.#misses < MISSES) {
        this.#wake(0, now);
        return;
      }
      this.#known = undefined;
      this.#misses = 0;
      this.#next = 0;
    } else {
      this.#next += 1;
      if (this.#next < dialects.length) {
        this.#wake(0, now);
        return;
      }
      this.#next = 0;
    }
    this.#fail(noAnswer(dialects, what), now);
  }

  #fail(failure: Failure, now: Instant): void {
    this.#failures += 1;
    this.#rest(BACK_OFF_MS, this.#failures, failure, now);
  }

  #rest(
    bounds: { readonly first: number; readonly most: number },
    times: number,
    failure: Failure,
    now: Instant,
  ): void {
    const wait = Math.min(bounds.most, bounds.first * 2 ** Math.min(times - 1, 16));
    this.#outputs.push({ kind: 'failure', failure });
    this.#enter({ kind: 'resting' }, wait, now);
  }

  #enter(state: State, waitMs: number, now: Instant): void {
    this.#state = state;
    this.#deadline = now + waitMs;
    this.#heard = '';
  }

  #send(text: string): void {
    this.#outputs.push({ kind: 'send', octets: Buffer.from(text, 'utf8') });
  }
}
