/** The Password Authentication Protocol (RFC 1334 section 2), both sides. */
import { ByteReader, ByteWriter, utf8Bytes } from '../bytes.ts';
import type { Instant } from '../machine.ts';
import { printable } from '../printable.ts';
import { type Exchange, type ExchangeHost, type Judge, refusedFailure, unprovedFailure } from './authentication.ts';
import { quoted } from './failure-text.ts';
import type { Authenticatee, PeerProof, Verdict } from './link-types.ts';
import type { ControlPacket } from './packet.ts';

const AUTHENTICATE_REQUEST = 1;
const AUTHENTICATE_ACK = 2;
const AUTHENTICATE_NAK = 3;

/** Longest name and longest password that the length fields can say, octets. */
const MAX_FIELD = 255;

/** The data of an Authenticate-Request (section 2.2.1). */
export interface PapRequest {
  readonly peerId: Uint8Array;
  readonly password: Uint8Array;
}

/** @throws DecodeError when a length leaves the packet. */
export function decodePapRequest(data: Uint8Array): PapRequest {
  const reader = new ByteReader(data);
  const peerId = reader.bytes(reader.u8('Peer-ID Length'), 'Peer-ID');
  const password = reader.bytes(reader.u8('Passwd-Length'), 'Password');
  return { peerId, password };
}

/** @throws EncodeError when a field is longer than 255 octets. */
export function encodePapRequest(request: PapRequest): Uint8Array {
  return new ByteWriter()
    .u8(request.peerId.length)
    .bytes(request.peerId)
    .u8(request.password.length)
    .bytes(request.password)
    .finish();
}

/** The message of an Authenticate-Ack or -Nak (section 2.2.2). Peers that leave it out, or its end, are forgiven. */
export function decodePapMessage(data: Uint8Array): Uint8Array {
  const length = data[0] ?? 0;
  return data.subarray(1, 1 + length);
}

/** We prove ourselves: the request is repeated until it is answered. */
export class PapAuthenticatee implements Exchange {
  readonly method = 'pap';
  readonly #credentials: Authenticatee;
  readonly #host: ExchangeHost;
  readonly #retryMs: number;
  #identifier = 0;
  readonly #issued = new Set<number>();
  #retryAt: Instant | undefined;
  #done = false;

  /** @param retryMs between two requests. */
  constructor(credentials: Authenticatee, host: ExchangeHost, retryMs: number) {
    this.#credentials = credentials;
    this.#host = host;
    this.#retryMs = retryMs;
  }

  start(now: Instant): void {
    const { user, password } = this.#credentials;
    if (utf8Bytes(user).length > MAX_FIELD || utf8Bytes(password).length > MAX_FIELD) {
      this.#done = true;
      this.#host.failed(now, {
        step: 'authentication',
        reason: `PAP cannot carry a user name or password of more than ${MAX_FIELD} octets`,
        remedy: 'use a shorter user name and password, or CHAP',
      });
      return;
    }
    this.#send(now, false);
  }

  receive(now: Instant, packet: ControlPacket): void {
    if (this.#done || !this.#issued.has(packet.identifier)) return;
    if (packet.code === AUTHENTICATE_ACK) {
      this.#finish();
      this.#host.succeeded(now, this.#credentials.user);
    } else if (packet.code === AUTHENTICATE_NAK) {
      this.#finish();
      this.#host.failed(now, refusedFailure('pap', this.#credentials.user, quoted(decodePapMessage(packet.data))));
    }
  }

  nudge(now: Instant): void {
    if (!this.#done) this.#send(now, true);
  }

  tick(now: Instant): void {
    if (this.#retryAt !== undefined && now >= this.#retryAt) this.#send(now, true);
  }

  nextDeadline(): Instant | undefined {
    return this.#retryAt;
  }

  waitingFor(): string {
    return `the server did not answer the PAP request of user ${printable(this.#credentials.user)}`;
  }

  /** The identifier changes with every request (section 2.2.1); an answer to any of them is an answer. */
  #send(now: Instant, repeated: boolean): void {
    this.#identifier = (this.#identifier + 1) & 0xff;
    this.#issued.add(this.#identifier);
    this.#retryAt = now + this.#retryMs;
    const data = encodePapRequest({
      peerId: utf8Bytes(this.#credentials.user),
      password: utf8Bytes(this.#credentials.password),
    });
    this.#host.send({ code: AUTHENTICATE_REQUEST, identifier: this.#identifier, data }, repeated);
  }

  #finish(): void {
    this.#done = true;
    this.#retryAt = undefined;
  }
}

type PapProof = Extract<PeerProof, { method: 'pap' }>;

/** The peer proves itself: we answer its requests. */
export class PapAuthenticator implements Exchange {
  readonly method = 'pap';
  readonly #judge: Judge;
  readonly #host: ExchangeHost;
  readonly #proxied: PapProof | undefined;
  /** Of the newest request while the first one is being judged: the answer goes to it. */
  #asking: number | undefined;
  /** The text of the answer that stands. */
  #message = '';
  /** The code of the answer that stands; repeated requests get it again (section 2.2.1). */
  #verdict: typeof AUTHENTICATE_ACK | typeof AUTHENTICATE_NAK | undefined;

  /** @param proxied what the peer asked another, who took it in our place. */
  constructor(judge: Judge, host: ExchangeHost, proxied?: PapProof) {
    this.#judge = judge;
    this.#host = host;
    this.#proxied = proxied;
  }

  start(now: Instant): void {
    // Else the peer begins.
    if (this.#proxied !== undefined) this.#ask(now, this.#proxied, this.#proxied.identifier ?? 0);
  }

  receive(now: Instant, packet: ControlPacket): void {
    if (packet.code !== AUTHENTICATE_REQUEST) return;
    const request = decodePapRequest(packet.data);
    if (this.#verdict !== undefined) {
      this.#answer(packet.identifier, this.#verdict, true);
      return;
    }
    const { identifier } = packet;
    if (this.#asking !== undefined) this.#asking = identifier;
    else {
      const name = request.peerId.slice();
      this.#ask(now, { method: 'pap', name, password: request.password.slice(), identifier }, identifier);
    }
  }

  nudge(): void {
    // Nothing of ours can have been lost: the peer asks again.
  }

  tick(): void {
    // No timer: the peer asks again.
  }

  nextDeadline(): undefined {
    return undefined;
  }

  waitingFor(): string {
    return this.#asking === undefined
      ? 'the peer sent no user name and password (PAP)'
      : 'nobody judged the user name and password of the peer (PAP)';
  }

  #ask(now: Instant, proof: PapProof, identifier: number): void {
    this.#asking = identifier;
    this.#judge(now, proof, (at, verdict) => this.#judged(at, proof.name, verdict));
  }

  #judged(now: Instant, name: Uint8Array, verdict: Verdict): void {
    const accepted = verdict.kind === 'accept';
    const said = 'message' in verdict ? verdict.message : undefined;
    this.#message = said ?? (accepted ? 'Welcome' : 'Authentication failed');
    this.#verdict = accepted ? AUTHENTICATE_ACK : AUTHENTICATE_NAK;
    this.#answer(this.#asking ?? 0, this.#verdict, false);
    if (accepted) this.#host.succeeded(now, verdict.user);
    else this.#host.failed(now, verdict.kind === 'unavailable' ? verdict.failure : unprovedFailure('pap', name));
  }

  #answer(identifier: number, code: number, repeated: boolean): void {
    const message = utf8Bytes(this.#message).subarray(0, MAX_FIELD);
    const data = new ByteWriter(32).u8(message.length).bytes(message).finish();
    this.#host.send({ code, identifier, data }, repeated);
  }
}
