/**
 * What a caller does under a new ISAKMP SA before it is of use: it logs a user in where the server asks for that (XAUTH), and
 * takes an inner address (Mode-Config). Both are Transaction Exchanges, whoever begins them.
 */
import type { Failure, Instant } from '../../machine.ts';
import type { AssignedConfiguration } from '../authentication.ts';
import type { IkeConnection } from '../ike-types.ts';
import type { ConfigurationSide } from './configuration-side.ts';
import type { ReceivedMessage } from './header.ts';
import { loginNeverAsked, loginUnanswered, noAddress, noAnswerToModeConfig } from './login-failures.ts';
import { assignedBy, wantedAttributes } from './mode-config.ts';
import { ConfigType } from './numbers.ts';
import { hostSelector } from './quick-mode-selectors.ts';
import { Retransmission } from './retransmit.ts';
import { type Begun, type Transaction, Transactions, type TransactionsHost } from './transactions.ts';
import { isXauth, messageIn, statusAttribute, statusIn, XauthLogin } from './xauth.ts';

/** How long a server may take until it asks for a login, ms. */
const UNTIL_ASKED_MS = 30_000;
/** How long it may take to judge one: it may have others to ask. */
const UNTIL_JUDGED_MS = 60_000;

type State =
  | { readonly kind: 'login'; readonly deadline: Instant; readonly asked: boolean }
  | { readonly kind: 'address'; readonly request: Begun; readonly retransmission: Retransmission }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly failure: Failure };

export class ConfigurationClient implements ConfigurationSide {
  readonly #host: TransactionsHost;
  readonly #wished: string | undefined;
  readonly #login: XauthLogin;
  readonly #transactions: Transactions;
  #state: State;
  #assigned: AssignedConfiguration | undefined;

  /** @param wished the address that this side had under the SA before. */
  constructor(now: Instant, host: TransactionsHost, wished: string | undefined) {
    const { connection } = host.sa;
    this.#host = host;
    this.#wished = wished;
    this.#login = new XauthLogin(connection);
    this.#transactions = new Transactions(host);
    const login = { kind: 'login', deadline: now + UNTIL_ASKED_MS, asked: false } as const;
    this.#state = connection.xauth === undefined ? this.#afterLogin(now) : login;
  }

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

  /** Nobody logs in here. */
  get user(): undefined {
    return undefined;
  }

  /** Whoever was called waits until it is asked for something. */
  get granted(): boolean {
    return false;
  }

  get goodbye(): undefined {
    return undefined;
  }

  /** The server may ask again at any time. */
  expects(): boolean {
    return true;
  }

  receive(now: Instant, message: ReceivedMessage): boolean {
    const transaction = this.#transactions.open(message);
    if (transaction !== undefined) this.#take(now, transaction);
    return transaction !== undefined;
  }

  tick(now: Instant): void {
    const state = this.#state;
    const { remote } = this.#host.path;
    if (state.kind === 'login' && now >= state.deadline) {
      this.#fail(state.asked ? loginUnanswered(remote) : loginNeverAsked(remote));
    } else if (state.kind === 'address') {
      const due = state.retransmission.due(now);
      if (due === 'resend') this.#host.send('Mode-Config REQUEST again', state.request.message);
      if (due === 'exhausted') this.#fail(noAnswerToModeConfig(remote));
    }
  }

  narrowed(connection: IkeConnection): IkeConnection {
    if (this.#assigned === undefined) return connection;
    return { ...connection, localSelectors: this.#assigned.addresses.map((address) => hostSelector(address, 0, 0)) };
  }

  acknowledge(): void {}

  /** Under each SA it asks for its address itself. */
  inherit(): void {}

  release(): void {}

  #take(now: Instant, transaction: Transaction): void {
    const { kind, attributes } = transaction.payload;
    const xauth = isXauth(attributes);
    const words = messageIn(attributes);
    const detail = words === '' ? undefined : `"${words}"`;
    if (kind === ConfigType.request && xauth) {
      this.#host.received('XAUTH REQUEST', detail);
      this.#answerLogin(now, transaction);
    } else if (kind === ConfigType.set && xauth) {
      this.#host.received('XAUTH SET', detail);
      this.#judged(now, transaction);
    } else if (kind === ConfigType.set) {
      this.#host.received('Mode-Config SET');
      // Of what is acknowledged only the names are returned.
      const acknowledged = attributes.map(({ type }) => ({ type, value: new Uint8Array(0) }));
      this.#transactions.reply('Mode-Config ACK', transaction, ConfigType.ack, acknowledged);
      this.#pushed(assignedBy(attributes));
    } else if (kind === ConfigType.request) {
      this.#host.received('Mode-Config REQUEST');
      this.#transactions.reply('Mode-Config REPLY', transaction, ConfigType.reply, []);
    } else if (kind === ConfigType.reply && this.#isAnswer(transaction)) {
      this.#host.received('Mode-Config REPLY');
      this.#assign(assignedBy(attributes));
    }
  }

  #answerLogin(now: Instant, transaction: Transaction): void {
    const answer = this.#login.answer(transaction.payload.attributes);
    const failed = 'step' in answer;
    const attributes = failed ? [statusAttribute(0)] : answer;
    this.#transactions.reply('XAUTH REPLY', transaction, ConfigType.reply, attributes);
    if (failed) this.#fail(answer);
    else if (this.#state.kind === 'login') {
      this.#state = { kind: 'login', deadline: now + UNTIL_JUDGED_MS, asked: true };
    }
  }

  #judged(now: Instant, transaction: Transaction): void {
    const { attributes } = transaction.payload;
    const status = statusIn(attributes);
    const acknowledged = status === undefined ? [] : [statusAttribute(status)];
    this.#transactions.reply('XAUTH ACK', transaction, ConfigType.ack, acknowledged);
    if (status === undefined) return;
    if (status !== 1) {
      this.#fail(this.#login.refused(attributes));
      return;
    }
    this.#login.succeeded();
    if (this.#state.kind === 'login') this.#state = this.#afterLogin(now);
  }

  #afterLogin(now: Instant): State {
    if (this.#host.sa.connection.requestAddress !== true || this.#assigned !== undefined) return { kind: 'done' };
    const wanted = wantedAttributes(this.#wished);
    const request = this.#transactions.begin('Mode-Config REQUEST', ConfigType.request, wanted);
    return { kind: 'address', request, retransmission: new Retransmission(now) };
  }

  #isAnswer({ messages, payload }: Transaction): boolean {
    if (this.#state.kind !== 'address') return false;
    const { messageId, identifier } = this.#state.request;
    return messageId === messages.messageId && identifier === payload.identifier;
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

  #fail(failure: Failure): void {
    this.#state = { kind: 'failed', failure };
  }
}
