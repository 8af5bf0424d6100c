/**
 * A modem that speaks AT (ITU-T V.250, 3GPP TS 27.007) on any number of ports, and behind CONNECT passes octets to whatever the test puts
 * there. A nasty one where its traits say so. It knows of no serial line: octets in, octets out, on any clock.
 */
import type { Clock, Timer } from '../../../hal/clock.ts';
import { answerOf, type CommandAnswer } from './modem-commands.ts';
import { type ModemTraits, ORDINARY } from './modem-traits.ts';

/** The other end of a call: a PPP server. */
export interface CarrierCall {
  octets(octets: Uint8Array): void;
  /** The modem has hung up. */
  end(): void;
}

/** What a call leads to. `hangUp` has the modem say NO CARRIER. */
export type Carrier = (toTerminal: (octets: Uint8Array) => void, hangUp: () => void) => CarrierCall;

/** Silence around `+++`, ms. */
const GUARD_MS = 1_000;
/** How long a module is away when it begins anew, ms. */
const RESTART_MS = 500;

/** What the ports have in common. */
export interface ModuleState {
  traits: ModemTraits;
  locked: boolean;
  radio: boolean;
  registerAt: number;
  /** By context: type and APN. */
  readonly contexts: Map<string, readonly [type: string, apn: string]>;
  /** Hexadecimal, by place. */
  readonly messages: Map<number, string>;
  readonly sent: string[];
  /** Every command that was understood, in order. */
  readonly heard: string[];
}

export class SimulatedModem {
  readonly #clock: Clock;
  readonly #carrier: Carrier;
  readonly #ports: SimulatedModemPort[] = [];
  readonly state: ModuleState;
  /** Called when the module begins anew, as on USB, where its ports vanish. */
  onRestart: (() => void) | undefined;

  constructor(clock: Clock, carrier: Carrier, traits: Partial<ModemTraits> = {}) {
    this.#clock = clock;
    this.#carrier = carrier;
    const all = { ...ORDINARY, ...traits };
    this.state = {
      traits: all,
      locked: all.pin !== '',
      radio: true,
      registerAt: clock.now() + all.registerMs,
      contexts: new Map(),
      messages: new Map(),
      sent: [],
      heard: [],
    };
  }

  /** @param write takes what the modem sends on this port. */
  port(write: (octets: Uint8Array) => void): SimulatedModemPort {
    const port = new SimulatedModemPort(this, this.#clock, this.#carrier, write);
    this.#ports.push(port);
    return port;
  }

  /** Commands that were heard, without those that begin otherwise. */
  heard(beginning: string): string[] {
    return this.state.heard.filter((text) => text.startsWith(beginning));
  }

  /** What +CREG and its like say now. */
  get registration(): number {
    const { traits, radio, registerAt, locked } = this.state;
    if (!radio || locked || !traits.sim) return 0;
    return this.#clock.now() >= registerAt ? traits.registration : 2;
  }

  /** Says something that nobody asked for, on ports that are not in a call. */
  unasked(line: string): void {
    for (const port of this.#ports) port.unasked(line);
  }

  /** A message comes in, as PDU. */
  receive(pdu: string): void {
    const place = this.state.messages.size + 1;
    this.state.messages.set(place, pdu);
    this.unasked(`+CMTI: "SM",${place}`);
  }

  /** The network ends all calls. */
  dropCarrier(): void {
    for (const port of this.#ports) port.dropCarrier();
  }

  /** It is pulled out: its ports are gone for good, and calls with them. */
  unplug(): void {
    for (const port of this.#ports.splice(0)) port.restart();
  }

  /** The module begins anew: calls and settings are gone, and the SIM wants its PIN again. */
  restart(): void {
    const { state } = this;
    for (const port of this.#ports) port.restart();
    state.locked = state.traits.pin !== '';
    state.radio = true;
    state.registerAt = this.#clock.now() + RESTART_MS + state.traits.registerMs;
    this.onRestart?.();
    this.#clock.setTimer(this.#clock.now() + RESTART_MS, () => this.unasked('RDY'));
  }
}

export class SimulatedModemPort {
  readonly #modem: SimulatedModem;
  readonly #clock: Clock;
  readonly #carrier: Carrier;
  readonly #write: (octets: Uint8Array) => void;
  #echo = true;
  #line = '';
  #call: CarrierCall | undefined;
  /** Waits for the text of a message after `>`. */
  #prompted = false;
  #lastData = Number.NEGATIVE_INFINITY;
  #escape: Timer | undefined;
  /** Answers that are on their way. */
  #busy = 0;
  #spoke = false;

  constructor(modem: SimulatedModem, clock: Clock, carrier: Carrier, write: (octets: Uint8Array) => void) {
    this.#modem = modem;
    this.#clock = clock;
    this.#carrier = carrier;
    this.#write = write;
  }

  get online(): boolean {
    return this.#call !== undefined;
  }

  /** What the terminal sends. */
  octets(octets: Uint8Array): void {
    if (this.#call !== undefined) {
      this.#data(octets);
      return;
    }
    const { traits } = this.#modem.state;
    if (traits.deaf) return;
    for (const octet of octets) {
      if (this.#echo || traits.echoSurvives) this.#write(Uint8Array.of(octet));
      this.#typed(octet);
    }
  }

  unasked(line: string): void {
    if (this.#call === undefined) this.#say(line);
  }

  dropCarrier(): void {
    if (this.#call === undefined) return;
    this.#endCall();
    this.#say('NO CARRIER');
  }

  restart(): void {
    this.#endCall();
    this.#echo = true;
    this.#line = '';
    this.#prompted = false;
    this.#spoke = false;
    this.#busy += 1_000;
  }

  #typed(octet: number): void {
    if (this.#prompted && octet === 0x1a) {
      this.#prompted = false;
      this.#modem.state.sent.push(this.#line);
      this.#line = '';
      this.#answer({ lines: ['+CMGS: 1'], final: 'OK' });
    } else if (this.#prompted && octet === 0x1b) {
      this.#prompted = false;
      this.#line = '';
      this.#answer({ lines: [], final: 'OK' });
    } else if (octet === 0x0d || octet === 0x0a) {
      const text = this.#line.trim();
      this.#line = '';
      const at = text.toUpperCase().indexOf('AT');
      if (at >= 0) this.#command(text.slice(at));
    } else {
      this.#line = (this.#line + String.fromCharCode(octet)).slice(-512);
    }
  }

  #command(text: string): void {
    this.#modem.state.heard.push(text);
    if (/^ATE[01]/i.test(text)) this.#echo = text[3] === '1';
    const answer = answerOf(text, this.#modem.state, this.#modem.registration);
    if (answer.restart === true) this.#modem.restart();
    else if (answer.prompt === true) this.#prompted = this.#raw('\r\n> ');
    else this.#answer(answer);
  }

  #answer(answer: CommandAnswer): void {
    const { traits } = this.#modem.state;
    const restarts = this.#busy;
    this.#clock.setTimer(this.#clock.now() + (answer.afterMs ?? traits.answerMs), () => {
      if (this.#busy !== restarts) return;
      if (traits.eatsReplies > 0 && answer.final === 'OK') {
        traits.eatsReplies -= 1;
        this.#say('+CSQ: 21,99');
        return;
      }
      for (const line of answer.lines) {
        if (traits.urcInReplies) this.#say('+CSQ: 22,99');
        this.#say(line);
        if (traits.urcInReplies) this.#say('^RSSI: 19');
      }
      this.#say(answer.final);
      if (answer.final.startsWith('CONNECT')) this.#begin();
    });
  }

  #begin(): void {
    this.#lastData = this.#clock.now();
    const hangUp = () => this.dropCarrier();
    this.#call = this.#carrier((octets) => {
      if (this.#call !== undefined) this.#write(octets);
    }, hangUp);
  }

  #data(octets: Uint8Array): void {
    const now = this.#clock.now();
    const silent = now - this.#lastData >= GUARD_MS;
    this.#lastData = now;
    this.#escape?.cancel();
    this.#escape = undefined;
    if (silent && Buffer.from(octets).toString('latin1') === '+++') {
      this.#escape = this.#clock.setTimer(now + GUARD_MS, () => {
        this.#endCall();
        this.#say('OK');
      });
    } else {
      this.#call?.octets(octets);
    }
  }

  #endCall(): void {
    this.#escape?.cancel();
    this.#escape = undefined;
    const call = this.#call;
    this.#call = undefined;
    call?.end();
  }

  #say(line: string): void {
    const { oddLineEnds, noise } = this.#modem.state.traits;
    if (noise) this.#raw(this.#spoke ? '\x00\r\n\xf8\xff' : '\x00\x00\x00\xff\xfe');
    this.#spoke = true;
    this.#raw(oddLineEnds ? `\r\r\n${line}\r+\n` : `\r\n${line}\r\n`);
  }

  #raw(text: string): true {
    this.#write(Uint8Array.from(text, (character) => character.charCodeAt(0)));
    return true;
  }
}
