/**
 * The peer of EAP (RFC 3748): the side that answers. Without a timer: the authenticator repeats (section 4.3), and
 * whoever carries EAP decides how long the whole may take.
 */
import type { Failure, RandomSource } from '../machine.ts';
import { printable } from '../printable.ts';
import { Md5Peer } from './md5-method.ts';
import type { PeerMethod } from './methods.ts';
import { type EapCredentials, type EapMethodName, eapMethodTitle, eapMethodType, findEapMethod } from './methods.ts';
import { MsChapV2Peer } from './mschapv2-method.ts';
import {
  decodeTyped,
  EAP_EXPANDED,
  EAP_FAILURE,
  EAP_IDENTITY,
  EAP_NAK,
  EAP_NOTIFICATION,
  EAP_REQUEST,
  EAP_RESPONSE,
  EAP_SUCCESS,
  type EapPacket,
  eapTypeName,
  typed,
} from './packet.ts';

export interface EapPeerOptions extends EapCredentials {
  /** What we are willing to prove ourselves by, the best first; never empty. */
  readonly methods: readonly EapMethodName[];
  /** Whether a challenge is one that this side sent itself. */
  readonly isReflected: (challenge: Uint8Array) => boolean;
}

/** What the peer of EAP wants done after a packet. */
export type EapPeerStep =
  /** @param repeated an answer that was given before. */
  | { readonly kind: 'send'; readonly packet: EapPacket; readonly repeated: boolean }
  /** Text for the user (section 5.2), printable. */
  | { readonly kind: 'notification'; readonly text: string; readonly packet: EapPacket }
  | { readonly kind: 'success' }
  | { readonly kind: 'failure'; readonly failure: Failure }
  | { readonly kind: 'none' };

const NOTHING: EapPeerStep = { kind: 'none' };

export class EapPeer {
  readonly #options: EapPeerOptions;
  readonly #random: RandomSource;
  #last: { readonly request: EapPacket; readonly response: EapPacket } | undefined;
  #method: { readonly name: EapMethodName; readonly type: number; readonly machine: PeerMethod } | undefined;
  /** What the authenticator wanted and was told that we do not do. */
  #refused: string | undefined;
  #done = false;

  constructor(options: EapPeerOptions, random: RandomSource) {
    this.#options = options;
    this.#random = random;
  }

  /** The method that was agreed on. */
  get method(): EapMethodName | undefined {
    return this.#method?.name;
  }

  /** The method is content, and only EAP's Success is missing: something above that works says the same (section 4.2). */
  get content(): boolean {
    return this.#method?.machine.content === true && this.#method.machine.failure === undefined;
  }

  /** Of the method, once it is content. */
  get masterSessionKey(): Uint8Array | undefined {
    return this.#method?.machine.masterSessionKey;
  }

  /** What is being waited for. */
  get asked(): boolean {
    return this.#last !== undefined;
  }

  /** Takes a Request, Success or Failure. @throws DecodeError when it cannot be read; nothing has changed then. */
  receive(packet: EapPacket): EapPeerStep {
    switch (packet.code) {
      case EAP_REQUEST:
        return this.#requested(packet);
      case EAP_SUCCESS:
        return this.#success(packet);
      case EAP_FAILURE:
        return this.#failed(packet);
      default:
        return NOTHING;
    }
  }

  #requested(packet: EapPacket): EapPeerStep {
    const last = this.#last;
    if (last !== undefined && last.request.identifier === packet.identifier && same(last.request.data, packet.data)) {
      return { kind: 'send', packet: last.response, repeated: true };
    }
    // Once it is over, a new conversation is a new authentication, which is for the carrier to begin.
    const { type, typeData } = decodeTyped(packet.data);
    if (type === EAP_IDENTITY) return this.#answer(packet, EAP_IDENTITY, Buffer.from(this.#options.user, 'utf8'));
    if (type === EAP_NOTIFICATION) {
      const step = this.#answer(packet, EAP_NOTIFICATION, new Uint8Array(0));
      return { kind: 'notification', text: printable(typeData), packet: step.packet };
    }
    const method = this.#method;
    if (method === undefined) {
      const name = findEapMethod(type, this.#options.methods);
      if (name === undefined) return this.#nak(packet, type);
      const machine = this.#newMethod(name);
      const response = machine.request(packet.identifier, typeData);
      if (response === undefined) return NOTHING;
      this.#method = { name, type, machine };
      return this.#answer(packet, type, response);
    }
    // One method in a conversation (section 2.1), and no Nak once it was taken up (section 5.3.1).
    if (method.type !== type) return NOTHING;
    const response = method.machine.request(packet.identifier, typeData);
    return response === undefined ? NOTHING : this.#answer(packet, type, response);
  }

  /** Legacy Nak, also to an Expanded Type, as all our methods have old numbers (section 5.3.1). */
  #nak(packet: EapPacket, type: number): EapPeerStep {
    this.#refused = type === EAP_EXPANDED ? 'a method of a vendor' : eapTypeName(type);
    return this.#answer(packet, EAP_NAK, Uint8Array.from(this.#options.methods, eapMethodType));
  }

  #answer(request: EapPacket, type: number, typeData: Uint8Array): Extract<EapPeerStep, { kind: 'send' }> {
    const response = { code: EAP_RESPONSE, identifier: request.identifier, data: typed(type, typeData) };
    this.#last = { request: { ...request, data: request.data.slice() }, response };
    return { kind: 'send', packet: response, repeated: false };
  }

  /** A Success before the method is content is somebody else's, or a trick (section 4.2): discarded. */
  #success(packet: EapPacket): EapPeerStep {
    if (this.#done || !this.#answersUs(packet)) return NOTHING;
    const failure = this.#method?.machine.failure;
    if (failure !== undefined) {
      this.#done = true;
      return { kind: 'failure', failure };
    }
    if (!this.content) return NOTHING;
    this.#done = true;
    return { kind: 'success' };
  }

  #failed(packet: EapPacket): EapPeerStep {
    if (this.#done || !this.#answersUs(packet)) return NOTHING;
    this.#done = true;
    return { kind: 'failure', failure: this.#method?.machine.failure ?? this.#refusal() };
  }

  /** It bears the identifier of the Response that it answers (section 4.2); some authenticators count on by one. */
  #answersUs({ identifier }: EapPacket): boolean {
    const last = this.#last?.response.identifier;
    return last !== undefined && (identifier === last || identifier === ((last + 1) & 0xff));
  }

  #refusal(): Failure {
    const user = printable(this.#options.user);
    if (this.#method === undefined && this.#refused !== undefined) {
      const ours = this.#options.methods.map(eapMethodTitle).join(' or ');
      return {
        step: 'authentication',
        reason: `the server wants ${this.#refused} of user ${user} within EAP, and this side does ${ours}`,
        remedy: `allow ${ours} at the server, or another authentication than EAP`,
      };
    }
    const title = this.#method === undefined ? 'EAP' : eapMethodTitle(this.#method.name);
    return {
      step: 'authentication',
      reason: `the server refused user ${user} (${title})`,
      remedy: 'check the user name and password',
    };
  }

  #newMethod(name: EapMethodName): PeerMethod {
    const { isReflected } = this.#options;
    return name === 'md5'
      ? new Md5Peer(this.#options, isReflected)
      : new MsChapV2Peer(this.#options, this.#random, isReflected);
  }
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
