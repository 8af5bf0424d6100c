/**
 * What the one that is called does under a new ISAKMP SA before it is of use: it asks who the user is and judges the answer
 * (XAUTH, draft-beaulieu-ike-xauth-02 section 3), and later it gives inner addresses to those who ask (Mode-Config).
 *
 *     REQUEST (name, password)  -->
 *                               <--  REPLY
 *     SET (status)              -->
 *                               <--  ACK
 */
import type { Failure, Instant, RandomSource } from '../../machine.ts';
import { printable } from '../../printable.ts';
import type { IkeConnection, IkePeer } from '../ike-types.ts';
import { noPool, poolExhausted } from '../lease-failures.ts';
import type { ConfigAttribute } from './attribute-payload.ts';
import type { ConfigurationSide } from './configuration-side.ts';
import type { ReceivedMessage } from './header.ts';
import type { LoginAttempts } from './login-attempts.ts';
import { hungUpBeforeLogin, loginNotGiven, verdictUnheard } from './login-failures.ts';
import { judgeLogin, QUESTION, userNameIn } from './login-verdict.ts';
import { addressWish, assignedAttributes } from './mode-config.ts';
import { ConfigType } from './numbers.ts';
import { hostSelector } from './quick-mode-selectors.ts';
import { PATIENT_WAITS_MS, Retransmission } from './retransmit.ts';
import { type Begun, type Transaction, Transactions, type TransactionsHost } from './transactions.ts';
import { statusAttribute } from './xauth.ts';

/** What it needs of the ISAKMP SA around it. */
export interface ConfigurationServerHost extends TransactionsHost {
  readonly ikeId: number;
  readonly random: RandomSource;
  readonly attempts: LoginAttempts;
  readonly peer: IkePeer;
  readonly replacedBy: object | undefined;
  lastFailure: Failure | undefined;
  /** The SA is of use, if nothing is pending any more. */
  settleSide(now: Instant): void;
}

type Verdict = { readonly user: string } | Failure;

type State =
  | { readonly kind: 'asking' }
  | { readonly kind: 'telling'; readonly verdict: Verdict }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly failure: Failure };

export class ConfigurationServer implements ConfigurationSide {
  readonly #host: ConfigurationServerHost;
  readonly #transactions: Transactions;
  #state: State;
  /** The question, or the verdict, that waits for its answer. */
  #open: { readonly begun: Begun; readonly retransmission: Retransmission } | undefined;
  #user: string | undefined;
  /** The caller's, those included that came with what the SA took over from. */
  #addresses: readonly string[] = [];

  constructor(now: Instant, host: ConfigurationServerHost) {
    this.#host = host;
    this.#transactions = new Transactions(host);
    this.#state = { kind: host.sa.connection.xauthUsers === undefined ? 'done' : 'asking' };
    if (!this.pending) return;
    const begun = this.#transactions.begin('XAUTH REQUEST', ConfigType.request, QUESTION);
    this.#open = { begun, retransmission: new Retransmission(now, PATIENT_WAITS_MS) };
  }

  get pending(): boolean {
    return this.#state.kind === 'asking' || this.#state.kind === 'telling';
  }

  get failure(): Failure | undefined {
    return this.#state.kind === 'failed' ? this.#state.failure : undefined;
  }

  /** Nobody assigns anything to this side. */
  get assigned(): undefined {
    return undefined;
  }

  get deadline(): Instant | undefined {
    return this.#open?.retransmission.deadline;
  }

  /** Who has logged in, from the moment at which the caller knows it. */
  get user(): string | undefined {
    return this.#user;
  }

  get goodbye(): Failure | undefined {
    return this.#state.kind === 'asking' ? hungUpBeforeLogin() : undefined;
  }

  /** The login was good, whether the caller has heard it or not. */
  get granted(): boolean {
    const state = this.#state;
    return state.kind === 'done' || (state.kind === 'telling' && 'user' in state.verdict);
  }

  /** Before the login is good, nothing but the answer to what was asked; what comes too early is good later. */
  expects(messageId: number): boolean {
    // What is wanted of an SA that another one has taken over from is wanted of that one.
    if (this.#host.replacedBy !== undefined) return false;
    return this.granted || messageId === this.#open?.begun.messageId;
  }

  receive(now: Instant, message: ReceivedMessage): boolean {
    const transaction = this.#transactions.open(message);
    if (transaction !== undefined) this.#take(now, transaction);
    return transaction !== undefined;
  }

  tick(now: Instant): void {
    const state = this.#state;
    if (this.#open === undefined) return;
    const due = this.#open.retransmission.due(now);
    const { message } = this.#open.begun;
    if (due === 'resend') this.#host.send(`XAUTH ${state.kind === 'asking' ? 'REQUEST' : 'SET'} again`, message);
    if (due !== 'exhausted') return;
    this.#open = undefined;
    const { remote } = this.#host.path;
    if (state.kind === 'asking') this.#fail(loginNotGiven(remote));
    else if (state.kind === 'telling') {
      this.#fail('user' in state.verdict ? verdictUnheard(state.verdict.user, remote) : state.verdict);
    }
  }

  /** libreswan may go on before it has the verdict, which is said again until there is an ACK. */
  acknowledge(): void {
    const state = this.#state;
    if (state.kind !== 'telling') return;
    if ('user' in state.verdict) {
      this.#user = state.verdict.user;
      this.#state = { kind: 'done' };
    } else this.#fail(state.verdict);
  }

  narrowed(connection: IkeConnection): IkeConnection {
    if (this.#addresses.length === 0) return connection;
    return { ...connection, remoteSelectors: this.#addresses.map((address) => hostSelector(address, 0, 0)) };
  }

  /** Of the same user: his addresses, too. */
  inherit(from: ConfigurationSide): void {
    if (!(from instanceof ConfigurationServer)) return;
    const { ikeId, sa } = this.#host;
    sa.connection.leases?.release(from.#host.ikeId, ikeId);
    this.#addresses = [...this.#addresses, ...from.#addresses];
    from.#addresses = [];
  }

  release(): void {
    this.#host.sa.connection.leases?.release(this.#host.ikeId);
    this.#addresses = [];
  }

  #take(now: Instant, transaction: Transaction): void {
    const state = this.#state;
    const { messages, payload } = transaction;
    const isAnswer = messages.messageId === this.#open?.begun.messageId;
    if (state.kind === 'asking' && isAnswer && payload.kind === ConfigType.reply) {
      this.#judge(now, payload.attributes);
    } else if (state.kind !== 'asking' && isAnswer && payload.kind === ConfigType.ack) {
      this.#host.received('XAUTH ACK');
      this.#open = undefined;
      this.acknowledge();
    } else if (payload.kind === ConfigType.request) {
      this.#host.received('Mode-Config REQUEST');
      this.acknowledge();
      // First it is of use: it may take over from an SA that has an address.
      this.#host.settleSide(now);
      const attributes = this.#assign(payload.attributes);
      this.#transactions.reply('Mode-Config REPLY', transaction, ConfigType.reply, attributes);
    } else if (payload.kind === ConfigType.set) {
      // What a caller would like this side to have is acknowledged, as the draft wants it, and not taken.
      this.#host.received('Mode-Config SET');
      this.#transactions.reply('Mode-Config ACK', transaction, ConfigType.ack, []);
    }
  }

  #judge(now: Instant, attributes: readonly ConfigAttribute[]): void {
    const { sa, attempts, random, path } = this.#host;
    const name = userNameIn(attributes);
    this.#host.received('XAUTH REPLY', name.length === 0 ? 'no user' : `user ${printable(name)}`);
    // Without users nothing was asked.
    const passwordOf = sa.connection.xauthUsers ?? (() => undefined);
    const verdict = judgeLogin(now, attributes, { passwordOf, attempts, random, address: path.remote.address });
    const good = 'user' in verdict;
    if (!good) this.#host.lastFailure = verdict;
    const detail = good ? `OK, user ${printable(verdict.user)}` : 'FAIL';
    const begun = this.#transactions.begin('XAUTH SET', ConfigType.set, [statusAttribute(good ? 1 : 0)], detail);
    this.#open = { begun, retransmission: new Retransmission(now) };
    this.#state = { kind: 'telling', verdict };
  }

  /** What is given to whoever asks for these. */
  #assign(asked: readonly ConfigAttribute[]): readonly ConfigAttribute[] {
    const wish = addressWish(asked);
    if (wish === undefined) return [];
    const { leases, localSelectors = [] } = this.#host.sa.connection;
    const { ikeId, peer } = this.#host;
    const assigned = leases?.lease(ikeId, peer, wish.address);
    if (assigned === undefined) {
      this.#host.lastFailure = leases === undefined ? noPool() : poolExhausted('Mode-Config');
      return [];
    }
    this.#addresses = [...new Set([...assigned.addresses, ...this.#addresses])];
    return assignedAttributes(assigned, localSelectors, asked);
  }

  #fail(failure: Failure): void {
    this.#open = undefined;
    this.#state = { kind: 'failed', failure };
  }
}
