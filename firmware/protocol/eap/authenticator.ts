/**
 * The authenticator of EAP (RFC 3748): asks who the peer is, then for a proof by the best method that both speak. It is
 * the one that repeats (section 4.3).
 */
import type { Instant } from '../machine.ts';
import { Md5Authenticator } from './md5-method.ts';
import {
  type AuthenticatorMethod,
  type AuthenticatorSettings,
  type EapMethodName,
  eapMethodType,
  findEapMethod,
} from './methods.ts';
import { MsChapV2Authenticator } from './mschapv2-method.ts';
import {
  decodeTyped,
  EAP_FAILURE,
  EAP_IDENTITY,
  EAP_NAK,
  EAP_NOTIFICATION,
  EAP_REQUEST,
  EAP_RESPONSE,
  EAP_SUCCESS,
  type EapPacket,
  typed,
} from './packet.ts';

/** RFC 3748 section 5.1: an identity longer than one that RFC 7542 allows is nobody's. Octets. */
const MAX_IDENTITY = 253;

export type EapAuthenticatorOptions = Pick<AuthenticatorSettings, 'name' | 'find' | 'random'> & {
  /** What we ask for, the best first; never empty. */
  readonly methods: readonly EapMethodName[];
  /** Between two Requests that nobody answers, ms. */
  readonly retryMs: number;
  /** Of the first Request, 0..255; another one than in the conversation before. */
  readonly identifier: number;
};

export interface EapAuthenticatorHost {
  /** @param repeated a packet that was sent before. */
  send(packet: EapPacket, repeated: boolean): void;
  /** @param method by which it was proved. */
  succeeded(now: Instant, user: string, method: EapMethodName): void;
  /** @param name that the peer gave, as it came. */
  failed(now: Instant, name: Uint8Array, why: EapRefusal): void;
}

/** `unproved`: the password is wrong, or there is no such user; `no-method`: the peer speaks none of ours. */
export type EapRefusal = 'unproved' | 'no-method';

type State =
  | { readonly kind: 'identity' }
  | { readonly kind: 'method'; readonly name: EapMethodName; readonly machine: AuthenticatorMethod; fresh: boolean }
  | { readonly kind: 'over' };

export class EapAuthenticator {
  readonly #options: EapAuthenticatorOptions;
  readonly #host: EapAuthenticatorHost;
  #state: State = { kind: 'identity' };
  #identity = new Uint8Array(0);
  /** Methods that the peer has said no to. */
  readonly #declined = new Set<EapMethodName>();
  #last: EapPacket;
  /** The last Response that was taken, and what became of it: it may come twice. */
  #answered: EapPacket | undefined;
  #retryAt: Instant | undefined;
  #masterSessionKey: Uint8Array | undefined;

  constructor(options: EapAuthenticatorOptions, host: EapAuthenticatorHost) {
    this.#options = options;
    this.#host = host;
    this.#last = { code: EAP_REQUEST, identifier: options.identifier, data: typed(EAP_IDENTITY, new Uint8Array(0)) };
  }

  /** Challenges of ours: whoever sends them back is not to be answered. */
  get challenge(): Uint8Array | undefined {
    return this.#state.kind === 'method' ? this.#state.machine.challenge : undefined;
  }

  /** Of the method, once the peer is proved. */
  get masterSessionKey(): Uint8Array | undefined {
    return this.#masterSessionKey;
  }

  /** A Response has come. */
  get heard(): boolean {
    return this.#answered !== undefined;
  }

  start(now: Instant): void {
    this.#retryAt = now + this.#options.retryMs;
    this.#host.send(this.#last, false);
  }

  /** Takes a Response. @throws DecodeError when it cannot be read; nothing has changed then. */
  receive(now: Instant, packet: EapPacket): void {
    if (packet.code !== EAP_RESPONSE) return;
    if (this.#answered?.identifier === packet.identifier) {
      // What followed it was lost, or is on its way: said again, whatever the Response says now.
      this.#host.send(this.#last, true);
      return;
    }
    if (packet.identifier !== this.#last.identifier || this.#state.kind === 'over') return;
    const { type, typeData } = decodeTyped(packet.data);
    // A Notification is answered at any time and means nothing (section 5.2).
    if (type === EAP_NOTIFICATION) return;
    const state = this.#state;
    if (state.kind === 'identity') {
      if (type !== EAP_IDENTITY) return;
      this.#take(packet);
      this.#identity = typeData.slice(0, MAX_IDENTITY);
      this.#begin(now, this.#options.methods[0]);
    } else if (type === EAP_NAK) {
      if (!state.fresh) return;
      this.#take(packet);
      this.#declined.add(state.name);
      const left = this.#options.methods.filter((name) => !this.#declined.has(name));
      this.#begin(
        now,
        [...typeData].map((wish) => findEapMethod(wish, left)).find((name) => name !== undefined),
      );
    } else if (type === eapMethodType(state.name)) {
      const step = state.machine.response(packet.identifier, typeData);
      if (step.kind === 'discard') return;
      this.#take(packet);
      state.fresh = false;
      if (step.kind === 'request') {
        this.#request(now, type, step.typeData);
        return;
      }
      this.#masterSessionKey = state.machine.masterSessionKey;
      this.#conclude(step.kind === 'success' ? EAP_SUCCESS : EAP_FAILURE);
      if (step.kind === 'success') this.#host.succeeded(now, step.user, state.name);
      else this.#host.failed(now, step.name, 'unproved');
    }
  }

  tick(now: Instant): void {
    if (this.#retryAt === undefined || now < this.#retryAt) return;
    this.#retryAt = now + this.#options.retryMs;
    this.#host.send(this.#last, true);
  }

  nextDeadline(): Instant | undefined {
    return this.#retryAt;
  }

  #begin(now: Instant, name: EapMethodName | undefined): void {
    if (name === undefined) {
      this.#conclude(EAP_FAILURE);
      this.#host.failed(now, this.#identity, 'no-method');
      return;
    }
    const settings = { ...this.#options, identity: this.#identity };
    const machine = name === 'md5' ? new Md5Authenticator(settings) : new MsChapV2Authenticator(settings);
    this.#state = { kind: 'method', name, machine, fresh: true };
    this.#request(now, eapMethodType(name), machine.begin(this.#nextIdentifier));
  }

  get #nextIdentifier(): number {
    return (this.#last.identifier + 1) & 0xff;
  }

  #request(now: Instant, type: number, typeData: Uint8Array): void {
    this.#last = { code: EAP_REQUEST, identifier: this.#nextIdentifier, data: typed(type, typeData) };
    this.#retryAt = now + this.#options.retryMs;
    this.#host.send(this.#last, false);
  }

  /** Success and Failure bear the identifier of the Response (section 4.2), and are not repeated by a timer. */
  #conclude(code: number): void {
    this.#state = { kind: 'over' };
    this.#retryAt = undefined;
    this.#last = { code, identifier: this.#last.identifier, data: new Uint8Array(0) };
    this.#host.send(this.#last, false);
  }

  #take(packet: EapPacket): void {
    this.#answered = { ...packet, data: packet.data.slice() };
  }
}
