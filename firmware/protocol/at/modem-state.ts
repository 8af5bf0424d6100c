/** What a modem's scripts know and want; one object, shared by them and the machine. */
import type { Failure, Instant } from '../machine.ts';
import { printable } from '../printable.ts';
import type { ModemInfo, ModemOutput, ModemSettings, SimState } from './modem-types.ts';
import { GENERIC, type Quirks } from './quirks.ts';
import { type Registration, type RegistrationDomain, together } from './registration.ts';
import { bars, type Signal } from './signal.ts';
import { SmsInbox } from './sms/inbox.ts';
import type { SubmitPdu } from './sms/pdu.ts';

/** Messages that are kept. */
const MOST_MESSAGES = 50;

export interface OutgoingSms {
  readonly pdus: readonly SubmitPdu[];
  /** Told once: `undefined` when the network took all of it, else why not. */
  readonly done: (problem: string | undefined) => void;
}

export class ModemState {
  readonly settings: ModemSettings;
  /** Whether calls have a channel of their own. */
  twoChannels = false;
  /** Data goes by the modem's network interface. */
  ethernet = false;
  quirks: Quirks = GENERIC;
  now: Instant = 0;
  manufacturer = '';
  model = '';
  revision = '';
  imei = '';
  sim: SimState = 'unknown';
  iccid = '';
  imsi = '';
  operator = '';
  accessTechnology = '';
  band = '';
  apn = '';
  signal: Signal = {};
  /** Of those, the ones that the modem knows. */
  domains: readonly RegistrationDomain[] = [];
  readonly registrations = new Map<RegistrationDomain, Registration>();
  /** Commands that this modem does not know. */
  readonly refused = new Set<string>();
  readonly inbox = new SmsInbox(MOST_MESSAGES);
  online = false;
  onlineSince: Instant = 0;
  /** ATD is on its way. */
  dialling = false;
  wantsCall = false;
  wantsHangUp = false;
  /** Places of messages that the modem announced, and that have not been read. */
  readonly announced: string[] = [];
  readonly outgoing: OutgoingSms[] = [];
  /** Attempts since the last one that was well: how far up the ladder. */
  strikes = 0;
  doing = '';
  failure: Failure | undefined;
  readonly outputs: ModemOutput[] = [];

  constructor(settings: ModemSettings) {
    this.settings = settings;
  }

  /** What the network lets this modem do. */
  get registration(): Registration {
    return together(this.registrations);
  }

  /** Registered where it may be used. */
  get registered(): boolean {
    const { state } = this.registration;
    return state === 'home' || (state === 'roaming' && this.settings.roaming);
  }

  info(): ModemInfo {
    const { registration } = this;
    return {
      manufacturer: printable(this.manufacturer),
      model: printable(this.model),
      revision: printable(this.revision),
      imei: printable(this.imei),
      sim: this.sim,
      iccid: printable(this.iccid),
      operator: printable(this.operator),
      technology: registration.technology ?? this.accessTechnology,
      band: printable(this.band),
      registration: registration.state,
      apn: this.apn,
      signal: this.signal,
      bars: bars(this.signal),
      messages: this.inbox.list(),
      online: this.online,
      doing: this.doing,
      ...(this.failure !== undefined && { failure: this.failure }),
    };
  }

  say(doing: string): void {
    if (this.doing === doing) return;
    this.doing = doing;
    this.changed();
  }

  changed(): void {
    if (this.outputs.at(-1)?.kind !== 'changed') this.outputs.push({ kind: 'changed' });
  }

  log(text: string): void {
    this.outputs.push({ kind: 'log', text });
  }

  /** Something is in the way: a call that is wanted does not come about. */
  fail(failure: Failure): void {
    if (this.failure?.reason !== failure.reason) this.log(`${failure.step}: ${failure.reason}; ${failure.remedy}`);
    this.failure = failure;
    if (this.wantsCall) this.outputs.push({ kind: 'dial-failed', failure });
    this.wantsCall = false;
    this.changed();
  }

  wellAgain(): void {
    if (this.failure === undefined) return;
    this.failure = undefined;
    this.changed();
  }

  /** The call has ended by itself. */
  lineEnded(failure: Failure): void {
    if (!this.online) return;
    this.online = false;
    this.outputs.push({ kind: 'line-ended', failure });
    // Who waits for the end of the call has it.
    if (this.wantsHangUp) this.outputs.push({ kind: 'hung-up' });
    this.wantsHangUp = false;
    this.changed();
  }

  /** The module or its port is another one than a moment ago: what it said is void. */
  forget(): void {
    this.sim = 'unknown';
    this.signal = {};
    this.band = '';
    this.operator = '';
    this.accessTechnology = '';
    this.registrations.clear();
    this.announced.length = 0;
    this.changed();
  }
}
