/**
 * One serial line from the moment it is plugged in: it waits for a key, says who it is, asks who is there, and leaves the line
 * to a shell until that ends. Octets and answers in; characters and wishes out. No clock, and no account is judged here.
 */
import type { LoginResult, LoginSession } from '../api/account-control.ts';
import type { Instant, Machine } from '../protocol/machine.ts';
import { wrapped } from '../terminal/cells.ts';
import { type Key, KeyDecoder } from '../terminal/keys.ts';
import { LineEditor } from '../terminal/line-editor.ts';
import type { ConsoleFacts, ConsoleOutput } from './console-types.ts';

/** How long a question waits for the next key, ms. */
export const PROMPT_IDLE_MS = 60_000;
/** Octets that are kept while a login is judged; a paste may have commands behind the password. Beyond that they are lost. */
export const MAX_AHEAD = 1024 * 1024;
/** Refusals in a row after which the line is silent until the next key: what talks back may be no person. */
const MAX_REFUSALS = 5;
/** Characters of a name, a password, a code. */
const MOST = { user: 64, password: 1024, code: 16 } as const;
/** A terminal of which nothing is known. */
const COLUMNS = 80;
/** ^L: the line is shown anew. */
const REDRAW = Uint8Array.of(0x0c);
const IDLE = 'Logged out: nobody has typed for too long.';
const ENDED = 'Logged out: the session was ended elsewhere, its time is over, or the user was changed. Log in again.';

type State =
  /** For any key. */
  | { readonly kind: 'waiting' }
  | { readonly kind: 'user' }
  | { readonly kind: 'password'; readonly user: string }
  | { readonly kind: 'code'; readonly user: string; readonly password: string }
  | { readonly kind: 'judging'; readonly user: string; readonly password: string }
  /** The back-off lasts: nothing is taken. */
  | { readonly kind: 'held' }
  | { readonly kind: 'next'; readonly session: LoginSession; readonly current: string }
  | { readonly kind: 'again'; readonly session: LoginSession; readonly current: string; readonly next: string }
  | { readonly kind: 'changing'; readonly session: LoginSession; readonly current: string }
  /** `over`: why it has been told to end, if it has. */
  | { readonly kind: 'shell'; readonly session: LoginSession; readonly over: string | undefined }
  | { readonly kind: 'unplugged' };

export interface ConsoleMachineOptions {
  readonly facts: () => ConsoleFacts;
  /** How long nobody may type before they are logged out, ms. */
  readonly idleMs: () => number;
}

export class ConsoleMachine implements Machine<ConsoleOutput> {
  readonly #options: ConsoleMachineOptions;
  readonly #outputs: ConsoleOutput[] = [];
  #state: State = { kind: 'waiting' };
  #deadline: Instant | undefined;
  #decoder = new KeyDecoder();
  #editor = new LineEditor(COLUMNS);
  #ahead: Uint8Array[] = [];
  #aheadOctets = 0;
  #refusals = 0;

  constructor(options: ConsoleMachineOptions) {
    this.#options = options;
  }

  /** Of whoever has a shell here. */
  get session(): LoginSession | undefined {
    return this.#state.kind === 'shell' && this.#state.over === undefined ? this.#state.session : undefined;
  }

  /** From the line. */
  octets(octets: Uint8Array, now: Instant): void {
    for (const [index] of octets.entries()) {
      const { kind } = this.#state;
      if (kind === 'shell' || kind === 'judging' || kind === 'changing') {
        this.#pass(octets.subarray(index), now);
        return;
      }
      for (const key of this.#decoder.take(octets.subarray(index, index + 1))) this.#key(key, now);
    }
  }

  /** What came of `login`. */
  loginAnswered(result: LoginResult, now: Instant): void {
    const state = this.#state;
    if (state.kind !== 'judging') {
      // Whoever asked is gone.
      if (result.ok) this.#outputs.push({ kind: 'logout', token: result.session.token });
      return;
    }
    if (result.ok) this.#loggedIn(result.session, state.password, now);
    else if ('needs' in result) this.#ask({ ...state, kind: 'code' }, now);
    else this.#refused(result.reason, result.retryAfterSeconds ?? 0, now);
    this.#goOn(now);
  }

  /** What came of `change-password`: words when it was refused. */
  passwordChanged(refusal: string | undefined, now: Instant): void {
    const state = this.#state;
    if (state.kind !== 'changing') return;
    const { session } = state;
    if (refusal === undefined) {
      this.#say('The password is changed.');
      this.#startShell({ ...session, mustChangePassword: false }, now);
    } else {
      this.#say(`It was not changed: ${refusal}.`);
      this.#ask({ ...state, kind: 'next' }, now);
    }
    this.#goOn(now);
  }

  /** The shell is over, by itself or because it was told. */
  shellEnded(): void {
    if (this.#state.kind !== 'shell') return;
    const { session, over } = this.#state;
    this.#outputs.push({ kind: 'logout', token: session.token });
    this.#wait(over === undefined ? 'Logged out.' : `\r\n${over}`);
  }

  /** The line was somebody else's for a while: what was asked is asked again, for the router may have another name now. */
  lineBack(now: Instant): void {
    if (this.#state.kind === 'user') this.#ask(this.#state, now, '\r\n');
    else this.octets(REDRAW, now);
  }

  /** A session is over that was not ended here. */
  sessionEnded(token: string): void {
    const state = this.#state;
    if (!('session' in state) || state.session.token !== token) return;
    if (state.kind === 'shell') this.#endShell(state, ENDED);
    else this.#leave(`\r\n${ENDED}`);
  }

  /** The line is gone; nothing may be sent any more. */
  unplugged(): void {
    const state = this.#state;
    if (state.kind === 'shell') this.#outputs.push({ kind: 'hang-up' });
    const session = 'session' in state ? state.session : undefined;
    if (session !== undefined) this.#outputs.push({ kind: 'logout', token: session.token });
    this.#enter({ kind: 'unplugged' });
    this.#forgetAhead();
  }

  tick(now: Instant): void {
    if (this.#deadline === undefined || now < this.#deadline) return;
    const state = this.#state;
    this.#deadline = undefined;
    if (state.kind === 'held') this.#ask({ kind: 'user' }, now);
    else if (state.kind === 'shell') this.#endShell(state, IDLE);
    else this.#leave('\r\nNobody has typed for too long.');
  }

  nextDeadline(): Instant | undefined {
    return this.#deadline;
  }

  poll(): ConsoleOutput | undefined {
    return this.#outputs.shift();
  }

  /** Octets that are not for the questions of this machine. */
  #pass(octets: Uint8Array, now: Instant): void {
    if (this.#state.kind === 'shell') {
      if (this.#state.over !== undefined) return;
      this.#deadline = now + this.#options.idleMs();
      const { token } = this.#state.session;
      this.#outputs.push({ kind: 'shell-octets', octets: Uint8Array.from(octets), token });
      return;
    }
    const kept = octets.slice(0, MAX_AHEAD - this.#aheadOctets);
    this.#ahead.push(kept);
    this.#aheadOctets += kept.length;
  }

  /** What was typed while something was judged. */
  #goOn(now: Instant): void {
    const ahead = this.#ahead;
    this.#forgetAhead();
    for (const octets of ahead) this.octets(octets, now);
  }

  #forgetAhead(): void {
    this.#ahead = [];
    this.#aheadOctets = 0;
  }

  #key(key: Key, now: Instant): void {
    const { kind } = this.#state;
    if (kind === 'unplugged') return;
    if (kind === 'waiting') {
      this.#banner();
      this.#refusals = 0;
      this.#ask({ kind: 'user' }, now);
      return;
    }
    if (kind === 'held') {
      if (key.kind === 'key' && (key.name === 'interrupt' || key.name === 'end-of-input')) this.#leave('');
      return;
    }
    this.#deadline = now + PROMPT_IDLE_MS;
    const { sent, event } = this.#editor.take(key);
    this.#send(sent);
    if (event?.kind === 'line') this.#entered(event.text, now);
    else if (event?.kind === 'end') this.#leave('');
    else if (event?.kind === 'interrupt') this.#brokenOff(now);
  }

  /** A line was typed in answer to a question. */
  #entered(text: string, now: Instant): void {
    const state = this.#state;
    switch (state.kind) {
      case 'user': {
        const user = text.trim();
        this.#ask(user === '' ? state : { kind: 'password', user }, now);
        break;
      }
      case 'password':
        this.#login(state.user, text);
        break;
      case 'code':
        this.#login(state.user, state.password, text.replaceAll(' ', ''));
        break;
      case 'next':
        this.#ask({ ...state, kind: 'again', next: text }, now);
        break;
      case 'again':
        this.#again(state, text, now);
    }
  }

  #again({ session, current, next }: State & { readonly kind: 'again' }, text: string, now: Instant): void {
    if (text !== next) {
      this.#say('The two are not the same: it was not changed.');
      this.#ask({ kind: 'next', session, current }, now);
      return;
    }
    this.#enter({ kind: 'changing', session, current });
    this.#outputs.push({ kind: 'change-password', token: session.token, current, next });
  }

  #login(user: string, password: string, code?: string): void {
    this.#enter({ kind: 'judging', user, password });
    const attempt = { user, password, ...(code === undefined ? {} : { code }), from: 'console' };
    this.#outputs.push({ kind: 'login', attempt });
  }

  #loggedIn(session: LoginSession, current: string, now: Instant): void {
    if (!session.mustChangePassword) {
      this.#startShell(session, now);
      return;
    }
    this.#say('This password has to be changed before anything else.');
    this.#ask({ kind: 'next', session, current }, now);
  }

  #startShell(session: LoginSession, now: Instant): void {
    this.#enter({ kind: 'shell', session, over: undefined });
    this.#deadline = now + this.#options.idleMs();
    this.#outputs.push({ kind: 'start-shell', session });
  }

  #endShell(state: State & { readonly kind: 'shell' }, over: string): void {
    if (state.over !== undefined) return;
    this.#enter({ ...state, over });
    this.#outputs.push({ kind: 'hang-up' });
  }

  #refused(reason: string, retryAfterSeconds: number, now: Instant): void {
    this.#refusals += 1;
    this.#say(`${reason.slice(0, 1).toUpperCase()}${reason.slice(1)}.`);
    if (retryAfterSeconds > 0) {
      this.#enter({ kind: 'held' });
      this.#deadline = now + retryAfterSeconds * 1000;
      // What was typed ahead was for another question.
      this.#forgetAhead();
    } else if (this.#refusals >= MAX_REFUSALS) this.#leave('');
    else this.#ask({ kind: 'user' }, now);
  }

  #brokenOff(now: Instant): void {
    if ('session' in this.#state) this.#leave('The password was not changed.');
    else this.#ask({ kind: 'user' }, now);
  }

  /** Ends whatever was going on, and waits for the next person. */
  #leave(words: string): void {
    const state = this.#state;
    if ('session' in state) this.#outputs.push({ kind: 'logout', token: state.session.token });
    this.#wait(words);
  }

  #wait(words: string): void {
    if (words !== '') this.#say(words);
    this.#enter({ kind: 'waiting' });
    this.#decoder = new KeyDecoder();
    this.#forgetAhead();
    this.#say('Press Enter to log in.');
  }

  #ask(state: State & { readonly kind: keyof typeof QUESTIONS }, now: Instant, before = ''): void {
    this.#enter(state);
    this.#deadline = now + PROMPT_IDLE_MS;
    const masked = state.kind !== 'user';
    const most = state.kind === 'user' || state.kind === 'code' ? MOST[state.kind] : MOST.password;
    const question = state.kind === 'user' ? `${this.#options.facts().hostname} login: ` : QUESTIONS[state.kind];
    this.#editor = new LineEditor(COLUMNS);
    this.#send(`${before}${this.#editor.begin(question, { masked, most })}`);
  }

  #enter(state: State): void {
    this.#state = state;
    this.#deadline = undefined;
  }

  #banner(): void {
    const { hostname, version, state, initialPassword } = this.#options.facts();
    this.#say(`\r\nCulvert ${version} on ${hostname}`);
    for (const line of state) this.#say(line);
    if (initialPassword !== undefined)
      this.#say(`First login: user admin, password ${initialPassword} (to be changed then).`);
  }

  #say(text: string): void {
    for (const row of text.split('\r\n').flatMap((line) => wrapped(line, COLUMNS - 1))) this.#send(`${row}\r\n`);
  }

  #send(text: string): void {
    if (text !== '') this.#outputs.push({ kind: 'send', text });
  }
}

const QUESTIONS = {
  user: 'login: ',
  password: 'Password: ',
  code: 'Code of the second factor: ',
  next: 'New password: ',
  again: 'The same once more: ',
} as const;
