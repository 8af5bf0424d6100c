/** The Transaction Exchanges under one ISAKMP SA (draft-dukes-ike-mode-cfg-02 section 3.3): Mode-Config and XAUTH are made of them. */
import { DecodeError } from '../../bytes.ts';
import type { UdpEndpoint } from '../../udp-path.ts';
import { hash1 } from '../crypto/keys-v1.ts';
import {
  type AttributePayload,
  type ConfigAttribute,
  decodeAttributePayload,
  encodeAttributePayload,
} from './attribute-payload.ts';
import type { ReceivedMessage } from './header.ts';
import { ExchangeType, PayloadType } from './numbers.ts';
import { onlyBody, type Payload } from './payload.ts';
import type { Phase1Outcome } from './phase1.ts';
import { Phase2Messages } from './phase2-message.ts';

/** Exchanges whose IVs are remembered, the latest. */
const MAX_EXCHANGES = 8;

/** What they need of the ISAKMP SA around them. */
export interface TransactionsHost {
  readonly sa: Phase1Outcome;
  readonly path: { readonly remote: UdpEndpoint };
  /** One that was not used. */
  freshMessageId(): number;
  isUsed(messageId: number): boolean;
  send(name: string, message: Uint8Array, detail?: string): void;
  received(name: string, detail?: string): void;
  remember(messageId: number, request: Uint8Array, reply?: Uint8Array): void;
}

/** A genuine message of the peer, and the exchange that it is of. */
export interface Transaction {
  readonly messages: Phase2Messages;
  readonly message: ReceivedMessage;
  readonly payload: AttributePayload;
}

/** A message by which this side began an exchange. */
export interface Begun {
  readonly messageId: number;
  readonly identifier: number;
  readonly message: Uint8Array;
}

export class Transactions {
  readonly #host: TransactionsHost;
  readonly #exchanges = new Map<number, Phase2Messages>();

  constructor(host: TransactionsHost) {
    this.#host = host;
  }

  /** Of an exchange that is under way, or the first of one. @returns `undefined` when it is not genuine. @throws DecodeError */
  open(message: ReceivedMessage): Transaction | undefined {
    const { messageId } = message.header;
    const known = this.#exchanges.get(messageId);
    if (known === undefined && this.#host.isUsed(messageId)) throw new DecodeError('a message id a second time');
    const messages = known ?? new Phase2Messages(this.#host.sa, ExchangeType.transaction, messageId);
    const payloads = messages.open(message, this.#hash(messageId));
    if (payloads === undefined) return undefined;
    this.#keep(messages);
    this.#host.remember(messageId, message.octets);
    const payload = decodeAttributePayload(onlyBody(payloads, PayloadType.attributes, 'Attributes'));
    return { messages, message, payload };
  }

  /** Begins one. @param name `Mode-Config REQUEST` ... @param kind one of `ConfigType`. */
  begin(name: string, kind: number, attributes: readonly ConfigAttribute[], detail?: string): Begun {
    const messageId = this.#host.freshMessageId();
    const identifier = messageId & 0xffff;
    const messages = new Phase2Messages(this.#host.sa, ExchangeType.transaction, messageId);
    this.#keep(messages);
    const message = this.#seal(messages, { kind, identifier, attributes });
    this.#host.send(name, message, detail);
    return { messageId, identifier, message };
  }

  /** Answers one that the peer began; the answer is kept for its repetition. */
  reply(
    name: string,
    { messages, message, payload }: Transaction,
    kind: number,
    attributes: readonly ConfigAttribute[],
  ) {
    const reply = this.#seal(messages, { kind, identifier: payload.identifier, attributes });
    this.#host.remember(messages.messageId, message.octets, reply);
    this.#host.send(name, reply);
  }

  #seal(messages: Phase2Messages, payload: AttributePayload): Uint8Array {
    const sealed: Payload = { type: PayloadType.attributes, body: encodeAttributePayload(payload) };
    return messages.seal([sealed], this.#hash(messages.messageId));
  }

  /** As HASH(1) of Quick Mode. */
  #hash(messageId: number): (covered: Uint8Array) => Uint8Array {
    const { keys, proposal } = this.#host.sa;
    return (covered) => hash1(proposal.prf, keys.skeyidA, messageId, covered);
  }

  #keep(messages: Phase2Messages): void {
    this.#exchanges.delete(messages.messageId);
    this.#exchanges.set(messages.messageId, messages);
    const [oldest] = this.#exchanges.keys();
    if (this.#exchanges.size > MAX_EXCHANGES && oldest !== undefined) this.#exchanges.delete(oldest);
  }
}
