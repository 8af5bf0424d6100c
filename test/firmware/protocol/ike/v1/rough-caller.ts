/** A caller that does phase 1 as it should, and then says whatever the test wants it to. */
import { utf8Bytes } from '../../../../../firmware/protocol/bytes.ts';
import { hash1 } from '../../../../../firmware/protocol/ike/crypto/keys-v1.ts';
import type { IkeConnection } from '../../../../../firmware/protocol/ike/ike-types.ts';
import type { ConfigAttribute } from '../../../../../firmware/protocol/ike/v1/attribute-payload.ts';
import { IkeV1Endpoint } from '../../../../../firmware/protocol/ike/v1/endpoint.ts';
import { decodeMessage, type ReceivedMessage } from '../../../../../firmware/protocol/ike/v1/header.ts';
import { sealInformational } from '../../../../../firmware/protocol/ike/v1/informational.ts';
import { MainModeInitiator } from '../../../../../firmware/protocol/ike/v1/main-mode-initiator.ts';
import {
  ConfigType,
  ExchangeType,
  PayloadType,
  XauthAttribute as Xauth,
} from '../../../../../firmware/protocol/ike/v1/numbers.ts';
import type { Payload } from '../../../../../firmware/protocol/ike/v1/payload.ts';
import type { Phase1Outcome } from '../../../../../firmware/protocol/ike/v1/phase1.ts';
import { orNothing } from '../../../../../firmware/protocol/ike/v1/phase1-authentication.ts';
import { MessageIds, openFirst, Phase2Messages } from '../../../../../firmware/protocol/ike/v1/phase2-message.ts';
import { QuickModeInitiator } from '../../../../../firmware/protocol/ike/v1/quick-mode-initiator.ts';
import { wantedIds } from '../../../../../firmware/protocol/ike/v1/quick-mode-selectors.ts';
import { type Transaction, Transactions } from '../../../../../firmware/protocol/ike/v1/transactions.ts';
import type { Instant, RandomSource } from '../../../../../firmware/protocol/machine.ts';
import type { UdpPath } from '../../../../../firmware/protocol/udp-path.ts';

export class RoughCaller extends IkeV1Endpoint {
  readonly #phase1: MainModeInitiator;
  readonly #ids: MessageIds;
  readonly #transactionsHost = this.#host();
  #transactions: Transactions | undefined;
  #quickMode: QuickModeInitiator | undefined;
  /** What came in Transaction Exchanges; what came again is not counted. */
  readonly heard: Transaction[] = [];
  /** Payload types of each Informational. */
  readonly informed: number[][] = [];
  /** Datagrams that came after phase 1. */
  datagrams = 0;

  /** @param forgotten says that it remembers no other SA. */
  constructor(now: Instant, connection: IkeConnection, path: UdpPath, random: RandomSource, forgotten = false) {
    super({ connections: [], encapsulateAmongOurselves: false }, random);
    this.#ids = new MessageIds(random);
    this.#phase1 = new MainModeInitiator(now, this, {
      ikeId: this.freshIkeId(),
      connection,
      path,
      initialContact: () => forgotten,
    });
  }

  get sa(): Phase1Outcome {
    const { outcome } = this.#phase1;
    if (outcome === undefined) throw new Error('phase 1 is not through');
    return outcome;
  }

  get connected(): boolean {
    return this.#quickMode?.agreed !== undefined;
  }

  override receive(now: Instant, datagram: Uint8Array, path: UdpPath): void {
    const message = decodeMessage(datagram);
    if (this.#phase1.outcome === undefined) this.#phase1.receive(now, message, path);
    // After what was no good answer the IVs run apart.
    else orNothing(() => this.#hear(now, message));
  }

  override tick(): void {}

  override nextDeadline(): undefined {
    return undefined;
  }

  #hear(now: Instant, message: ReceivedMessage): void {
    const { exchangeType, messageId } = message.header;
    if (messageId === 0) return;
    this.datagrams += 1;
    if (this.sa.replay.recognize(messageId, message.octets).kind === 'repeated') return;
    this.#transactions ??= new Transactions(this.#transactionsHost);
    if (exchangeType === ExchangeType.transaction) {
      const opened = this.#transactions.open(message);
      if (opened !== undefined) this.heard.push(opened);
    } else if (exchangeType === ExchangeType.quickMode) this.#quickMode?.receive(now, message);
    else this.informed.push((openFirst(this.sa, message)?.payloads ?? []).map(({ type }) => type));
  }

  /** Answers the last thing that it was asked or told. */
  answer(kind: number, attributes: readonly ConfigAttribute[]): void {
    const last = this.heard.at(-1);
    if (last === undefined) throw new Error('nothing was asked');
    this.#transactions?.reply('Rough', last, kind, attributes);
  }

  /** Gives a name and a password. */
  logIn(user: string, password: string): void {
    this.answer(ConfigType.reply, [
      { type: Xauth.userName, value: utf8Bytes(user) },
      { type: Xauth.userPassword, value: utf8Bytes(password) },
    ]);
  }

  /** Answers with octets of its own choice as the Attribute payload, under a good HASH. */
  answerRaw(body: Uint8Array): void {
    const last = this.heard.at(-1);
    if (last === undefined) throw new Error('nothing was asked');
    const { messages } = last;
    this.#send(messages.seal([{ type: PayloadType.attributes, body }], this.#hash(messages.messageId)));
  }

  /** Begins a Transaction Exchange. @returns its message. */
  say(kind: number, attributes: readonly ConfigAttribute[]): Uint8Array {
    this.#transactions ??= new Transactions(this.#transactionsHost);
    return this.#transactions.begin('Rough', kind, attributes).message;
  }

  /** An Informational. */
  inform(payloads: readonly Payload[]): void {
    this.#send(sealInformational(this.sa, this.#ids.fresh(), payloads));
  }

  /** Sends Quick Mode 1. @returns the message, to be sent again. */
  startQuickMode(now: Instant, connection: IkeConnection): Uint8Array {
    const [ids] = wantedIds(connection, this.sa.path);
    let first = new Uint8Array(0);
    const context = {
      ...this.#transactionsHost,
      sa: this.sa,
      path: this.sa.path,
      random: this.random,
      counters: this.counters,
      freshSpi: () => this.children.freshSpi(),
      send: (_name: string, octets: Uint8Array) => {
        if (first.length === 0) first = octets.slice();
        this.#send(octets);
      },
      deleteChildren: () => undefined,
    };
    const request = { proposals: connection.espProposals, ...(ids === undefined ? {} : { ids }) };
    this.#quickMode = new QuickModeInitiator(now, context, this.#ids.fresh(), request);
    return first;
  }

  /** A message once more, as it was. */
  repeat(message: Uint8Array): void {
    this.#send(message);
  }

  #host() {
    const caller = this;
    return {
      get sa() {
        return caller.sa;
      },
      get path() {
        return caller.sa.path;
      },
      freshMessageId: () => this.#ids.fresh(),
      isUsed: () => false,
      send: (_name: string, message: Uint8Array) => this.#send(message),
      received: () => undefined,
      remember: (id: number, request: Uint8Array, reply?: Uint8Array) => this.sa.replay.remember(id, request, reply),
    };
  }

  #hash(messageId: number) {
    const { proposal, keys } = this.sa;
    return (covered: Uint8Array) => hash1(proposal.prf, keys.skeyidA, messageId, covered);
  }

  /** Sealed under a message id that nobody has used. */
  sealRaw(body: Uint8Array): void {
    const messageId = this.#ids.fresh();
    const messages = new Phase2Messages(this.sa, ExchangeType.transaction, messageId);
    this.#send(messages.seal([{ type: PayloadType.attributes, body }], this.#hash(messageId)));
  }

  #send(message: Uint8Array): void {
    this.outbox.send(this.#phase1.ikeId, 'Rough', message, this.sa.path, false);
  }
}
