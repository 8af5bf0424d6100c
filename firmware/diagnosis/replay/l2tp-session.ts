/** One L2TP session of a capture (RFC 2661 section 7.3 and 7.4), with the PPP link in it. */
import { noIccn, noIcrp, peerDisconnected } from '../../protocol/l2tp/failures.ts';
import { hungUpWhileAuthenticating } from '../../vpn/l2tp/client-failures.ts';
import type { DecodedMessage, MessageEnd } from '../decode/decoded.ts';
import type { Notes } from '../notes.ts';
import { listOf, namedValue, type Speaker, secondsBetween } from './fields.ts';
import { resultOf } from './l2tp-result.ts';
import { PppLink } from './ppp-link.ts';

/** An answer may take so long, ms. */
const PATIENCE_MS = 3000;

export interface Call {
  readonly name: 'ICRQ' | 'OCRQ';
  readonly caller: Speaker;
  /** Session ID of the caller. */
  readonly callerId: number;
  readonly ends: Readonly<Record<Speaker, MessageEnd>>;
  /** When it was asked for, ms. */
  readonly at: number;
}

export class L2tpSession {
  /** Session IDs of either end, as far as they are known. */
  readonly ids: Partial<Record<Speaker, number>> = {};
  readonly #notes: Notes;
  readonly #call: Call;
  readonly #ppp: PppLink;
  #phase: 'asked' | 'answered' | 'connected' | 'closed' = 'asked';
  #failed = false;

  constructor(notes: Notes, call: Call) {
    this.#notes = notes;
    this.#call = call;
    this.#ppp = new PppLink(notes);
    this.ids[call.caller] = call.callerId;
  }

  get isUp(): boolean {
    return this.#phase !== 'closed' && this.#ppp.isUp;
  }

  /** Whether its end has been explained. */
  get hasFailed(): boolean {
    return this.#failed || this.#ppp.hasFailed;
  }

  control(message: DecodedMessage, from: Speaker, name: string): void {
    const assigned = namedValue(listOf(message.fields, 'avps'), 'Assigned Session ID');
    if (name === 'ICRP' || name === 'OCRP') {
      if (typeof assigned === 'number') this.ids[from] = assigned;
      if (this.#phase === 'asked') this.#phase = 'answered';
    } else if (name === 'ICCN' || name === 'OCCN') {
      if (this.#phase === 'answered') {
        this.#phase = 'connected';
        this.#notes.ok('l2tp-session', `the session stood at frame ${message.frame}`);
      }
    } else if (name === 'CDN') this.#disconnected(message, from);
  }

  /** PPP in it. */
  data(message: DecodedMessage, from: Speaker): void {
    this.#ppp.receive(message, from);
  }

  /** The tunnel or the capture ends. @param unheard the call was not even acknowledged: that is the tunnel's matter */
  end(now: number, unheard: boolean): void {
    if (this.#phase === 'closed') return;
    const { name, caller, ends, at } = this.#call;
    const callee = ends[caller === 'client' ? 'server' : 'client'];
    const late = now - at >= PATIENCE_MS;
    const incoming = name === 'ICRQ';
    const seconds = secondsBetween(at, now);
    if (this.#phase === 'asked' && late && !unheard) {
      this.#failure(noIcrp(callee, seconds, incoming ? 'ICRP' : 'OCRP'));
    } else if (this.#phase === 'answered' && late) {
      this.#failure(noIccn(incoming ? ends[caller] : callee, seconds, incoming ? 'ICCN' : 'OCCN'));
    }
    this.#phase = 'closed';
    this.#ppp.end(now);
  }

  #disconnected(message: DecodedMessage, from: Speaker): void {
    if (this.#phase === 'closed') return;
    const refused = this.#phase === 'connected' ? undefined : this.#call.name;
    const { proving, isUp } = this.#ppp;
    const result = resultOf(message, 'CDN');
    const failure = peerDisconnected(this.#call.ends[from], result, refused);
    this.#phase = 'closed';
    if (this.#ppp.hasFailed) return;
    if (proving !== undefined && from === 'server') {
      this.#failure(hungUpWhileAuthenticating(proving, failure.reason));
      return;
    }
    this.#ppp.end(message.time);
    if (this.#ppp.hasFailed) return;
    if (isUp && from === 'client') this.#notes.seen('l2tp-session', `the client hung up at frame ${message.frame}`);
    else this.#failure(failure);
  }

  #failure(failure: ReturnType<typeof noIcrp>): void {
    this.#failed = true;
    this.#notes.failure(failure);
  }
}
