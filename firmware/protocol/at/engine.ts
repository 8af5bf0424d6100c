/**
 * One command interface of a modem: commands go out one after the other, each with a deadline, and lines that come in are its echo,
 * its answer, or something that nobody has asked for.
 */
import type { Instant, Machine } from '../machine.ts';
import { printable } from '../printable.ts';
import { AtLineReader } from './line-reader.ts';
import { type AtReply, finalResult } from './results.ts';
import { isUnaskedRegistration, isUrc, saysReset } from './urcs.ts';

export interface AtCommand {
  /** `AT+CSQ`, without the carriage return. */
  readonly text: string;
  /** How its information lines begin; without it, any line that does not come unasked is one. */
  readonly expect?: string;
  /** ms; default {@link ANSWER_MS}. */
  readonly timeoutMs?: number;
  /** How often it is asked again when no answer came, or `OK` without the expected line: an URC may have eaten it. Default 0. */
  readonly again?: number;
  /** It makes or ends a call: NO CARRIER, BUSY and CONNECT answer it. */
  readonly dials?: boolean;
  /** Sent with ^Z behind it when the modem asks with `>`. */
  readonly payload?: string;
  /** It holds a secret, and only the text before `=` is traced. */
  readonly secret?: boolean;
}

export type AtOutput =
  | { readonly kind: 'send'; readonly octets: Uint8Array }
  /** A line that came unasked. */
  | { readonly kind: 'urc'; readonly line: string }
  /** For the log: `> AT+CSQ`, `< +CSQ: 20,99`. */
  | { readonly kind: 'trace'; readonly text: string };

/** What most commands take at the very most, ms. */
export const ANSWER_MS = 5_000;
/** Between an answer and the next command, ms: modems lose commands that come sooner (ITU-T V.250 section 5.7 asks for a pause). */
const GAP_MS = 20;
/** After a command that was not answered its answer may still come: so long without a line, ms, before the next one. */
const QUIET_MS = 300;
/** Silence before and after `+++`, ms (S12 is 1 s by default). */
export const GUARD_MS = 1_100;
const ESCAPE_ANSWER_MS = 2_500;
/** Lines that one answer may have; the rest is dropped. */
const MOST_LINES = 256;

interface Pending {
  readonly command: AtCommand;
  readonly done: (reply: AtReply, now: Instant) => void;
  left: number;
  lines: string[];
}

export class AtEngine implements Machine<AtOutput> {
  readonly #reader = new AtLineReader();
  readonly #queue: Pending[] = [];
  readonly #outputs: AtOutput[] = [];
  #current: Pending | undefined;
  #deadline: Instant | undefined;
  /** The next command goes out no sooner. */
  #notBefore: Instant = Number.NEGATIVE_INFINITY;
  /** A command went unanswered: the next one waits until the line has been quiet. */
  #doubtful = false;
  #online = false;
  /** When this engine has sent last, since the call began: others may have until it sends again. */
  #lastSent: Instant | undefined;

  /** After CONNECT: what comes is not for this engine. */
  get online(): boolean {
    return this.#online;
  }

  get busy(): boolean {
    return this.#current !== undefined || this.#queue.length > 0;
  }

  /** @param done is called once, whatever happens; it may submit the next one. */
  submit(command: AtCommand, now: Instant, done: (reply: AtReply, now: Instant) => void): void {
    this.#queue.push({ command, done, left: command.again ?? 0, lines: [] });
    this.#next(now);
  }

  /** Goes back to commands: silence, `+++`, silence. The answer is `OK`, or NO CARRIER when the call has ended by itself. */
  escape(now: Instant, done: (reply: AtReply, now: Instant) => void): void {
    this.#online = false;
    this.#reader.reset();
    this.#notBefore = Math.max(this.#notBefore, (this.#lastSent ?? now) + GUARD_MS);
    const command = { text: '+++', dials: true, timeoutMs: GUARD_MS + ESCAPE_ANSWER_MS };
    this.#queue.unshift({ command, done, left: 0, lines: [] });
    this.#next(now);
  }

  /** The call ended without an escape: the line is back with commands. Harmless when it is there already. */
  offline(): void {
    if (!this.#online) return;
    this.#online = false;
    this.#reader.reset();
  }

  /** The line was lost or opened anew, or the module began anew: what was asked is not answered any more. */
  reset(now: Instant, reason: string): void {
    this.#online = false;
    this.#reader.reset();
    this.#doubtful = false;
    const abandoned = [...(this.#current === undefined ? [] : [this.#current]), ...this.#queue.splice(0)];
    this.#current = undefined;
    this.#deadline = undefined;
    for (const { done } of abandoned) done({ result: 'reset', text: reason, lines: [] }, now);
  }

  octets(octets: Uint8Array, now: Instant): void {
    if (this.#online) return;
    for (const token of this.#reader.push(octets)) {
      if (this.#online) return;
      if (token.kind === 'prompt') this.#prompt();
      else this.#line(token.text, now);
    }
  }

  tick(now: Instant): void {
    if (this.#current === undefined) this.#next(now);
    else if (this.#deadline !== undefined && now >= this.#deadline) this.#late(this.#current, now);
  }

  nextDeadline(): Instant | undefined {
    if (this.#current !== undefined) return this.#deadline;
    return this.#queue.length > 0 && !this.#online ? this.#notBefore : undefined;
  }

  poll(): AtOutput | undefined {
    return this.#outputs.shift();
  }

  #next(now: Instant): void {
    if (this.#current !== undefined || this.#online || now < this.#notBefore) return;
    const pending = this.#queue.shift();
    if (pending !== undefined) this.#send(pending, now);
  }

  #send(pending: Pending, now: Instant): void {
    const { text, timeoutMs, payload, secret } = pending.command;
    this.#current = pending;
    this.#deadline = now + (timeoutMs ?? ANSWER_MS);
    pending.lines = [];
    this.#lastSent = now;
    this.#reader.awaitsPrompt = payload !== undefined;
    this.#trace(`> ${secret === true ? text.replace(/=.*/, '=...') : text}`);
    this.#outputs.push({ kind: 'send', octets: encode(text === '+++' ? text : `${text}\r`) });
  }

  #prompt(): void {
    const payload = this.#current?.command.payload;
    if (payload !== undefined) this.#outputs.push({ kind: 'send', octets: encode(`${payload}\x1a`) });
  }

  #late(pending: Pending, now: Instant): void {
    this.#doubtful = true;
    // The text of a message that was not asked for in time must not be taken for one later.
    if (pending.command.payload !== undefined) this.#outputs.push({ kind: 'send', octets: encode('\x1b') });
    this.#finish(pending, { result: 'timeout', text: 'the modem did not answer' }, now);
  }

  #finish(pending: Pending, final: Omit<AtReply, 'lines'>, now: Instant): void {
    const { lines, command, done } = pending;
    this.#current = undefined;
    this.#deadline = undefined;
    this.#reader.awaitsPrompt = false;
    this.#notBefore = now + (this.#doubtful ? QUIET_MS : GAP_MS);
    const eaten = final.result === 'OK' && command.expect !== undefined && lines.length === 0;
    if (pending.left > 0 && (final.result === 'timeout' || eaten)) {
      pending.left -= 1;
      this.#queue.unshift(pending);
      return;
    }
    if (final.result === 'CONNECT') {
      this.#online = true;
      this.#lastSent = undefined;
      this.#reader.reset();
    }
    done({ ...final, lines }, now);
    this.#next(now);
  }

  #line(line: string, now: Instant): void {
    const pending = this.#current;
    if (saysReset(line)) {
      this.#urc(line);
      this.reset(now, `the module began anew (${line})`);
      return;
    }
    if (pending === undefined) {
      // The answer to a command that was given up comes after all.
      if (this.#doubtful && finalResult(line, false) !== undefined) this.#notBefore = now + QUIET_MS;
      else this.#urc(line);
      return;
    }
    if (this.#isEcho(line, pending.command)) return;
    const final = finalResult(line, pending.command.dials === true);
    if (final !== undefined) {
      this.#trace(`< ${printable(line)}`);
      this.#doubtful = false;
      this.#finish(pending, final, now);
    } else if (this.#answers(line, pending.command)) {
      this.#trace(`< ${printable(line)}`);
      if (pending.lines.length < MOST_LINES) pending.lines.push(line);
    } else {
      this.#urc(line);
    }
  }

  /** Noise may stand before it. */
  #isEcho(line: string, { text, payload }: AtCommand): boolean {
    return line.endsWith(text) || (payload !== undefined && line.includes(payload));
  }

  #answers(line: string, { expect }: AtCommand): boolean {
    if (expect === undefined) return !isUrc(line);
    return line.startsWith(expect) && !isUnaskedRegistration(line) ? true : isBody(line, this.#current?.lines ?? []);
  }

  #urc(line: string): void {
    this.#trace(`< ${printable(line)}`);
    this.#outputs.push({ kind: 'urc', line });
  }

  #trace(text: string): void {
    this.#outputs.push({ kind: 'trace', text });
  }
}

/** A message stands in a line of its own behind its heading (3GPP TS 27.005 section 4.2), in hexadecimal. */
function isBody(line: string, lines: readonly string[]): boolean {
  return /^\+CMG[LR]:/.test(lines.at(-1) ?? '') && /^[0-9A-Fa-f]+$/.test(line);
}

function encode(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
