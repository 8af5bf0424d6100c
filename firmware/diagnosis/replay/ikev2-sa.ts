/** One IKE SA of a capture, IKEv2: IKE_SA_INIT, IKE_AUTH and what follows (RFC 7296 section 1.2). */
import { peerRefused } from '../../protocol/ike/v2/failures.ts';
import { formatEndpoint } from '../../protocol/udp-path.ts';
import type { DecodedMessage, Fields, MessageEnd } from '../decode/decoded.ts';
import type { Notes } from '../notes.ts';
import { isFields, secondsBetween, textOf } from './fields.ts';
import { errorOf, hasPayload, isClosed, isLost, noteSent, offerOf, payloadsOf, type Sent } from './ike-words.ts';

/** Requests that wait for their response at a time. */
const MAX_WAITING = 64;
/**
 * Octets of an IKE_AUTH response that cannot be read. Nothing but a notification fits into the one; into the other, who
 * the peer is and its proof, but neither SA nor traffic selectors.
 */
const ONLY_NOTIFICATION = 100;
const NO_CHILD = 160;
/** From here on a message is likely to be in fragments somewhere on its way, octets. */
const LARGE = 1200;

const NAT_T_PORT = 4500;
const NOTIFY = { invalidMajorVersion: 5, noProposal: 14, invalidKe: 17, authenticationFailed: 24, ts: 38 } as const;

interface Waiting extends Sent {
  readonly exchange: string;
  readonly fromInitiator: boolean;
}

export class Ikev2Sa {
  readonly #notes: Notes;
  readonly #initiator: MessageEnd;
  #responder: MessageEnd;
  readonly #waiting = new Map<string, Waiting>();
  #offer = '';
  #identity = '';
  #pathError: string | undefined;
  #answered = false;
  isUp = false;

  constructor(notes: Notes, { source, destination }: DecodedMessage) {
    this.#notes = notes;
    this.#initiator = source;
    this.#responder = destination;
  }

  /** The network reported an error to its initiator. @param error as a socket would name it */
  pathError(error: string): void {
    if (!this.#answered) this.#pathError = error;
  }

  receive(message: DecodedMessage): void {
    const { fields, source, frame } = message;
    const exchange = textOf(fields, 'exchangeType');
    const { flags } = fields;
    const response = isFields(flags) && flags['response'] === true;
    const fromInitiator = source.address === this.#initiator.address;
    const asker = response ? !fromInitiator : fromInitiator;
    const key = `${exchange} ${String(fields['messageId'])} ${asker ? 'i' : 'r'}`;
    if (!response) {
      if (exchange === 'IKE_SA_INIT') {
        this.#offer = offerOf(fields);
        this.#notes.seen('ike', `IKE_SA_INIT from ${formatEndpoint(source)} at frame ${frame}`);
      }
      if (exchange === 'IKE_AUTH') this.#identity = identityOf(fields);
      const sent = this.#waiting.get(key);
      if (sent !== undefined) noteSent(sent, message);
      else if (this.#waiting.size < MAX_WAITING) {
        this.#waiting.set(key, { ...noteSent(undefined, message), exchange, fromInitiator });
      }
      return;
    }
    this.#answered = true;
    this.#responder = source;
    this.#waiting.delete(key);
    if (exchange === 'IKE_SA_INIT') this.#init(message);
    else if (exchange === 'IKE_AUTH') this.#auth(message);
    else if (exchange === 'CREATE_CHILD_SA') this.#createChild(message);
  }

  end(now: number): void {
    for (const sent of this.#waiting.values()) {
      if (isLost(sent, now) || this.#pathError !== undefined) this.#unanswered(sent, now);
    }
  }

  #unanswered(sent: Waiting, now: number): void {
    const { exchange, length, port, fromInitiator } = sent;
    const who = formatEndpoint({ address: (fromInitiator ? this.#responder : this.#initiator).address, port });
    const often = sent.times === 1 ? 'once' : `${sent.times} times`;
    const seen = `${exchange} of ${length} octets was sent ${often} within ${secondsBetween(sent.first, now)} s, and`;
    if (exchange === 'IKE_SA_INIT') {
      if (this.#pathError === 'ECONNREFUSED') {
        this.#notes.sign('ike-refused-port', `${seen} ${who} answered that the port is closed`);
      } else this.#notes.sign('port-500-blocked', `${seen} nothing came from ${who}`);
    } else if (exchange === 'IKE_AUTH') {
      if (length > LARGE) this.#notes.sign('ike-large-lost', `${seen} nothing came from ${who}`);
      else if (port === NAT_T_PORT) this.#notes.sign('port-4500-blocked', `${seen} nothing came from ${who}`);
      else this.#notes.sign('ike-auth-silent', `${seen} nothing came from ${who}`);
    } else this.#notes.sign('dpd-dead', `${seen} nothing came from ${who}`);
  }

  #init({ fields, frame }: DecodedMessage): void {
    const error = errorOf(fields);
    const end = formatEndpoint(this.#responder);
    if (error === undefined) {
      if (hasPayload(fields, 'KE')) this.#notes.ok('ike', `keys were exchanged by frame ${frame}`);
    } else if (error.type === NOTIFY.noProposal) {
      this.#notes.sign('ike-no-proposal', `${end} answered with ${error.name}; offered was ${this.#offer}`);
    } else if (error.type === NOTIFY.invalidMajorVersion) {
      this.#notes.sign('ike-version', `${end} answered IKEv2 with ${error.name}`);
    } else if (error.type !== NOTIFY.invalidKe) this.#notes.failure(peerRefused('IKE_SA_INIT', error.type));
  }

  #auth({ fields, frame }: DecodedMessage): void {
    const error = errorOf(fields);
    const length = Number(fields['length'] ?? 0);
    const as = this.#identity === '' ? '' : ` to ${this.#identity}`;
    if (error?.type === NOTIFY.authenticationFailed) {
      this.#notes.sign('psk-wrong-v2', `IKE_AUTH was answered with ${error.name}${as} at frame ${frame}`);
    } else if (hasPayload(fields, 'AUTH')) this.#authenticated(frame, error);
    else if (error !== undefined) this.#childError(error, frame);
    else if (!isClosed(fields) || hasFragments(fields)) return;
    else if (length < ONLY_NOTIFICATION) {
      const seen = `IKE_AUTH was answered with ${length} octets at frame ${frame}, too few for anything but a refusal`;
      this.#notes.sign('psk-wrong-v2', seen);
    } else if (length < NO_CHILD) {
      this.#notes.ok('ike-authentication', `IKE_AUTH was answered with ${length} octets at frame ${frame}`);
      const seen = `the answer to IKE_AUTH has ${length} octets (frame ${frame}), too few for a child SA`;
      this.#notes.sign('child-refused', seen);
    } else this.#authenticated(frame, undefined);
  }

  #authenticated(frame: number, error: { readonly type: number; readonly name: string } | undefined): void {
    this.#notes.ok('ike-authentication', `IKE_AUTH was answered at frame ${frame}`);
    if (error !== undefined) this.#childError(error, frame);
    else {
      this.isUp = true;
      this.#notes.ok('child-sa', `the child SA stood at frame ${frame}`);
    }
  }

  #childError({ type, name }: { readonly type: number; readonly name: string }, frame: number): void {
    const seen = `the child SA was answered with ${name} at frame ${frame}`;
    if (type === NOTIFY.noProposal) this.#notes.sign('esp-no-proposal', seen);
    else if (type === NOTIFY.ts) this.#notes.sign('selectors-refused', seen);
    else this.#notes.failure(peerRefused('IKE_AUTH', type));
  }

  #createChild({ fields, frame }: DecodedMessage): void {
    const error = errorOf(fields);
    if (error === undefined || error.type === NOTIFY.invalidKe) return;
    this.#notes.sign('rekey-failed', `CREATE_CHILD_SA was answered with ${error.name} at frame ${frame}`);
  }
}

function identityOf(fields: Fields): string {
  const payload = payloadsOf(fields).find(({ name }) => name === 'IDi');
  return payload === undefined ? '' : textOf(payload, 'identity');
}

function hasFragments(fields: Fields): boolean {
  return payloadsOf(fields).some(({ totalFragments }) => typeof totalFragments === 'number');
}
