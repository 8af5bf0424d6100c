/**
 * What a caller does under a new ISAKMP SA before it is of use: it logs a user in where the server asks for that (XAUTH), and
 * takes an inner address (Mode-Config). Both are Transaction Exchanges, whoever begins them.
 */
import { DecodeError } from '../../bytes.ts';
import type { Failure, Instant } from '../../machine.ts';
import type { UdpEndpoint } from '../../udp-path.ts';
import type { AssignedConfiguration } from '../authentication.ts';
import { hash1 } from '../crypto/keys-v1.ts';
import {
  type AttributePayload,
  type ConfigAttribute,
  decodeAttributePayload,
  encodeAttributePayload,
} from './attribute-payload.ts';
import type { ReceivedMessage } from './header.ts';
import { loginNeverAsked, loginUnanswered, noAddress, noAnswerToModeConfig } from './login-failures.ts';
import { assignedBy, wantedAttributes } from './mode-config.ts';
import { ConfigType, ExchangeType, PayloadType } from './numbers.ts';
import { onlyBody, type Payload } from './payload.ts';
import type { Phase1Outcome } from './phase1.ts';
import { Phase2Messages } from './phase2-message.ts';
import { Retransmission } from './retransmit.ts';
import { isXauth, messageIn, statusAttribute, statusIn, XauthLogin } from './xauth.ts';

/** How long a server may take until it asks for a login, ms. */
const UNTIL_ASKED_MS = 30_000;
/** How long it may take to judge one: it may have others to ask. */
const UNTIL_JUDGED_MS = 60_000;

/** Exchanges whose IVs are remembered, the latest. */
const MAX_EXCHANGES = 8;

/** What it needs of the ISAKMP SA around it. */
export interface ConfigurationClientHost {
  readonly sa: Phase1Outcome;
  readonly path: { readonly remote: UdpEndpoint };
  /** One that was not used. */
  freshMessageId(): number;
  isUsed(messageId: number): boolean;
  send(name: string, message: Uint8Array, detail?: string): void;
  received(name: string, detail?: string): void;
  remember(messageId: number, request: Uint8Array, reply?: Uint8Array): void;
}

type State =
  | { readonly kind: 'login'; readonly deadline: Instant; readonly asked: boolean }
  | {
      readonly kind: 'address';
      readonly messageId: number;
      readonly identifier: number;
      readonly message: Uint8Array;
      readonly retransmission: Retransmission;
    }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly failure: Failure };

export class ConfigurationClient {
  readonly #host: ConfigurationClientHost;
  readonly #wished: string | undefined;
  readonly #login: XauthLogin;
  readonly #exchanges = new Map<number, Phase2Messages>();
  #state: State;
  #assigned: AssignedConfiguration | undefined;

  /** @param wished the address that this side had under the SA before. */
  constructor(now: Instant, host: ConfigurationClientHost, wished: string | undefined) {
    const { connection } = host.sa;
    this.#host = host;
    this.#wished = wished;
    this.#login = new XauthLogin(connection);
    const login = { kind: 'login', deadline: now + UNTIL_ASKED_MS, asked: false } as const;
    this.#state = connection.xauth === undefined ? this.#afterLogin(now) : login;
  }

  /** Nothing else is to be done under the SA yet. */
  get pending(): boolean {
    return this.#state.kind === 'login' || this.#state.kind === 'address';
  }

  get failure(): Failure | undefined {
    return this.#state.kind === 'failed' ? this.#state.failure : undefined;
  }

  get assigned(): AssignedConfiguration | undefined {
    return this.#assigned;
  }

  get deadline(): Instant | undefined {
    if (this.#state.kind === 'login') return this.#state.deadline;
    return this.#state.kind === 'address' ? this.#state.retransmission.deadline : undefined;
  }

  /** A Transaction Exchange. @returns whether it was genuine. @throws DecodeError when it is malformed. */
  receive(now: Instant, message: ReceivedMessage): boolean {
    const { messageId } = message.header;
    const known = this.#exchanges.get(messageId);
    if (known === undefined && this.#host.isUsed(messageId)) throw new DecodeError('a message id a second time');
    const messages = known ?? new Phase2Messages(this.#host.sa, ExchangeType.transaction, messageId);
    const payloads = messages.open(message, this.#hash(messageId));
    if (payloads === undefined) return false;
    this.#keep(messages);
    this.#host.remember(messageId, message.octets);
    const payload = decodeAttributePayload(onlyBody(payloads, PayloadType.attributes, 'Attributes'));
    this.#take(now, messages, message, payload);
    return true;
  }

  tick(now: Instant): void {
    const state = this.#state;
    const { remote } = this.#host.path;
    if (state.kind === 'login' && now >= state.deadline) {
      this.#fail(state.asked ? loginUnanswered(remote) : loginNeverAsked(remote));
    } else if (state.kind === 'address') {
      const due = state.retransmission.due(now);
      if (due === 'resend') this.#host.send('Mode-Config REQUEST again', state.message);
      if (due === 'exhausted') this.#fail(noAnswerToModeConfig(remote));
    }
  }

  #take(now: Instant, messages: Phase2Messages, request: ReceivedMessage, payload: AttributePayload): void {
    const { attributes } = payload;
    const xauth = isXauth(attributes);
    const words = messageIn(attributes);
    const detail = words === '' ? undefined : `"${words}"`;
    if (payload.kind === ConfigType.request && xauth) {
      this.#host.received('XAUTH REQUEST', detail);
      this.#answerLogin(now, messages, request, payload);
    } else if (payload.kind === ConfigType.set && xauth) {
      this.#host.received('XAUTH SET', detail);
      this.#judged(now, messages, request, payload);
    } else if (payload.kind === ConfigType.set) {
      this.#host.received('Mode-Config SET');
      // Of what is acknowledged only the names are returned.
      const acknowledged = attributes.map(({ type }) => ({ type, value: new Uint8Array(0) }));
      this.#reply('Mode-Config ACK', messages, request, payload, ConfigType.ack, acknowledged);
      this.#pushed(assignedBy(attributes));
    } else if (payload.kind === ConfigType.request) {
      this.#host.received('Mode-Config REQUEST');
      this.#reply('Mode-Config REPLY', messages, request, payload, ConfigType.reply, []);
    } else if (payload.kind === ConfigType.reply && this.#isAnswer(messages, payload)) {
      this.#host.received('Mode-Config REPLY');
      this.#assign(assignedBy(attributes));
    }
  }

  #answerLogin(now: Instant, messages: Phase2Messages, request: ReceivedMessage, payload: AttributePayload): void {
    const answer = this.#login.answer(payload.attributes);
    const failed = 'step' in answer;
    const attributes = failed ? [statusAttribute(0)] : answer;
    this.#reply('XAUTH REPLY', messages, request, payload, ConfigType.reply, attributes);
    if (failed) this.#fail(answer);
    else if (this.#state.kind === 'login') {
      this.#state = { kind: 'login', deadline: now + UNTIL_JUDGED_MS, asked: true };
    }
  }

  #judged(now: Instant, messages: Phase2Messages, request: ReceivedMessage, payload: AttributePayload): void {
    const status = statusIn(payload.attributes);
    const acknowledged = status === undefined ? [] : [statusAttribute(status)];
    this.#reply('XAUTH ACK', messages, request, payload, ConfigType.ack, acknowledged);
    if (status === undefined) return;
    if (status !== 1) {
      this.#fail(this.#login.refused(payload.attributes));
      return;
    }
    this.#login.succeeded();
    if (this.#state.kind === 'login') this.#state = this.#afterLogin(now);
  }

  #afterLogin(now: Instant): State {
    const { sa } = this.#host;
    if (sa.connection.requestAddress !== true || this.#assigned !== undefined) return { kind: 'done' };
    const messageId = this.#host.freshMessageId();
    const identifier = messageId & 0xffff;
    const messages = new Phase2Messages(sa, ExchangeType.transaction, messageId);
    this.#keep(messages);
    const attributes = wantedAttributes(this.#wished);
    const body = encodeAttributePayload({ kind: ConfigType.request, identifier, attributes });
    const message = messages.seal([{ type: PayloadType.attributes, body }], this.#hash(messageId));
    this.#host.send('Mode-Config REQUEST', message);
    return { kind: 'address', messageId, identifier, message, retransmission: new Retransmission(now) };
  }

  #isAnswer({ messageId }: Phase2Messages, { identifier }: AttributePayload): boolean {
    const state = this.#state;
    return state.kind === 'address' && state.messageId === messageId && state.identifier === identifier;
  }

  /** The server did not wait until it was asked. */
  #pushed(assigned: AssignedConfiguration | undefined): void {
    if (this.#state.kind === 'address') this.#assign(assigned);
    else if (this.#state.kind === 'login') this.#assigned = assigned;
  }

  #assign(assigned: AssignedConfiguration | undefined): void {
    if (assigned === undefined) this.#fail(noAddress(this.#host.path.remote));
    else {
      this.#assigned = assigned;
      this.#state = { kind: 'done' };
    }
  }

  #reply(
    name: string,
    messages: Phase2Messages,
    request: ReceivedMessage,
    { identifier }: AttributePayload,
    kind: number,
    attributes: readonly ConfigAttribute[],
  ): void {
    const { messageId } = messages;
    const payload: Payload = {
      type: PayloadType.attributes,
      body: encodeAttributePayload({ kind, identifier, attributes }),
    };
    const reply = messages.seal([payload], this.#hash(messageId));
    this.#host.remember(messageId, request.octets, reply);
    this.#host.send(name, reply);
  }

  /** Of a Transaction Exchange: as HASH(1) of Quick Mode (draft-dukes-ike-mode-cfg-02 section 3.3). */
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

  #fail(failure: Failure): void {
    this.#state = { kind: 'failed', failure };
  }
}
