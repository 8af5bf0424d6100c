/**
 * A PPP link from its first Configure-Request to its end: the phases of RFC 1661 section 3.2, as a machine without
 * hands. LCP, the authentication protocols and IPCP are machines of their own; this file leads from one to the next.
 */
import { DecodeError } from '../bytes.ts';
import type { Failure, Instant, Machine, RandomSource } from '../machine.ts';
import type { Judge } from './authentication.ts';
import { AuthenticationPhase } from './authentication-phase.ts';
import { earliest } from './deadlines.ts';
import type { RestartPolicy } from './fsm.ts';
import { KeptFrames } from './kept-frames.ts';
import { Lcp, type LcpAgreement } from './lcp.ts';
import {
  authenticationRejected,
  neverAuthenticated,
  terminatedAfterCcp,
  terminatedWhileAuthenticating,
} from './link-failures.ts';
import type {
  PeerProof,
  PppAuthentication,
  PppLinkOptions,
  PppOutput,
  PppPhase,
  PppView,
  Verdict,
} from './link-types.ts';
import { linkUp } from './link-up.ts';
import { judgeLocally } from './local-judge.ts';
import { NetworkPhase } from './network-phase.ts';
import { OutsideJudge } from './outside-judge.ts';
import { type ControlPacket, decodePacket, encodeFrame } from './packet.ts';
import { PacketTracer } from './packet-tracer.ts';
import {
  isNetworkControlProtocol,
  PPP_CCP,
  PPP_CHAP,
  PPP_EAP,
  PPP_IPCP,
  PPP_IPV6CP,
  PPP_LCP,
  PPP_PAP,
  protocolName,
} from './protocol-numbers.ts';
import { type ProxiedStart, usableProof } from './proxied-start.ts';
import { RejectBudget } from './reject-budget.ts';

/** RFC 1661 section 4.6, with the timer for a tunnel instead of a modem. */
const DEFAULT_RESTART: RestartPolicy = { intervalMs: 1000, maxConfigure: 10, maxTerminate: 2, maxFailure: 5 };
const DEFAULT_AUTHENTICATION_MS = 30_000;
const DEFAULT_NETWORK_MS = 30_000;

/** Whoever was proved. */
interface Proof {
  readonly user: string;
  readonly method: PppAuthentication;
}

export class PppLink implements Machine<PppOutput> {
  readonly #options: PppLinkOptions;
  readonly #random: RandomSource;
  readonly #restart: RestartPolicy;
  readonly #authenticationMs: number;
  readonly #lcp: Lcp;
  readonly #network: NetworkPhase;
  readonly #kept = new KeptFrames();
  readonly #tracer = new PacketTracer();
  readonly #rejectBudget: RejectBudget;
  readonly #outsideJudge = new OutsideJudge((output) => this.#outputs.push(output));
  #outputs: PppOutput[] = [];

  #life: 'waiting' | 'running' | 'closing' | 'done' = 'waiting';
  #phase: PppPhase = 'dead';
  /** Why the link ends, once that is known. */
  #failure: Failure | undefined;
  #authentication: AuthenticationPhase | undefined;
  /** Runs on through renegotiations: an unproved peer cannot hold the link open by starting anew. */
  #authenticateBy: Instant | undefined;
  #challengeIdentifier = 0;
  /** What another heard of the peer, for the first Authentication phase. */
  #proxiedProof: PeerProof | undefined;
  #proofs: { we?: Proof; peer?: Proof } = {};
  /** The peer wanted CCP, and the network is not up yet. */
  #declinedCcp = false;
  /** Whose proof was under way when the peer ended the link. */
  #interrupted: string | undefined;

  constructor(options: PppLinkOptions, random: RandomSource) {
    this.#options = options;
    this.#random = random;
    this.#restart = options.restart ?? DEFAULT_RESTART;
    this.#rejectBudget = new RejectBudget(this.#restart.intervalMs);
    this.#authenticationMs = options.authenticationMs ?? DEFAULT_AUTHENTICATION_MS;
    this.#lcp = new Lcp(options, this.#restart, random, {
      send: (protocol, packet, quiet) => this.#send(protocol, packet, quiet),
      lcpUp: (now, agreement) => this.#lcpUp(now, agreement),
      lcpDown: (_now, ending) => this.#lcpDown(ending),
      lcpFinished: (_now, failure) => this.#finish(this.#failure ?? this.#explain(failure)),
      fail: (now, failure) => this.#end(now, failure, failure.reason),
      notice: (text) => this.#outputs.push({ kind: 'notice', protocol: protocolName(PPP_LCP), text }),
      protocolRejected: (now, protocol) => this.#protocolRejected(now, protocol),
      dead: (_now, failure) => {
        this.#lcp.sendFarewell();
        this.#finish(failure);
      },
    });
    const lcp = this.#lcp;
    this.#network = new NetworkPhase(options, this.#restart, options.networkMs ?? DEFAULT_NETWORK_MS, random, {
      get peerMru() {
        return lcp.peerMru;
      },
      send: (protocol, packet, quiet) => this.#send(protocol, packet, quiet),
      networkUp: (agreement) => {
        this.#declinedCcp = false;
        this.#outputs.push({ kind: 'network-up', ...agreement });
      },
      networkDown: () => this.#outputs.push({ kind: 'network-down' }),
      ipv6Up: (agreement) => this.#outputs.push({ kind: 'ipv6-up', ...agreement }),
      ipv6Down: () => this.#outputs.push({ kind: 'ipv6-down' }),
      opened: (open) => {
        if (open) this.#setPhase('open');
        else if (this.#lcp.state === 'Opened' && this.#life === 'running') this.#setPhase('network');
      },
      fail: (now, failure) => this.#end(now, failure, failure.reason),
    });
  }

  get view(): PppView {
    const proof = this.#proofs.peer ?? this.#proofs.we;
    return {
      phase: this.#phase,
      ...(proof === undefined ? {} : { authentication: proof.method, user: proof.user }),
      ...(this.#network.agreement ?? { dns: [] }),
      ...this.#network.ipv6Agreement,
      peerMru: this.#lcp.peerMru,
    };
  }

  /**
   * The lower layer is up: the first Configure-Request goes out, and frames that came before are taken.
   * @param proxied what another did in our place; what is not acceptable of it is done anew, and is no error.
   * @returns whether its LCP stands.
   */
  start(now: Instant, proxied?: ProxiedStart): boolean {
    if (this.#life !== 'waiting') return false;
    this.#life = 'running';
    this.#setPhase('establish');
    this.#challengeIdentifier = proxied?.challengeIdentifier ?? 0;
    this.#proxiedProof = proxied?.proof;
    const adopted = proxied !== undefined && this.#lcp.adopt(now, proxied);
    this.#proxiedProof = undefined;
    if (!adopted) this.#lcp.start(now);
    this.#takeKept(now);
    return adopted;
  }

  /**
   * Takes a bare frame: two octets of protocol number, then the information. Any octets will do; what cannot be read is
   * dropped. Before {@link start} up to 8 frames are kept. The frame may be reused once this returns.
   */
  receive(now: Instant, frame: Uint8Array): void {
    if (this.#life === 'done') return;
    if (this.#life === 'waiting') {
      this.#kept.keep(frame, this.#phase);
      return;
    }
    this.#lcp.heard(now);
    this.#dispatch(now, frame);
    this.#takeKept(now);
  }

  /** A user packet came in by the data plane: the peer lives. */
  dataReceived(now: Instant): void {
    this.#lcp.heard(now);
  }

  /** What is to be said of a proof (`verify`). A verdict on an earlier one, or one that comes too late, does nothing. */
  verdict(now: Instant, id: number, verdict: Verdict): void {
    if (this.#life !== 'running') return;
    this.#outsideJudge.verdict(now, id, verdict);
    this.#takeKept(now);
  }

  /** Tells the peer how many seconds are left (RFC 1570); before LCP is opened, nothing. @param text for people. */
  tellTimeRemaining(seconds: number, text: string): void {
    if (this.#life === 'running' && this.#lcp.state === 'Opened') this.#lcp.sendTimeRemaining(seconds, text);
  }

  /** Ends the link politely: `down` with this failure once the peer has acknowledged, or was asked often enough. */
  close(now: Instant, failure: Failure): void {
    this.#end(now, failure, '');
  }

  /** The lower layer is gone: `down` at once. Nothing more is sent, not even what was waiting to be. */
  abort(_now: Instant, failure: Failure): void {
    if (this.#life === 'done') return;
    this.#outputs = this.#outputs.filter((output) => output.kind !== 'send');
    this.#finish(this.#failure ?? failure);
  }

  tick(now: Instant): void {
    if (!this.#isRunning()) return;
    this.#lcp.tick(now);
    if (this.#isRunning()) this.#authentication?.tick(now);
    if (this.#isRunning()) this.#network.tick(now);
    if (this.#isRunning() && isDue(this.#authenticateBy, now)) this.#authenticationTimeout(now);
    this.#takeKept(now);
  }

  nextDeadline(): Instant | undefined {
    if (!this.#isRunning()) return undefined;
    return earliest(
      this.#lcp.nextDeadline(),
      this.#authentication?.nextDeadline(),
      this.#network.nextDeadline(),
      this.#authenticateBy,
    );
  }

  poll(): PppOutput | undefined {
    return this.#outputs.shift();
  }

  // Frames in and out

  #dispatch(now: Instant, frame: Uint8Array): void {
    const [high, low] = frame;
    if (high === undefined || low === undefined) return;
    const protocol = (high << 8) | low;
    const information = frame.subarray(2);
    try {
      switch (protocol) {
        case PPP_LCP:
          this.#lcp.receive(now, this.#decode(protocol, information));
          return;
        case PPP_PAP:
        case PPP_CHAP:
        case PPP_EAP:
          this.#authenticationPacket(now, protocol, frame);
          return;
        case PPP_IPCP:
        case PPP_IPV6CP:
          if (!this.#network.speaks(protocol)) this.#foreign(now, protocol, frame);
          else if (this.#network.entered) this.#network.receive(now, protocol, this.#decode(protocol, information));
          else this.#keepForNetwork(now, frame);
          return;
        default:
          this.#foreign(now, protocol, frame);
      }
    } catch (error) {
      // RFC 1661 section 5: an invalid packet is silently discarded.
      if (!(error instanceof DecodeError)) throw error;
    }
  }

  #authenticationPacket(now: Instant, protocol: number, frame: Uint8Array): void {
    if (this.#authentication !== undefined) {
      this.#authentication.receive(now, protocol, this.#decode(protocol, frame.subarray(2)));
    } else if (this.#lcp.state === 'Ack-Sent') {
      // The peer may already be a phase ahead: our Configure-Ack is there, its own was lost or overtaken.
      this.#kept.keep(frame, this.#phase);
    }
  }

  /** The peer is a phase ahead: its Success is late or lost. Its request is kept, and our proof said again. */
  #keepForNetwork(now: Instant, frame: Uint8Array): void {
    if (this.#authentication?.ourProofPending !== true) return;
    if (this.#kept.keep(frame, this.#phase)) this.#authentication.nudge(now);
  }

  /** A protocol that we do not speak: RFC 1661 section 5.7, in the phases that allow it. */
  #foreign(now: Instant, protocol: number, frame: Uint8Array): void {
    const isNcp = isNetworkControlProtocol(protocol);
    if (this.#phase === 'authenticate') {
      if (isNcp && this.#authentication?.ourProofPending === true) this.#kept.keep(frame, this.#phase);
      return;
    }
    if (this.#lcp.state !== 'Opened' || this.#network.speaks(protocol) || !this.#rejectBudget.take(now)) return;
    const information = frame.subarray(2);
    if (protocol === PPP_CCP && this.#phase === 'network') this.#declinedCcp = true;
    try {
      if (isNcp) this.#decode(protocol, information);
    } finally {
      // Rejected whether it can be read or not; only what can be read is traced.
      this.#lcp.sendProtocolReject(protocol, information);
    }
  }

  #takeKept(now: Instant): void {
    for (;;) {
      const frames = this.#kept.take(this.#phase);
      if (frames.length === 0) return;
      for (const frame of frames) {
        if (this.#isRunning()) this.#dispatch(now, frame);
      }
    }
  }

  #decode(protocol: number, information: Uint8Array): ControlPacket {
    const packet = decodePacket(information);
    const trace = this.#tracer.received(protocol, packet);
    if (trace !== undefined) this.#outputs.push(trace);
    return packet;
  }

  #send(protocol: number, packet: ControlPacket, quiet: boolean): void {
    if (!quiet) this.#outputs.push(this.#tracer.sent(protocol, packet));
    this.#outputs.push({ kind: 'send', frame: encodeFrame(protocol, packet) });
  }

  // Phases

  #lcpUp(now: Instant, agreement: LcpAgreement): void {
    this.#outputs.push(linkUp(this.#options, agreement));
    this.#proofs = {};
    const authentication = this.#newAuthentication(agreement);
    this.#authentication = authentication;
    if (!authentication.pending) {
      this.#enterNetwork(now);
      return;
    }
    this.#authenticateBy ??= now + this.#authenticationMs;
    this.#setPhase('authenticate');
    authentication.start(now);
  }

  #newAuthentication(agreement: LcpAgreement): AuthenticationPhase {
    const { authenticatee, authenticator } = this.#options;
    const retryMs = this.#restart.intervalMs;
    this.#challengeIdentifier = (this.#challengeIdentifier + 1) & 0xff;
    const ownJudge: Judge =
      authenticator !== undefined && 'password' in authenticator
        ? (now, proof, answer) => answer(now, judgeLocally(authenticator, proof, this.#random))
        : this.#outsideJudge.ask;
    const judge: Judge = (now, proof, answer) => {
      if (this.#options.handOver?.(proof.name) === true) this.#handOver(proof);
      else ownJudge(now, proof, answer);
    };
    const identifier = this.#challengeIdentifier;
    const proxied = usableProof(this.#proxiedProof, agreement.peerProof);
    const settings = { agreement, authenticatee, authenticator, judge, retryMs, identifier, proxied };
    return new AuthenticationPhase(settings, this.#random, {
      send: (protocol, packet, quiet) => this.#send(protocol, packet, quiet),
      authenticated: (_now, who, user, method) => {
        this.#proofs[who] = { user, method };
        this.#outputs.push({ kind: 'authenticated', who, user, method });
      },
      notice: (protocol, text) => this.#outputs.push({ kind: 'notice', protocol: protocolName(protocol), text }),
      authenticationComplete: (now) => this.#enterNetwork(now),
      fail: (now, failure) => this.#end(now, failure, failure.reason),
    });
  }

  /** The end of this link, which goes on elsewhere. */
  #handOver(proof: PeerProof): void {
    this.#life = 'done';
    this.#authentication = undefined;
    this.#setPhase('dead');
    this.#outputs.push({ kind: 'handed-over', proof, lcp: this.#lcp.history });
  }

  #lcpDown(ending: boolean): void {
    if (ending) {
      this.#authenticateBy = undefined;
      if (this.#authentication?.ourProofPending === true) this.#interrupted = this.#options.authenticatee?.user;
    }
    this.#leaveNetwork();
    this.#setPhase(ending ? 'terminate' : 'establish');
  }

  #enterNetwork(now: Instant): void {
    this.#authenticateBy = undefined;
    this.#setPhase('network');
    this.#network.enter(now, this.#proofs.peer?.user);
  }

  /** Takes down everything above LCP. */
  #leaveNetwork(): void {
    this.#network.leave();
    this.#authentication = undefined;
    this.#outsideJudge.forget();
  }

  #protocolRejected(now: Instant, protocol: number): void {
    this.#network.protocolRejected(now, protocol);
    if (
      (protocol === PPP_PAP || protocol === PPP_CHAP || protocol === PPP_EAP) &&
      this.#authentication?.pending === true
    ) {
      this.#end(now, authenticationRejected(protocol), '');
    }
  }

  // Ends

  #authenticationTimeout(now: Instant): void {
    const limitMs = this.#authenticationMs;
    const failure = this.#authentication?.timeoutFailure(limitMs) ?? neverAuthenticated(limitMs);
    this.#end(now, failure, failure.reason);
  }

  /** @param text tells the peer why. */
  #end(now: Instant, failure: Failure, text: string): void {
    if (this.#life === 'done' || this.#life === 'closing') return;
    this.#failure ??= failure;
    if (this.#life === 'waiting') {
      this.#finish(failure);
      return;
    }
    this.#life = 'closing';
    this.#authenticateBy = undefined;
    this.#leaveNetwork();
    this.#setPhase('terminate');
    this.#lcp.close(now, text);
  }

  #explain(failure: Failure): Failure {
    if (failure.step !== 'terminated') return failure;
    if (this.#interrupted !== undefined) return terminatedWhileAuthenticating(this.#interrupted, failure);
    return this.#declinedCcp ? terminatedAfterCcp(failure) : failure;
  }

  #finish(failure: Failure): void {
    if (this.#life === 'done') return;
    this.#life = 'done';
    this.#leaveNetwork();
    this.#setPhase('dead');
    this.#outputs.push({ kind: 'down', failure });
  }

  #isRunning(): boolean {
    return this.#life === 'running' || this.#life === 'closing';
  }

  #setPhase(phase: PppPhase): void {
    if (this.#phase === phase) return;
    this.#phase = phase;
    this.#outputs.push({ kind: 'phase', phase });
  }
}

function isDue(deadline: Instant | undefined, now: Instant): boolean {
  return deadline !== undefined && now >= deadline;
}
