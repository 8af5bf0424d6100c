/**
 * A cellular modem: from an open port to a registered SIM, calls on request, and help for a modem that is stuck. Octets and time in;
 * octets, events and questions out (ITU-T V.250, 3GPP TS 27.005 and 27.007).
 */
import type { Failure, Instant, Machine } from '../machine.ts';
import { printable } from '../printable.ts';
import { probe, setApn, setUp, unlock } from './bring-up.ts';
import { callLost, climb, dial, hangUp } from './call.ts';
import { AtEngine } from './engine.ts';
import { readAnnounced, readMessages, sendMessages } from './messages.ts';
import { moduleReset, NO_ANSWER, portLost } from './modem-failures.ts';
import { ModemState, type OutgoingSms } from './modem-state.ts';
import type { AtChannel, ModemInfo, ModemOutput, ModemSettings } from './modem-types.ts';
import { lookAround, noteRegistration, register } from './network.ts';
import { GENERIC, type Quirks } from './quirks.ts';
import type { AtReply } from './results.ts';
import { ModemFault, pause, type Script, type ScriptStep } from './script.ts';
import { saysReset } from './urcs.ts';

/** Between two looks at signal, operator and band, ms. */
const LOOK_MS = 10_000;
/** Until a modem that waits for a person is looked at again, ms. */
const PERSON_MS = 30_000;
/** After a fault that the machine mends, ms. */
const AGAIN_MS = 1_000;
/** Commands without an answer, one after the other, until the modem counts as stuck. */
const MOST_UNANSWERED = 3;
/** Messages that wait to be sent at most. */
const MOST_OUTGOING = 16;
/** Places that were announced and not read at most. */
const MOST_ANNOUNCED = 64;

export class ModemMachine implements Machine<ModemOutput> {
  readonly #state: ModemState;
  readonly #engines: Readonly<Record<AtChannel, AtEngine>> = { control: new AtEngine(), data: new AtEngine() };
  #script: Script<never> | undefined;
  /** Counts scripts: an answer that was meant for an earlier one is of no interest. */
  #run = 0;
  /** When a pause of the script ends. */
  #until: Instant | undefined;
  /** Something happened while the script was not in a pause: its next one is none. */
  #woken = false;
  /** Commands without an answer, one after the other. */
  #unanswered = 0;
  /** The script waits for {@link answer}. */
  #deciding = false;
  #probeMs = 0;

  constructor(settings: ModemSettings) {
    this.#state = new ModemState(settings);
  }

  get info(): ModemInfo {
    return this.#state.info();
  }

  /** Credentials and the like belong to the SIM: digits of the IMSI, empty while it is not known. Not for logs. */
  get imsi(): string {
    return this.#state.imsi;
  }

  get quirks(): Quirks {
    return this.#state.quirks;
  }

  /**
   * Its ports are open.
   * @param ports `twoChannels`: calls have a port of their own. `quirks`: of its USB id, where there is one. `ethernet`: data goes by
   * the modem's network interface, and a call only switches that on. `probeMs`: how long it may take to answer, ms.
   */
  portsOpened(
    now: Instant,
    ports: { twoChannels: boolean; quirks?: Quirks | undefined; ethernet?: boolean; probeMs: number },
  ): void {
    this.#state.now = now;
    this.#state.lineEnded(portLost('its port was opened anew'));
    // A call that is wanted now is waited for, until it is known what is in the way.
    if (this.#state.failure?.step === 'modem') this.#state.wellAgain();
    this.#state.twoChannels = ports.twoChannels;
    this.#state.ethernet = ports.ethernet ?? false;
    this.#state.quirks = ports.quirks ?? GENERIC;
    this.#state.refused.clear();
    this.#probeMs = ports.probeMs;
    for (const engine of Object.values(this.#engines)) engine.reset(now, 'the port was opened');
    this.#begin(now);
  }

  /** @param reason words without a full stop. */
  portsLost(reason: string, now: Instant): void {
    this.#stop();
    this.#state.now = now;
    for (const engine of Object.values(this.#engines)) engine.reset(now, reason);
    const failure = portLost(reason);
    this.#state.lineEnded(failure);
    this.#state.forget();
    this.#state.say('waiting for the modem to come back');
    this.#state.fail(failure);
    this.#abandonMessages('the modem is gone');
  }

  /** There is no port to open. */
  absent(failure: Failure, now: Instant): void {
    const state = this.#state;
    state.now = now;
    state.say('waiting for the modem');
    if (state.wantsCall || state.failure?.reason !== failure.reason) state.fail(failure);
  }

  octets(channel: AtChannel, octets: Uint8Array, now: Instant): void {
    this.#state.now = now;
    this.#engines[channel].octets(octets, now);
    this.#hear(channel, now);
  }

  /** Wants a call: `connected` or `dial-failed` comes of it, the latter at once while something is in the way. */
  dial(now: Instant): void {
    const state = this.#state;
    state.now = now;
    if (state.online || state.wantsCall) return;
    state.wantsCall = true;
    if (state.failure !== undefined && !state.registered) state.fail(state.failure);
    else this.#wake(now);
  }

  /** Wants no call any more; `hung-up` comes of it. What comes on the channel of calls must reach {@link octets} again. */
  hangUp(now: Instant): void {
    const state = this.#state;
    state.now = now;
    state.wantsCall = false;
    if (!state.online && !state.dialling) {
      state.outputs.push({ kind: 'hung-up' });
      return;
    }
    state.wantsHangUp = true;
    this.#wake(now);
  }

  /** The data plane saw the modem say NO CARRIER: the channel of calls is back with commands. */
  carrierLost(now: Instant): void {
    this.#state.now = now;
    this.#engines[this.#callChannel].offline();
    callLost(this.#state);
    this.#wake(now);
  }

  /** To a question of the machine. */
  answer(value: boolean, now: Instant): void {
    if (!this.#deciding) return;
    this.#deciding = false;
    this.#goOn(value, now);
  }

  /** @returns false when too many wait. */
  send(sms: OutgoingSms, now: Instant): boolean {
    if (this.#state.outgoing.length >= MOST_OUTGOING) return false;
    this.#state.outgoing.push(sms);
    this.#wake(now);
    return true;
  }

  tick(now: Instant): void {
    this.#state.now = now;
    for (const channel of ['control', 'data'] as const) {
      this.#engines[channel].tick(now);
      this.#hear(channel, now);
    }
    if (this.#until !== undefined && now >= this.#until) this.#wake(now);
  }

  nextDeadline(): Instant | undefined {
    const all = [this.#until, this.#engines.control.nextDeadline(), this.#engines.data.nextDeadline()];
    const due = all.filter((deadline) => deadline !== undefined);
    return due.length === 0 ? undefined : Math.min(...due);
  }

  poll(): ModemOutput | undefined {
    this.#hear('control', this.#state.now);
    this.#hear('data', this.#state.now);
    return this.#state.outputs.shift();
  }

  get #callChannel(): AtChannel {
    return this.#state.twoChannels ? 'data' : 'control';
  }

  /** Takes what an engine has to say. */
  #hear(channel: AtChannel, now: Instant): void {
    const engine = this.#engines[channel];
    for (let output = engine.poll(); output !== undefined; output = engine.poll()) {
      if (output.kind === 'send') this.#state.outputs.push({ ...output, channel });
      else if (output.kind === 'trace') this.#state.outputs.push({ kind: 'trace', text: `${channel} ${output.text}` });
      else this.#unasked(output.line, channel, now);
    }
  }

  #unasked(line: string, channel: AtChannel, now: Instant): void {
    const state = this.#state;
    if (saysReset(line)) {
      state.log(`the modem began anew (${printable(line)})`);
      state.lineEnded(moduleReset(line));
      for (const engine of Object.values(this.#engines)) engine.reset(now, line);
      state.forget();
      this.#begin(now);
    } else if (noteRegistration(state, line)) {
      if (!state.online) this.#wake(now);
    } else if (line === 'NO CARRIER') {
      // On the other port it is said of a telephone call.
      if (channel === this.#callChannel) callLost(state);
      this.#wake(now);
    } else if (line.startsWith('+CMTI:')) {
      const place = /,\s*(\d{1,5})$/.exec(line)?.[1];
      if (place !== undefined && state.announced.length < MOST_ANNOUNCED) state.announced.push(place);
      this.#wake(now);
    } else if (/^\+CPIN: ?(READY|NOT INSERTED)|^\+QUSIM:|^\+SIMCARD:|^\^SIMST:/.test(line)) {
      this.#wake(now);
    }
  }

  #begin(now: Instant): void {
    this.#stop();
    this.#state.now = now;
    this.#script = this.#life();
    this.#goOn(undefined, now);
  }

  #stop(): void {
    this.#run += 1;
    const script = this.#script;
    this.#script = undefined;
    // What it had in hand is told that it will not be.
    script?.return(undefined as never);
    // The call that it was ending is gone with it.
    if (this.#state.wantsHangUp) this.#state.outputs.push({ kind: 'hung-up' });
    this.#state.wantsHangUp = false;
    this.#until = undefined;
    this.#deciding = false;
    this.#woken = false;
    this.#unanswered = 0;
  }

  /** A pause of the script ends, if it is in one. */
  #wake(now: Instant): void {
    this.#woken = this.#until === undefined;
    if (this.#until === undefined) return;
    this.#until = undefined;
    this.#goOn(undefined, now);
  }

  #goOn(value: AtReply | boolean | undefined, now: Instant): void {
    this.#state.now = now;
    let step = this.#script?.next(value).value;
    while (step?.want === 'time' && this.#woken) {
      this.#woken = false;
      step = this.#script?.next(undefined).value;
    }
    this.#do(step, now);
  }

  #do(step: ScriptStep | undefined, now: Instant): void {
    if (step === undefined) return;
    const run = this.#run;
    const goOn = (reply: AtReply, at: Instant) => {
      if (run === this.#run) this.#answered(step, reply, at);
    };
    switch (step.want) {
      case 'answer':
        // A call that has ended by itself left the engine behind.
        if (!this.#state.online) this.#engines[step.channel].offline();
        this.#engines[step.channel].submit(step.command, now, goOn);
        break;
      case 'escape':
        this.#engines[step.channel].escape(now, goOn);
        break;
      case 'time':
        this.#until = now + step.ms;
        break;
      case 'decision':
        this.#deciding = true;
        this.#state.outputs.push(step.output);
    }
  }

  /** A modem that answers nothing any more is not asked all of the rest. */
  #answered(step: ScriptStep, reply: AtReply, now: Instant): void {
    const counts = step.want === 'answer' && step.command.text !== 'AT' && step.command.dials !== true;
    if (reply.result !== 'timeout') this.#unanswered = 0;
    else if (counts) this.#unanswered += 1;
    if (this.#unanswered < MOST_UNANSWERED) {
      this.#goOn(reply, now);
      return;
    }
    this.#unanswered = 0;
    this.#state.now = now;
    this.#do(this.#script?.throw(new ModemFault(NO_ANSWER, 'recover')).value, now);
  }

  *#life(): Script<never> {
    const state = this.#state;
    for (;;) {
      try {
        yield* probe(state, this.#probeMs);
        yield* setUp(state);
        yield* unlock(state);
        yield* setApn(state);
        yield* register(state);
        yield* readMessages(state);
        yield* this.#serve();
      } catch (error) {
        if (!(error instanceof ModemFault)) throw error;
        yield* this.#fault(error);
      }
    }
  }

  *#fault({ failure, kind }: ModemFault): Script {
    const state = this.#state;
    state.fail(failure);
    if (state.wantsHangUp) yield* hangUp(state);
    if (kind === 'silent') state.outputs.push({ kind: 'silent' });
    // What carries data is left alone.
    if (kind === 'recover' && !state.online) yield* climb(state);
    if (kind === 'person') state.say('waiting for somebody to help');
    yield* pause(kind === 'person' ? PERSON_MS : AGAIN_MS);
  }

  /** @returns when the network is gone, or the modem has to be set up anew. */
  *#serve(): Script {
    const state = this.#state;
    let look = state.now;
    for (;;) {
      if (state.wantsHangUp) yield* hangUp(state);
      if (!state.online && !state.registered) return;
      state.wellAgain();
      // One port: while it carries data it takes no commands.
      const silent = state.online && !state.twoChannels && !state.ethernet;
      if (state.wantsCall && !state.online) {
        // On one port there is no other time to see signal and operator.
        if (!state.twoChannels && state.now >= look) {
          yield* lookAround(state);
          look = state.now + LOOK_MS;
        } else yield* dial(state);
        continue;
      }
      if (!silent) {
        if (state.announced.length > 0) yield* readAnnounced(state);
        if (state.outgoing.length > 0) yield* sendMessages(state);
        if (state.now >= look) {
          yield* lookAround(state);
          look = state.now + LOOK_MS;
        }
        state.say(state.online ? 'carrying data' : 'ready');
      }
      if (state.wantsHangUp || (state.wantsCall && !state.online)) continue;
      yield* pause(silent ? LOOK_MS : Math.max(1, look - state.now));
    }
  }

  #abandonMessages(reason: string): void {
    for (const { done } of this.#state.outgoing.splice(0)) done(reason);
  }
}
