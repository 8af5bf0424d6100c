/** The Authentication phase (RFC 1661 section 3.5): each direction that LCP agreed on, side by side. */
import { timingSafeEqual } from 'node:crypto';
import type { Failure, Instant, RandomSource } from '../machine.ts';
import type { Exchange, ExchangeHost, Judge } from './authentication.ts';
import { methodProtocol } from './authentication-methods.ts';
import { CHAP_RESPONSE, ChapAuthenticatee, ChapAuthenticator } from './chap.ts';
import { chapAlgorithm } from './chap-algorithms.ts';
import { earliest } from './deadlines.ts';
import { EapAuthenticateeExchange, EapAuthenticatorExchange, EapPassThrough } from './eap.ts';
import type { LcpAgreement } from './lcp.ts';
import type { Authenticatee, Authenticator, PeerProof, PppAuthentication } from './link-types.ts';
import type { ControlPacket } from './packet.ts';
import { PapAuthenticatee, PapAuthenticator } from './pap.ts';
import { PPP_PAP } from './protocol-numbers.ts';

/**
 * Restart intervals until an unanswered CHAP Response is sent again. The authenticator may have to ask a RADIUS server,
 * so this is slower than the Challenge's own repetition.
 */
const RESPONSE_RETRY_INTERVALS = 2;

/** RFC 1334 section 2.2: the one PAP packet that an authenticator takes. */
const PAP_AUTHENTICATE_REQUEST = 1;

export interface AuthenticationHost {
  send(protocol: number, packet: ControlPacket, quiet: boolean): void;
  authenticated(now: Instant, who: 'we' | 'peer', user: string, method: PppAuthentication): void;
  /** Every direction is proved; called once. */
  authenticationComplete(now: Instant): void;
  fail(now: Instant, failure: Failure): void;
  /** @param text of the peer, for people, printable. */
  notice(protocol: number, text: string): void;
}

export interface AuthenticationSettings {
  readonly agreement: LcpAgreement;
  readonly authenticatee: Authenticatee | undefined;
  readonly authenticator: Authenticator | undefined;
  /** Of what the peer proves. */
  readonly judge: Judge;
  /** Restart interval, ms. */
  readonly retryMs: number;
  /** Of our Challenge, 0..255; another one than before. */
  readonly identifier: number;
  /** The peer's proof by just that method, which another took in our place: it is judged at once. */
  readonly proxied: PeerProof | undefined;
}

export class AuthenticationPhase {
  readonly #host: AuthenticationHost;
  readonly #our: Exchange | undefined;
  readonly #peers: Exchange | undefined;
  #ourProofPending: boolean;
  #peerProofPending: boolean;
  #over = false;
  /** What we challenge the peer with, if anything. */
  #ownChallenge: () => Uint8Array | undefined = () => undefined;

  constructor(settings: AuthenticationSettings, random: RandomSource, host: AuthenticationHost) {
    const { agreement } = settings;
    this.#host = host;
    if (agreement.peerProof !== undefined && settings.authenticator !== undefined)
      this.#peers = this.#newAuthenticator(agreement.peerProof, settings.authenticator, settings, random);
    if (agreement.ourProof !== undefined && settings.authenticatee !== undefined)
      this.#our = this.#newAuthenticatee(agreement.ourProof, settings.authenticatee, settings, random);
    this.#ourProofPending = this.#our !== undefined;
    this.#peerProofPending = this.#peers !== undefined;
  }

  /** Whether any direction is not proved yet. */
  get pending(): boolean {
    return this.#ourProofPending || this.#peerProofPending;
  }

  get ourProofPending(): boolean {
    return this.#ourProofPending;
  }

  start(now: Instant): void {
    this.#peers?.start(now);
    if (!this.#over) this.#our?.start(now);
  }

  /** Takes a PAP, CHAP or EAP packet. @throws DecodeError when it cannot be read. */
  receive(now: Instant, protocol: number, packet: ControlPacket): void {
    // EAP's Response has the code of CHAP's.
    const forAuthenticator = packet.code === (protocol === PPP_PAP ? PAP_AUTHENTICATE_REQUEST : CHAP_RESPONSE);
    const exchange = forAuthenticator ? this.#peers : this.#our;
    if (exchange !== undefined && methodProtocol(exchange.method) === protocol) exchange.receive(now, packet);
  }

  /** The peer sends network packets although we wait for its word: it was lost. */
  nudge(now: Instant): void {
    if (this.#ourProofPending) this.#our?.nudge(now);
  }

  tick(now: Instant): void {
    this.#peers?.tick(now);
    if (!this.#over) this.#our?.tick(now);
  }

  nextDeadline(): Instant | undefined {
    return earliest(this.#our?.nextDeadline(), this.#peers?.nextDeadline());
  }

  /** Why it is not complete when its time is over. */
  timeoutFailure(limitMs: number): Failure {
    const ours = this.#ourProofPending;
    const waiting = ours ? this.#our?.waitingFor() : this.#peers?.waitingFor();
    return {
      step: 'authentication',
      reason: `${waiting ?? 'authentication was not complete'} within ${Math.round(limitMs / 1000)} s`,
      remedy: ours
        ? 'check that the server can reach its user database (RADIUS, directory), and look into its log'
        : 'check that a user name and password are configured at the peer',
    };
  }

  #newAuthenticator(
    method: PppAuthentication,
    authenticator: Authenticator,
    { judge, retryMs, identifier, proxied }: AuthenticationSettings,
    random: RandomSource,
  ): Exchange {
    const host = this.#exchangeHost('peer', method);
    if (method === 'pap') return new PapAuthenticator(judge, host, proxied?.method === 'pap' ? proxied : undefined);
    if (method !== 'eap') {
      const algorithm = chapAlgorithm(method);
      const { name } = authenticator;
      const chap =
        proxied !== undefined && 'challenge' in proxied
          ? new ChapAuthenticator(algorithm, name, judge, host, random, retryMs, proxied.identifier, proxied)
          : new ChapAuthenticator(algorithm, name, judge, host, random, retryMs, identifier);
      this.#ownChallenge = () => chap.challenge;
      return chap;
    }
    if (!('password' in authenticator)) return new EapPassThrough(judge, host, retryMs, identifier);
    const eap = new EapAuthenticatorExchange(authenticator, host, random, retryMs, identifier);
    this.#ownChallenge = () => eap.challenge;
    return eap;
  }

  #newAuthenticatee(
    method: PppAuthentication,
    authenticatee: Authenticatee,
    { retryMs }: AuthenticationSettings,
    random: RandomSource,
  ): Exchange {
    const host = this.#exchangeHost('we', method);
    const isReflected = (theirs: Uint8Array) => isSame(this.#ownChallenge(), theirs);
    if (method === 'pap') return new PapAuthenticatee(authenticatee, host, retryMs);
    if (method === 'eap') return new EapAuthenticateeExchange(authenticatee, host, random, isReflected);
    const responseMs = retryMs * RESPONSE_RETRY_INTERVALS;
    return new ChapAuthenticatee(chapAlgorithm(method), authenticatee, host, random, responseMs, isReflected);
  }

  #exchangeHost(who: 'we' | 'peer', method: PppAuthentication): ExchangeHost {
    return {
      send: (packet, repeated) => this.#host.send(methodProtocol(method), packet, repeated),
      succeeded: (now, user) => {
        if (who === 'we') this.#ourProofPending = false;
        else this.#peerProofPending = false;
        this.#host.authenticated(now, who, user, method);
        if (!this.pending) this.#host.authenticationComplete(now);
      },
      notice: (text) => this.#host.notice(methodProtocol(method), text),
      failed: (now, failure) => {
        this.#over = true;
        this.#host.fail(now, failure);
      },
    };
  }
}

function isSame(ours: Uint8Array | undefined, theirs: Uint8Array): boolean {
  return ours !== undefined && ours.length === theirs.length && timingSafeEqual(ours, theirs);
}
