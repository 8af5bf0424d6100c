/** What a modem is to those around its machine. */
import type { Failure } from '../machine.ts';
import type { RegistrationState } from './registration.ts';
import type { Signal } from './signal.ts';
import type { Sms } from './sms/inbox.ts';

/** Where commands go: `control` alone on a modem with one port; calls on `data` where there is a second one. */
export type AtChannel = 'control' | 'data';

export interface ModemSettings {
  /** 4 to 8 digits; absent: a SIM that wants one stays locked. */
  readonly pin?: string;
  /** Absent: by the operator of the SIM. */
  readonly apn?: string;
  /** Networks of other operators are used. */
  readonly roaming: boolean;
}

export type SimState = 'unknown' | 'absent' | 'PIN wanted' | 'PUK wanted' | 'ready' | 'failed';

/** All of it at one moment; what is not known is empty or absent. */
export interface ModemInfo {
  readonly manufacturer: string;
  readonly model: string;
  readonly revision: string;
  readonly imei: string;
  readonly sim: SimState;
  /** Serial number of the SIM. */
  readonly iccid: string;
  /** The network, as it calls itself. */
  readonly operator: string;
  /** `LTE`, `UMTS` ... */
  readonly technology: string;
  /** `LTE BAND 3` */
  readonly band: string;
  readonly registration: RegistrationState;
  readonly apn: string;
  readonly signal: Signal;
  /** 0..5 */
  readonly bars: number;
  /** Messages that came, the oldest first. */
  readonly messages: readonly Sms[];
  /** The line carries data. */
  readonly online: boolean;
  /** What is being done now, in words. */
  readonly doing: string;
  /** What is in the way; gone as soon as it is. */
  readonly failure?: Failure;
}

export type ModemOutput =
  | { readonly kind: 'send'; readonly channel: AtChannel; readonly octets: Uint8Array }
  /** {@link ModemInfo} has changed. */
  | { readonly kind: 'changed' }
  /** CONNECT: from now on the channel of calls is the data plane's, and nothing of it is to be read here. */
  | { readonly kind: 'connected'; readonly peer: string }
  /** The call that was wanted does not come about. */
  | { readonly kind: 'dial-failed'; readonly failure: Failure }
  /** The call ended by itself. */
  | { readonly kind: 'line-ended'; readonly failure: Failure }
  /** The call was ended as it was wanted. */
  | { readonly kind: 'hung-up' }
  /** Whether the PIN may be tried on the SIM of this serial number, empty where it cannot be read: to be answered by `answer(true)`, which has it noted durably before, or `answer(false)`. */
  | { readonly kind: 'may-try-pin'; readonly sim: string }
  /** What came of it. */
  | { readonly kind: 'pin-tried'; readonly sim: string; readonly good: boolean }
  /** The last rung: to be answered by `answer(true)` when the modem was without power for a moment, `answer(false)` when nothing can do that. */
  | { readonly kind: 'power-cycle' }
  /** Nothing answers on the control channel: another speed or another port may help. The machine waits for a port to be opened. */
  | { readonly kind: 'silent' }
  | { readonly kind: 'message'; readonly sms: Sms }
  /** For the log. `trace`: every line of the dialogue. */
  | { readonly kind: 'log' | 'trace'; readonly text: string };
