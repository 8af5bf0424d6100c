/** One ISAKMP SA of a capture: Main Mode by its six messages, then the Quick Modes (RFC 2409 sections 5.1 and 5.5). */
import { quickModeRefused } from '../../protocol/ike/v1/failures.ts';
import { formatEndpoint } from '../../protocol/udp-path.ts';
import type { DecodedMessage, Fields, MessageEnd } from '../decode/decoded.ts';
import type { Notes } from '../notes.ts';
import { secondsBetween, textOf } from './fields.ts';
import { errorOf, hasPayload, isClosed, isEncrypted, isLost, noteSent, offerOf, type Sent } from './ike-words.ts';

/** Quick Modes that are followed of an SA. */
const MAX_QUICK_MODES = 256;
/** Informational exchanges in a row without a word from the other end: it is dead. */
const DEAD_AFTER = 3;

const NO_PROPOSAL_CHOSEN = 14;
const INVALID_MAJOR_VERSION = 5;
const NAT_T_PORT = 4500;

interface QuickMode {
  fromInitiator: number;
  fromResponder: number;
  done: boolean;
  readonly first: number;
}

export class Ikev1Sa {
  readonly #notes: Notes;
  readonly #initiator: MessageEnd;
  readonly #responder: MessageEnd;
  /** By the number of the message in Main Mode, 1 to 6. */
  readonly #main = new Map<number, Sent>();
  readonly #quick = new Map<number, QuickMode>();
  #offer = '';
  /** What the responder last said instead of answering. */
  #notification: { readonly name: string; readonly type: number; readonly at: number } | undefined;
  #asking: Record<'initiator' | 'responder', number> = { initiator: 0, responder: 0 };
  #pathError: string | undefined;

  constructor(notes: Notes, { source, destination }: DecodedMessage) {
    this.#notes = notes;
    this.#initiator = source;
    this.#responder = destination;
  }

  get isUp(): boolean {
    return [...this.#quick.values()].some(({ done }) => done);
  }

  /** The network reported an error to its initiator. @param error as a socket would name it */
  pathError(error: string): void {
    if (!this.#main.has(2)) this.#pathError = error;
  }

  receive(message: DecodedMessage): void {
    const { fields, source } = message;
    const from = source.address === this.#initiator.address ? 'initiator' : 'responder';
    this.#asking[from === 'initiator' ? 'responder' : 'initiator'] = 0;
    switch (textOf(fields, 'exchangeType')) {
      case 'Main Mode':
        this.#mainMode(message, from);
        return;
      case 'Quick Mode':
        this.#quickMode(message, from);
        return;
      case 'Informational':
        this.#informational(message, from);
        return;
      default:
    }
  }

  end(now: number): void {
    const main = this.#main;
    const first = main.get(1);
    const [second, third, fourth, fifth] = [2, 3, 4, 5].map((number) => main.get(number));
    if (main.has(6)) this.#childEnd(now);
    else if (fifth !== undefined) this.#authenticationEnd(fifth, fourth, now);
    else if (third !== undefined && fourth === undefined) {
      if (!isLost(third, now)) return;
      const seen = `message 3 of ${third.length} octets was sent ${times(third)}, and message 4 never came`;
      this.#notes.sign('ike-large-lost', seen + this.#instead());
    } else if (second !== undefined && third === undefined && first !== undefined && isLost(first, now)) {
      const seen = `message 1 was sent ${times(first)} and answered ${times(second)}, and message 3 never came`;
      this.#notes.sign('ike-answers-lost', seen);
    } else if (second === undefined && first !== undefined) this.#firstEnd(first, now);
  }

  #firstEnd(first: Sent, now: number): void {
    const end = formatEndpoint(this.#responder);
    if (this.#notification?.type === NO_PROPOSAL_CHOSEN) {
      this.#notes.sign('ike-no-proposal', `${end} answered with NO-PROPOSAL-CHOSEN; offered was ${this.#offer}`);
    } else if (this.#notification?.type === INVALID_MAJOR_VERSION) {
      this.#notes.sign('ike-version', `${end} answered IKEv1 with ${this.#notification.name}`);
    } else if (isLost(first, now) || this.#pathError !== undefined) {
      const refused = this.#pathError === 'ECONNREFUSED';
      const seen = `message 1 was sent ${times(first)} within ${secondsBetween(first.first, now)} s`;
      if (refused) this.#notes.sign('ike-refused-port', `${seen}, and ${end} answered that the port is closed`);
      else this.#notes.sign('port-500-blocked', `${seen}, and no answer came from ${end}${this.#instead()}`);
    }
  }

  #authenticationEnd(fifth: Sent, fourth: Sent | undefined, now: number): void {
    const { port } = fifth;
    const told = this.#notification !== undefined && this.#notification.at >= fifth.first;
    if (!told && !isLost(fifth, now)) return;
    const seen = `message 5 was sent ${times(fifth)} to port ${port}, and message 6 never came${this.#instead()}`;
    if (told || port !== NAT_T_PORT) this.#notes.sign('psk-wrong-v1', seen);
    else {
      const again =
        (fourth?.times ?? 1) > 1 ? `; message 4 came ${fourth?.times} times, so message 5 did not arrive` : '';
      this.#notes.sign('port-4500-blocked', `${seen}${again}`);
    }
  }

  #childEnd(now: number): void {
    for (const { done, fromInitiator, fromResponder, first } of this.#quick.values()) {
      if (done) continue;
      const refusal =
        this.#notification !== undefined && this.#notification.at >= first ? this.#notification : undefined;
      if (refusal !== undefined && refusal.type > 0) this.#notes.failure(quickModeRefused(refusal.type));
      else if (refusal !== undefined) {
        this.#notes.sign('child-refused', 'the Quick Mode was answered with a notification that cannot be read');
      } else if (fromResponder === 0 && (fromInitiator > 2 || now - first >= 3000)) {
        const seconds = secondsBetween(first, now);
        this.#notes.sign('child-silent', `the Quick Mode was asked ${fromInitiator} times within ${seconds} s in vain`);
      }
    }
    const silent = Math.max(this.#asking.initiator, this.#asking.responder);
    if (silent >= DEAD_AFTER) {
      const who = this.#asking.initiator > this.#asking.responder ? this.#responder : this.#initiator;
      this.#notes.sign('dpd-dead', `${who.address} was asked ${silent} times whether it lives, and said nothing`);
    }
  }

  #instead(): string {
    const { name } = this.#notification ?? {};
    return name === undefined ? '' : `; ${name} came instead`;
  }

  #mainMode(message: DecodedMessage, from: 'initiator' | 'responder'): void {
    const { fields, frame } = message;
    const stage = stageOf(fields);
    if (stage === undefined) return;
    const number = from === 'initiator' ? stage : stage + 1;
    this.#main.set(number, noteSent(this.#main.get(number), message));
    if (number === 1) {
      this.#offer = offerOf(fields);
      this.#notes.seen('ike', `Main Mode from ${formatEndpoint(message.source)} at frame ${frame}`);
    }
    if (number === 4) this.#notes.ok('ike', `keys were exchanged by frame ${frame}`);
    if (number === 6) this.#notes.ok('ike-authentication', `message 6 came at frame ${frame}`);
  }

  #quickMode(message: DecodedMessage, from: 'initiator' | 'responder'): void {
    const id = Number(message.fields['messageId'] ?? 0);
    let quick = this.#quick.get(id);
    if (quick === undefined) {
      if (this.#quick.size >= MAX_QUICK_MODES) return;
      quick = { fromInitiator: 0, fromResponder: 0, done: false, first: message.time };
      this.#quick.set(id, quick);
    }
    if (from === 'responder') quick.fromResponder += 1;
    else {
      quick.fromInitiator += 1;
      // A message of its initiator behind an answer is the third one: nobody repeats what was answered.
      if (quick.fromResponder > 0 && !quick.done) {
        quick.done = true;
        this.#notes.ok('child-sa', `the Quick Mode was complete at frame ${message.frame}`);
      }
    }
  }

  #informational(message: DecodedMessage, from: 'initiator' | 'responder'): void {
    const { fields, time } = message;
    this.#asking[from] += 1;
    if (from === 'initiator' || fields['delete'] !== undefined) return;
    const error = errorOf(fields);
    if (error !== undefined) this.#notification = { ...error, at: time };
    else if (isClosed(fields)) this.#notification = { name: 'an encrypted notification', type: 0, at: time };
  }
}

/** Of the message of the initiator: 1, 3 or 5; the responder's is the next. */
function stageOf(fields: Fields): 1 | 3 | 5 | undefined {
  if (isEncrypted(fields)) return 5;
  if (hasPayload(fields, 'KE')) return 3;
  return hasPayload(fields, 'SA') ? 1 : undefined;
}

function times(sent: Sent): string {
  return sent.times === 1 ? 'once' : `${sent.times} times`;
}
