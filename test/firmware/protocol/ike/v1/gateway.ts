/** A gateway for users on the road, as others build them: Main or Aggressive Mode, then XAUTH, then Mode-Config, then Quick Mode. */
import { concatBytes, hex, utf8Bytes } from '../../../../../firmware/protocol/bytes.ts';
import { addressOctets } from '../../../../../firmware/protocol/ike/address-octets.ts';
import { hash1 } from '../../../../../firmware/protocol/ike/crypto/keys-v1.ts';
import type { IkeConnection } from '../../../../../firmware/protocol/ike/ike-types.ts';
import { isZeroSpi } from '../../../../../firmware/protocol/ike/message-header.ts';
import { chooseIkeProposal } from '../../../../../firmware/protocol/ike/proposals.ts';
import { AggressiveModeResponder } from '../../../../../firmware/protocol/ike/v1/aggressive-mode-responder.ts';
import {
  type AttributePayload,
  type ConfigAttribute,
  decodeAttributePayload,
  encodeAttributePayload,
  shortAttribute,
} from '../../../../../firmware/protocol/ike/v1/attribute-payload.ts';
import { IkeV1Endpoint } from '../../../../../firmware/protocol/ike/v1/endpoint.ts';
import { Reassembly } from '../../../../../firmware/protocol/ike/v1/fragmentation.ts';
import { decodeMessage, type ReceivedMessage } from '../../../../../firmware/protocol/ike/v1/header.ts';
import { MainModeResponder } from '../../../../../firmware/protocol/ike/v1/main-mode-responder.ts';
import {
  ConfigAttributeType,
  ConfigType,
  ExchangeType,
  PayloadType,
  XauthAttribute as Xauth,
} from '../../../../../firmware/protocol/ike/v1/numbers.ts';
import { onlyBody } from '../../../../../firmware/protocol/ike/v1/payload.ts';
import { type Phase1Outcome, plainPayloads } from '../../../../../firmware/protocol/ike/v1/phase1.ts';
import { claimOf } from '../../../../../firmware/protocol/ike/v1/phase1-authentication.ts';
import { phase1Offers } from '../../../../../firmware/protocol/ike/v1/phase1-transforms.ts';
import { MessageIds, openFirst, Phase2Messages } from '../../../../../firmware/protocol/ike/v1/phase2-message.ts';
import type { AgreedChild } from '../../../../../firmware/protocol/ike/v1/quick-mode.ts';
import { answerQuickMode, QuickModeResponder } from '../../../../../firmware/protocol/ike/v1/quick-mode-responder.ts';
import { recognizeVendor } from '../../../../../firmware/protocol/ike/v1/vendor-ids.ts';
import type { Instant, RandomSource } from '../../../../../firmware/protocol/machine.ts';
import type { UdpPath } from '../../../../../firmware/protocol/udp-path.ts';

export interface GatewayOptions {
  readonly users?: Readonly<Record<string, string>>;
  /** What it asks for, one request after the other. Default: name and password at once. */
  readonly questions?: readonly (readonly ConfigAttribute[])[];
  /** Said with the verdict. */
  readonly message?: string;
  /** Does not ask who it is. */
  readonly withoutLogin?: boolean;
  /** What it assigns; absent: nothing. The first one first, then the second one ... */
  readonly addresses?: readonly string[];
  /** Zeros behind the attributes of what it assigns, within the payload, as libreswan has them. Default: 0. */
  readonly padding?: number;
  /** Assigns before it is asked. */
  readonly push?: boolean;
  /** Says nothing any more once it comes to this. */
  readonly silentAt?: 'question' | 'verdict' | 'address';
}

const NOTHING = new Uint8Array(0);
export const asking = (...types: readonly number[]): ConfigAttribute[] =>
  types.map((type) => ({ type, value: NOTHING }));

/** A peer as the gateway knows it. */
interface Peer {
  readonly phase1: MainModeResponder | AggressiveModeResponder;
  readonly ids: MessageIds;
  readonly exchanges: Map<number, Phase2Messages>;
  readonly quickModes: Map<number, QuickModeResponder>;
  questions: (readonly ConfigAttribute[])[];
  user: string;
  password: string;
  /** What waits for an answer. */
  open: { readonly messageId: number; readonly message: Uint8Array; at: Instant } | undefined;
}

export class Gateway extends IkeV1Endpoint {
  readonly #connection: IkeConnection;
  readonly #options: GatewayOptions;
  readonly #peers = new Map<string, Peer>();
  readonly #reassembly = new Reassembly();
  #addresses: readonly string[];
  /** All that was said to it in Transaction Exchanges. */
  readonly said: AttributePayload[] = [];
  readonly agreed: AgreedChild[] = [];
  readonly wished: string[] = [];

  constructor(connection: IkeConnection, options: GatewayOptions, random: RandomSource) {
    super({ connections: [], encapsulateAmongOurselves: false }, random);
    this.#connection = connection;
    this.#options = options;
    this.#addresses = options.addresses ?? [];
  }

  override receive(now: Instant, datagram: Uint8Array, path: UdpPath): void {
    const whole = this.#whole(now, datagram);
    if (whole === undefined) return;
    const message = decodeMessage(whole);
    const key = hex(message.header.cookieI);
    const peer = this.#peers.get(key);
    if (peer === undefined) {
      if (isZeroSpi(message.header.cookieR)) this.#peers.set(key, this.#begin(now, message, path));
    } else if (peer.phase1.outcome === undefined) {
      peer.phase1.receive(now, message, path);
      if (peer.phase1.outcome !== undefined) this.#ask(now, peer);
    } else if (message.header.exchangeType === ExchangeType.transaction) this.#hear(now, peer, message);
    else if (message.header.exchangeType === ExchangeType.quickMode) this.#quickMode(now, peer, message);
    else if (message.header.messageId === 0) this.#again(peer, 0, message);
  }

  #whole(now: Instant, datagram: Uint8Array): Uint8Array | undefined {
    const { header, body } = decodeMessage(datagram);
    return header.nextPayload === PayloadType.fragment ? this.#reassembly.add(now, body) : datagram;
  }

  override tick(now: Instant): void {
    for (const peer of this.#peers.values()) {
      if (peer.open === undefined || now < peer.open.at + 1000) continue;
      peer.open.at = now;
      this.#send(peer, peer.open.message);
    }
  }

  override nextDeadline(): Instant | undefined {
    const open = [...this.#peers.values()].flatMap((peer) => (peer.open === undefined ? [] : [peer.open.at + 1000]));
    return open.length === 0 ? undefined : Math.min(...open);
  }

  /** Asks the latest caller something, or tells him. */
  say(now: Instant, kind: number, attributes: readonly ConfigAttribute[]): void {
    const peer = [...this.#peers.values()].at(-1);
    if (peer !== undefined) this.#say(now, peer, kind, attributes);
  }

  #begin(now: Instant, message: ReceivedMessage, path: UdpPath): Peer {
    const payloads = plainPayloads(message);
    const saBody = onlyBody(payloads, PayloadType.sa, 'SA').slice();
    const offers = phase1Offers(saBody);
    const choice = chooseIkeProposal(
      offers.map(({ offer }) => offer),
      this.#connection.ikeProposals,
      { version: 1 },
    );
    const offer = offers[choice?.index ?? 0];
    if (choice === undefined || offer === undefined) throw new Error('nothing in common');
    const vendor = recognizeVendor(this.self, payloads, 'caller');
    const candidates = [this.#connection] as const;
    const { proposal } = choice;
    const options = { ikeId: this.freshIkeId(), message, saBody, offer, proposal, vendor, candidates, path };
    const aggressive = message.header.exchangeType === ExchangeType.aggressive;
    return {
      phase1: aggressive
        ? new AggressiveModeResponder(now, this, { ...options, payloads, claim: claimOf(payloads) })
        : new MainModeResponder(now, this, options),
      ids: new MessageIds(this.random),
      exchanges: new Map(),
      quickModes: new Map(),
      questions: [...(this.#options.questions ?? [asking(Xauth.type, Xauth.userName, Xauth.userPassword)])],
      user: '',
      password: '',
      open: undefined,
    };
  }

  #ask(now: Instant, peer: Peer): void {
    const [question] = peer.questions;
    const { withoutLogin, silentAt } = this.#options;
    if (withoutLogin === true || question === undefined || silentAt === 'question') return;
    peer.questions = peer.questions.slice(1);
    this.#say(now, peer, ConfigType.request, question);
  }

  #hear(now: Instant, peer: Peer, message: ReceivedMessage): void {
    const { messageId } = message.header;
    if (this.#again(peer, messageId, message)) return;
    const sa = outcomeOf(peer);
    const messages = peer.exchanges.get(messageId) ?? new Phase2Messages(sa, ExchangeType.transaction, messageId);
    const payloads = messages.open(message, this.#hash(sa, messageId));
    if (payloads === undefined) throw new Error('HASH');
    sa.replay.remember(messageId, message.octets);
    const payload = decodeAttributePayload(onlyBody(payloads, PayloadType.attributes, 'Attributes'));
    this.said.push(payload);
    if (peer.open?.messageId === messageId) peer.open = undefined;
    if (payload.kind === ConfigType.request) this.#assign(peer, messages, message, payload);
    else if (payload.kind === ConfigType.reply) this.#judge(now, peer, payload);
  }

  #judge(now: Instant, peer: Peer, { attributes }: AttributePayload): void {
    for (const { type, value } of attributes) {
      const text = Buffer.from(value).toString();
      if (type === Xauth.userName) peer.user = text;
      if (type === Xauth.userPassword || type === Xauth.passcode) peer.password = text;
    }
    if (this.#options.silentAt === 'verdict') return;
    if (peer.questions.length > 0) this.#ask(now, peer);
    else {
      const { users = {}, message, push } = this.#options;
      const right = users[peer.user] === peer.password;
      const words = message === undefined ? [] : [{ type: Xauth.message, value: utf8Bytes(message) }];
      if (right && push === true) this.#say(now, peer, ConfigType.set, this.#lease());
      this.#say(now, peer, ConfigType.set, [shortAttribute(Xauth.status, right ? 1 : 0), ...words]);
    }
  }

  #assign(peer: Peer, messages: Phase2Messages, request: ReceivedMessage, payload: AttributePayload): void {
    const wished = payload.attributes.find(({ type }) => type === ConfigAttributeType.internalIp4Address)?.value;
    this.wished.push((wished ?? NOTHING).join('.'));
    if (this.#options.silentAt === 'address') return;
    const sa = outcomeOf(peer);
    const attributes = encodeAttributePayload({ ...payload, kind: ConfigType.reply, attributes: this.#lease() });
    const body = concatBytes(attributes, new Uint8Array(this.#options.padding ?? 0));
    const reply = messages.seal([{ type: PayloadType.attributes, body }], this.#hash(sa, messages.messageId));
    sa.replay.remember(messages.messageId, request.octets, reply);
    this.#send(peer, reply);
  }

  #lease(): ConfigAttribute[] {
    const [address, ...more] = this.#addresses;
    if (more.length > 0) this.#addresses = more;
    const named = (type: number, text: string): ConfigAttribute => ({ type, value: addressOctets(text) });
    if (address === undefined) return [];
    return [
      named(ConfigAttributeType.internalIp4Address, address),
      named(ConfigAttributeType.internalIp4Netmask, '255.255.255.255'),
      named(ConfigAttributeType.internalIp4Dns, '10.2.0.53'),
    ];
  }

  #say(now: Instant, peer: Peer, kind: number, attributes: readonly ConfigAttribute[]): void {
    const sa = outcomeOf(peer);
    const messageId = peer.ids.fresh();
    const messages = new Phase2Messages(sa, ExchangeType.transaction, messageId);
    peer.exchanges.set(messageId, messages);
    const body = encodeAttributePayload({ kind, identifier: 7, attributes });
    const message = messages.seal([{ type: PayloadType.attributes, body }], this.#hash(sa, messageId));
    peer.open = { messageId, message, at: now };
    this.#send(peer, message);
  }

  #quickMode(now: Instant, peer: Peer, message: ReceivedMessage): void {
    const { messageId } = message.header;
    if (this.#again(peer, messageId, message)) return;
    const known = peer.quickModes.get(messageId);
    const sa = outcomeOf(peer);
    if (known !== undefined) {
      known.receive(now, message);
      if (known.agreed !== undefined) this.agreed.push(known.agreed);
      return;
    }
    const opened = openFirst(sa, message);
    if (opened === undefined) throw new Error('HASH');
    const context = {
      sa,
      path: sa.path,
      random: this.random,
      counters: this.counters,
      freshSpi: () => this.children.freshSpi(),
      send: (_name: string, octets: Uint8Array) => this.#send(peer, octets),
      received: () => undefined,
      deleteChildren: () => undefined,
      remember: (id: number, request: Uint8Array, reply?: Uint8Array) => sa.replay.remember(id, request, reply),
    };
    const answer = answerQuickMode(now, context, opened.messages, message, opened.payloads);
    if (!(answer instanceof QuickModeResponder)) throw new Error(answer.failure.reason);
    peer.quickModes.set(messageId, answer);
    answer.answer();
  }

  /** Whether it was seen before; if so it is answered as it was then. */
  #again(peer: Peer, messageId: number, message: ReceivedMessage): boolean {
    const seen = outcomeOf(peer).replay.recognize(messageId, message.octets);
    if (seen.kind === 'repeated' && seen.reply !== undefined) this.#send(peer, seen.reply);
    return seen.kind === 'repeated';
  }

  #hash(sa: Phase1Outcome, messageId: number) {
    return (covered: Uint8Array) => hash1(sa.proposal.prf, sa.keys.skeyidA, messageId, covered);
  }

  #send(peer: Peer, message: Uint8Array): void {
    this.outbox.send(peer.phase1.ikeId, 'Gateway', message, outcomeOf(peer).path, false);
  }
}

function outcomeOf({ phase1 }: Peer): Phase1Outcome {
  if (phase1.outcome === undefined) throw new Error('too early');
  return phase1.outcome;
}
