/**
 * The Challenge Handshake Authentication Protocol (RFC 1994), both sides. What a response value is, and what the
 * message of a Success or Failure says, is the algorithm's business: MD5 or MS-CHAPv2.
 */
import { ByteReader, ByteWriter, utf8Bytes } from '../bytes.ts';
import type { Failure, Instant, RandomSource } from '../machine.ts';
import { printable } from '../printable.ts';
import { type Exchange, type ExchangeHost, type Judge, unprovedFailure } from './authentication.ts';
import { methodTitle } from './authentication-methods.ts';
import type { Authenticatee, ChapMethod, PeerProof, Verdict } from './link-types.ts';
import type { ControlPacket } from './packet.ts';

export const CHAP_CHALLENGE = 1;
export const CHAP_RESPONSE = 2;
export const CHAP_SUCCESS = 3;
export const CHAP_FAILURE = 4;

/** The data of a Challenge or Response (section 4.1). */
export interface ChapValue {
  /** 1..255 octets. */
  readonly value: Uint8Array;
  readonly name: Uint8Array;
}

/** @throws DecodeError when Value-Size leaves the packet. */
export function decodeChapValue(data: Uint8Array): ChapValue {
  const reader = new ByteReader(data);
  const value = reader.bytes(reader.u8('Value-Size'), 'Value');
  return { value, name: reader.rest() };
}

/** @throws EncodeError when the value is longer than 255 octets. */
export function encodeChapValue({ value, name }: ChapValue): Uint8Array {
  return new ByteWriter().u8(value.length).bytes(value).bytes(name).finish();
}

/** What a response is computed from. */
export interface ChapInput {
  readonly identifier: number;
  readonly challenge: Uint8Array;
  /** The Name field of the Response. */
  readonly name: Uint8Array;
  readonly password: string;
}

/** One algorithm of the Authentication-Protocol option. */
export interface ChapAlgorithm {
  readonly method: ChapMethod;
  /** The only length that a Challenge may have, octets; `undefined`: any. */
  readonly challengeLength: number | undefined;
  /** The authenticatee's part. */
  respond(input: ChapInput, random: RandomSource): ChapProof;
  /** The authenticator's part, for any octets that claim to be a response. */
  verify(input: ChapInput, response: Uint8Array): ChapVerdict;
  /** The message of our Failure packet. */
  failureMessage(random: RandomSource): string;
  /** Turns the message of the peer's Failure packet into words. */
  explain(user: string, message: Uint8Array): Failure;
}

export interface ChapProof {
  readonly value: Uint8Array;
  /** Checks the message of the Success packet. @returns a failure when the server has not proved itself as it must. */
  confirm(message: Uint8Array): Failure | undefined;
}

export interface ChapVerdict {
  readonly ok: boolean;
  /** The message of our Success packet. */
  readonly successMessage: string;
}

/** We prove ourselves: every Challenge is answered, at any time while LCP is opened. */
export class ChapAuthenticatee implements Exchange {
  readonly method: ChapMethod;
  readonly #algorithm: ChapAlgorithm;
  readonly #credentials: Authenticatee;
  readonly #host: ExchangeHost;
  readonly #random: RandomSource;
  readonly #retryMs: number;
  readonly #isReflected: (challenge: Uint8Array) => boolean;
  #current: { readonly challenge: Uint8Array; readonly response: ControlPacket; readonly proof: ChapProof } | undefined;
  #answered = false;
  #proved = false;
  #retryAt: Instant | undefined;

  /**
   * @param retryMs until a Response that got no answer is sent again: the Success may be lost (section 4.1).
   * @param isReflected whether a challenge is one that we sent ourselves; a peer that hands it back wants our secret.
   */
  constructor(
    algorithm: ChapAlgorithm,
    credentials: Authenticatee,
    host: ExchangeHost,
    random: RandomSource,
    retryMs: number,
    isReflected: (challenge: Uint8Array) => boolean,
  ) {
    this.method = algorithm.method;
    this.#algorithm = algorithm;
    this.#credentials = credentials;
    this.#host = host;
    this.#random = random;
    this.#retryMs = retryMs;
    this.#isReflected = isReflected;
  }

  start(): void {
    // The peer begins.
  }

  receive(now: Instant, packet: ControlPacket): void {
    if (packet.code === CHAP_CHALLENGE) this.#challenged(now, packet);
    else if (packet.code === CHAP_SUCCESS || packet.code === CHAP_FAILURE) this.#judged(now, packet);
  }

  nudge(now: Instant): void {
    if (this.#current !== undefined && !this.#answered) this.#repeat(now);
  }

  tick(now: Instant): void {
    if (this.#retryAt !== undefined && now >= this.#retryAt) this.#repeat(now);
  }

  nextDeadline(): Instant | undefined {
    return this.#retryAt;
  }

  waitingFor(): string {
    const title = methodTitle(this.method);
    return this.#current === undefined
      ? `the server asked for ${title} but sent no usable Challenge`
      : `the server did not answer the ${title} Response of user ${printable(this.#credentials.user)}`;
  }

  #challenged(now: Instant, packet: ControlPacket): void {
    const { value: challenge } = decodeChapValue(packet.data.slice());
    if (challenge.length === 0 || this.#isReflected(challenge)) return;
    const { challengeLength } = this.#algorithm;
    if (challengeLength !== undefined && challenge.length !== challengeLength) return;
    const current = this.#current;
    if (
      current !== undefined &&
      current.response.identifier === packet.identifier &&
      Buffer.compare(current.challenge, challenge) === 0
    ) {
      this.#repeat(now);
      return;
    }
    const { identifier } = packet;
    const name = utf8Bytes(this.#credentials.user);
    const proof = this.#algorithm.respond(
      { identifier, challenge, name, password: this.#credentials.password },
      this.#random,
    );
    const response = { code: CHAP_RESPONSE, identifier, data: encodeChapValue({ value: proof.value, name }) };
    this.#current = { challenge, response, proof };
    this.#answered = false;
    this.#retryAt = now + this.#retryMs;
    this.#host.send(response, false);
  }

  #judged(now: Instant, packet: ControlPacket): void {
    const current = this.#current;
    if (current === undefined || this.#answered || packet.identifier !== current.response.identifier) return;
    this.#answered = true;
    this.#retryAt = undefined;
    if (packet.code === CHAP_FAILURE) {
      this.#host.failed(now, this.#algorithm.explain(this.#credentials.user, packet.data));
      return;
    }
    const failure = current.proof.confirm(packet.data);
    if (failure !== undefined) {
      this.#host.failed(now, failure);
    } else if (!this.#proved) {
      this.#proved = true;
      this.#host.succeeded(now, this.#credentials.user);
    }
  }

  #repeat(now: Instant): void {
    if (this.#current === undefined) return;
    if (!this.#answered) this.#retryAt = now + this.#retryMs;
    this.#host.send(this.#current.response, true);
  }
}

/** What a peer answers to a Challenge. */
type ChapAnswer = Extract<PeerProof, { method: ChapMethod }>;

/** The peer proves itself: we send one Challenge, again and again, until a Response comes. */
export class ChapAuthenticator implements Exchange {
  readonly method: ChapMethod;
  readonly #algorithm: ChapAlgorithm;
  readonly #name: string;
  readonly #judge: Judge;
  readonly #host: ExchangeHost;
  readonly #random: RandomSource;
  readonly #retryMs: number;
  readonly #identifier: number;
  readonly #challenge: Uint8Array;
  readonly #proxied: ChapAnswer | undefined;
  /** The first Response is being judged, or was. */
  #answered = false;
  /** The Success or Failure that stands. */
  #verdict: ControlPacket | undefined;
  #retryAt: Instant | undefined;

  /**
   * @param name of this side, in the Challenge.
   * @param identifier of the Challenge, 0..255; another one than in the exchange before.
   * @param proxied the answer to a Challenge with that identifier that another sent in our place: ours then never goes out.
   */
  constructor(
    algorithm: ChapAlgorithm,
    name: string,
    judge: Judge,
    host: ExchangeHost,
    random: RandomSource,
    retryMs: number,
    identifier: number,
    proxied?: ChapAnswer,
  ) {
    this.method = algorithm.method;
    this.#algorithm = algorithm;
    this.#proxied = proxied;
    this.#name = name;
    this.#judge = judge;
    this.#host = host;
    this.#random = random;
    this.#retryMs = retryMs;
    this.#identifier = identifier;
    this.#challenge = proxied?.challenge ?? random.bytes(algorithm.challengeLength ?? 16);
  }

  /** What we challenge the peer with. */
  get challenge(): Uint8Array {
    return this.#challenge;
  }

  start(now: Instant): void {
    if (this.#proxied === undefined) this.#sendChallenge(now, false);
    else this.#ask(now, this.#proxied);
  }

  receive(now: Instant, packet: ControlPacket): void {
    if (packet.code !== CHAP_RESPONSE || packet.identifier !== this.#identifier) return;
    const { value, name } = decodeChapValue(packet.data);
    // A repeated Response gets the reply it had, whatever it says now: no second guess (section 4.1).
    if (this.#verdict !== undefined) {
      this.#host.send(this.#verdict, true);
      return;
    }
    // While it is being judged, a repetition is the same question.
    if (this.#answered) return;
    this.#ask(now, {
      method: this.method,
      name: name.slice(),
      identifier: this.#identifier,
      challenge: this.#challenge,
      response: value.slice(),
    });
  }

  nudge(): void {
    // The Challenge is repeated by the timer.
  }

  tick(now: Instant): void {
    if (this.#retryAt !== undefined && now >= this.#retryAt) this.#sendChallenge(now, true);
  }

  nextDeadline(): Instant | undefined {
    return this.#retryAt;
  }

  waitingFor(): string {
    const title = methodTitle(this.method);
    return this.#answered
      ? `nobody judged the ${title} Response of the peer`
      : `the peer did not answer our ${title} Challenge`;
  }

  #ask(now: Instant, proof: ChapAnswer): void {
    this.#answered = true;
    this.#retryAt = undefined;
    this.#judge(now, proof, (at, verdict) => this.#judged(at, proof.name, verdict));
  }

  #judged(now: Instant, name: Uint8Array, verdict: Verdict): void {
    const accepted = verdict.kind === 'accept';
    const said = 'message' in verdict ? verdict.message : undefined;
    const message = said ?? (accepted ? '' : this.#algorithm.failureMessage(this.#random));
    this.#verdict = {
      code: accepted ? CHAP_SUCCESS : CHAP_FAILURE,
      identifier: this.#identifier,
      data: utf8Bytes(message),
    };
    this.#host.send(this.#verdict, false);
    if (accepted) this.#host.succeeded(now, verdict.user);
    else this.#host.failed(now, verdict.kind === 'unavailable' ? verdict.failure : unprovedFailure(this.method, name));
  }

  /**
   * A repetition is the same Challenge, identifier included: with a new one each time, a peer whose answers take longer
   * than the interval would always answer the one before. It is one exchange, and is answered once.
   */
  #sendChallenge(now: Instant, repeated: boolean): void {
    this.#retryAt = now + this.#retryMs;
    const data = encodeChapValue({ value: this.#challenge, name: utf8Bytes(this.#name) });
    this.#host.send({ code: CHAP_CHALLENGE, identifier: this.#identifier, data }, repeated);
  }
}
