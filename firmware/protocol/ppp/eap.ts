/** EAP as PPP carries it (RFC 3748 section 3.1): its packets are those of PPP's control protocols. */

import { DecodeError } from '../bytes.ts';
import { EapAuthenticator } from '../eap/authenticator.ts';
import { ALL_EAP_METHODS } from '../eap/methods.ts';
import {
  decodeEap,
  decodeTyped,
  EAP_FAILURE,
  EAP_IDENTITY,
  EAP_REQUEST,
  EAP_SUCCESS,
  encodeEap,
  typed,
} from '../eap/packet.ts';
import { EapPeer } from '../eap/peer.ts';
import type { Failure, Instant, RandomSource } from '../machine.ts';
import { printable } from '../printable.ts';
import {
  type Exchange,
  type ExchangeHost,
  findUser,
  type Judge,
  type UserDirectory,
  unprovedFailure,
} from './authentication.ts';
import type { Authenticatee, Authenticator, Verdict } from './link-types.ts';
import type { ControlPacket } from './packet.ts';

const NO_DATA = new Uint8Array(0);

/** We prove ourselves. */
export class EapAuthenticateeExchange implements Exchange {
  readonly method = 'eap';
  readonly #user: string;
  readonly #peer: EapPeer;
  readonly #host: ExchangeHost;
  #proved = false;

  constructor(
    credentials: Authenticatee,
    host: ExchangeHost,
    random: RandomSource,
    isReflected: (challenge: Uint8Array) => boolean,
  ) {
    const { user, password, eapMethods: methods = ALL_EAP_METHODS } = credentials;
    this.#user = user;
    this.#host = host;
    this.#peer = new EapPeer({ user, password, methods, isReflected }, random);
  }

  start(): void {
    // The peer begins.
  }

  receive(now: Instant, packet: ControlPacket): void {
    const step = this.#peer.receive(packet);
    switch (step.kind) {
      case 'send':
        this.#host.send(step.packet, step.repeated);
        break;
      case 'notification':
        this.#host.notice(step.text);
        this.#host.send(step.packet, false);
        break;
      case 'success':
        this.#succeeded(now);
        break;
      case 'failure':
        this.#host.failed(now, step.failure);
        break;
      case 'none':
        break;
    }
  }

  /** What works above EAP says as much as a Success that was lost (section 4.2). */
  nudge(now: Instant): void {
    if (this.#peer.content) this.#succeeded(now);
  }

  tick(): void {
    // The authenticator repeats.
  }

  nextDeadline(): undefined {
    return undefined;
  }

  waitingFor(): string {
    return this.#peer.asked
      ? `the server did not come to an end with EAP of user ${printable(this.#user)}`
      : 'the server asked for EAP but sent no usable Request';
  }

  #succeeded(now: Instant): void {
    if (this.#proved) return;
    this.#proved = true;
    this.#host.succeeded(now, this.#user);
  }
}

/** The peer proves itself to passwords that are known here. */
export class EapAuthenticatorExchange implements Exchange {
  readonly method = 'eap';
  readonly #eap: EapAuthenticator;

  constructor(
    authenticator: Extract<Authenticator, UserDirectory>,
    host: ExchangeHost,
    random: RandomSource,
    retryMs: number,
    identifier: number,
  ) {
    const { name, eapMethods: methods = ALL_EAP_METHODS } = authenticator;
    const find = (user: Uint8Array) => findUser(authenticator, user, random);
    this.#eap = new EapAuthenticator(
      { name, methods, find, random, retryMs, identifier },
      {
        send: (packet, repeated) => host.send(packet, repeated),
        succeeded: (now, user) => host.succeeded(now, user),
        failed: (now, user, why) =>
          host.failed(now, why === 'no-method' ? noMethodFailure(user) : unprovedFailure('eap', user)),
      },
    );
  }

  get challenge(): Uint8Array | undefined {
    return this.#eap.challenge;
  }

  start(now: Instant): void {
    this.#eap.start(now);
  }

  receive(now: Instant, packet: ControlPacket): void {
    this.#eap.receive(now, packet);
  }

  nudge(): void {
    // Our Requests are repeated by the timer.
  }

  tick(now: Instant): void {
    this.#eap.tick(now);
  }

  nextDeadline(): Instant | undefined {
    return this.#eap.nextDeadline();
  }

  waitingFor(): string {
    return waitingForPeer(this.#eap.heard);
  }
}

/** The peer proves itself to somebody else: its packets go there, and the answers come back (RFC 3579 section 2). */
export class EapPassThrough implements Exchange {
  readonly method = 'eap';
  readonly #judge: Judge;
  readonly #host: ExchangeHost;
  readonly #retryMs: number;
  #last: ControlPacket;
  #identity = NO_DATA;
  /** Identifier of the last Response that was passed on. */
  #passed: number | undefined;
  #retryAt: Instant | undefined;
  #over = false;

  constructor(judge: Judge, host: ExchangeHost, retryMs: number, identifier: number) {
    this.#judge = judge;
    this.#host = host;
    this.#retryMs = retryMs;
    this.#last = { code: EAP_REQUEST, identifier, data: typed(EAP_IDENTITY, NO_DATA) };
  }

  start(now: Instant): void {
    this.#request(now, this.#last);
  }

  receive(now: Instant, packet: ControlPacket): void {
    if (packet.identifier === this.#passed) {
      // The answer was lost; or it is still being looked for, and what was sent last is this Response's own Request.
      if (this.#over || this.#last.identifier !== packet.identifier) this.#host.send(this.#last, true);
      return;
    }
    if (this.#over || packet.identifier !== this.#last.identifier) return;
    const { type, typeData } = decodeTyped(packet.data);
    if (this.#passed === undefined && type !== EAP_IDENTITY) return;
    if (type === EAP_IDENTITY) this.#identity = typeData.slice();
    this.#passed = packet.identifier;
    this.#retryAt = undefined;
    const proof = { method: 'eap', name: this.#identity, packet: encodeEap(packet) } as const;
    this.#judge(now, proof, (at, verdict) => this.#judged(at, verdict));
  }

  nudge(): void {
    // Our Requests are repeated by the timer.
  }

  tick(now: Instant): void {
    if (this.#retryAt === undefined || now < this.#retryAt) return;
    this.#retryAt = now + this.#retryMs;
    this.#host.send(this.#last, true);
  }

  nextDeadline(): Instant | undefined {
    return this.#retryAt;
  }

  waitingFor(): string {
    return waitingForPeer(this.#passed !== undefined);
  }

  #judged(now: Instant, verdict: Verdict): void {
    if (verdict.kind === 'continue') {
      const packet = readPacket(verdict.packet);
      if (packet?.code === EAP_REQUEST) this.#request(now, packet);
      else this.#conclude(now, EAP_FAILURE, undefined, badAnswer());
      return;
    }
    const given = 'packet' in verdict && verdict.packet !== undefined ? readPacket(verdict.packet) : undefined;
    if (verdict.kind === 'accept') {
      this.#conclude(now, EAP_SUCCESS, given);
      this.#host.succeeded(now, verdict.user);
    } else {
      const failure = verdict.kind === 'unavailable' ? verdict.failure : unprovedFailure('eap', this.#identity);
      this.#conclude(now, EAP_FAILURE, given, failure);
    }
  }

  #request(now: Instant, packet: ControlPacket): void {
    this.#last = packet;
    this.#retryAt = now + this.#retryMs;
    this.#host.send(packet, false);
  }

  /** @param given the judge's own last word, if it is what the verdict says. */
  #conclude(now: Instant, code: number, given: ControlPacket | undefined, failure?: Failure): void {
    this.#over = true;
    const own = { code, identifier: this.#passed ?? this.#last.identifier, data: NO_DATA };
    this.#last = given?.code === code ? given : own;
    this.#host.send(this.#last, false);
    if (failure !== undefined) this.#host.failed(now, failure);
  }
}

function readPacket(octets: Uint8Array): ControlPacket | undefined {
  try {
    const { code, identifier, data } = decodeEap(octets);
    return { code, identifier, data: data.slice() };
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return undefined;
  }
}

function waitingForPeer(heard: boolean): string {
  return heard
    ? 'the peer did not come to an end with EAP'
    : 'the peer did not answer our EAP Request for its identity';
}

function noMethodFailure(user: Uint8Array): Failure {
  return {
    step: 'authentication',
    reason: `the peer ${printable(user)} speaks none of the methods of EAP that this side offers`,
    remedy: 'allow EAP-MSCHAPv2 or EAP-MD5 at the peer, or another authentication than EAP on this side',
  };
}

function badAnswer(): Failure {
  return {
    step: 'authentication',
    reason: 'the authentication server answered with something that is no EAP Request',
    remedy: "look into the authentication server's log",
  };
}
