/** The Link Control Protocol (RFC 1661): negotiation of the link, its termination, rejects and echoes. */
import { ByteWriter, DecodeError } from '../bytes.ts';
import type { Failure, Instant, RandomSource } from '../machine.ts';
import { earliest } from './deadlines.ts';
import { EchoKeepalive } from './echo.ts';
import { quoted } from './failure-text.ts';
import type { AutomatonEvent, AutomatonState, RestartPolicy } from './fsm.ts';
import { encodeTimeRemaining, LcpNotices } from './lcp-notices.ts';
import { DEFAULT_MRU, LcpPolicy, loopFailure } from './lcp-policy.ts';
import { type LcpHistory, LcpRecord } from './lcp-record.ts';
import type { PppAuthentication, PppLinkOptions } from './link-types.ts';
import { Negotiation } from './negotiation.ts';
import type { FinishCause } from './negotiation-types.ts';
import { decodeOptions } from './options.ts';
import {
  type ControlPacket,
  DISCARD_REQUEST,
  ECHO_REPLY,
  ECHO_REQUEST,
  IDENTIFICATION,
  PACKET_HEADER,
  PROTOCOL_REJECT,
  TERMINATE_REQUEST,
  TIME_REMAINING,
} from './packet.ts';
import { PPP_LCP } from './protocol-numbers.ts';
import type { ProxiedStart } from './proxied-start.ts';

const DEFAULT_ECHO = { intervalMs: 10_000, failures: 4 };

/**
 * LCP must be opened within so many times Max-Configure restart intervals. The counters alone do not bound it: a peer
 * that acknowledges and never asks keeps the automaton between Req-Sent and Ack-Rcvd for ever.
 */
const NEGOTIATION_ROUNDS = 3;

/** Magic-Number field of echoes, octets. */
const MAGIC_LENGTH = 4;

/** What an opened LCP means for the phases above it. */
export interface LcpAgreement {
  /** Largest information field that the peer takes, octets. */
  readonly peerMru: number;
  readonly protocolCompression: boolean;
  readonly addressControlCompression: boolean;
  /** Control characters that the peer wants escaped, bit n for octet n. */
  readonly peerAccm: number;
  /** How we have to prove ourselves. */
  readonly ourProof: PppAuthentication | undefined;
  /** How the peer has to prove itself. */
  readonly peerProof: PppAuthentication | undefined;
}

export interface LcpHost {
  /** @param quiet true for a retransmission or an echo: not worth a trace. */
  send(protocol: number, packet: ControlPacket, quiet: boolean): void;
  lcpUp(now: Instant, agreement: LcpAgreement): void;
  /** LCP left Opened; `ending` when it will not come back. */
  lcpDown(now: Instant, ending: boolean): void;
  /** LCP is over. */
  lcpFinished(now: Instant, failure: Failure): void;
  /** The link cannot go on; the peer is still there. */
  fail(now: Instant, failure: Failure): void;
  /** The peer has a word for people. @param text printable. */
  notice(text: string): void;
  /** The peer does not know a protocol that we sent. */
  protocolRejected(now: Instant, protocol: number): void;
  /** The peer is dead, or the line is. */
  dead(now: Instant, failure: Failure): void;
}

export class Lcp {
  readonly #host: LcpHost;
  readonly #policy: LcpPolicy;
  readonly #negotiation: Negotiation;
  readonly #echo: EchoKeepalive;
  readonly #record = new LcpRecord();
  readonly #notices = new LcpNotices();
  readonly #negotiationMs: number;
  readonly #maxConfigure: number;
  #negotiateBy: Instant | undefined;

  constructor(options: PppLinkOptions, restart: RestartPolicy, random: RandomSource, host: LcpHost) {
    this.#host = host;
    this.#policy = new LcpPolicy(options, random);
    this.#echo = new EchoKeepalive(options.echo ?? DEFAULT_ECHO);
    this.#maxConfigure = restart.maxConfigure;
    this.#negotiationMs = restart.intervalMs * restart.maxConfigure * NEGOTIATION_ROUNDS;
    const lcp = this;
    this.#negotiation = new Negotiation('LCP', restart, this.#policy, {
      get peerMru() {
        return lcp.peerMru;
      },
      send: (packet, repeated) => {
        this.#record.sent(packet);
        host.send(PPP_LCP, packet, repeated);
      },
      up: (now) => this.#up(now),
      down: (now) => this.#down(now),
      finished: (now, cause) => this.#finished(now, cause),
      fail: (now, failure) => host.fail(now, failure),
      terminated: (now) => this.#terminated(now),
      extraCode: (now, packet) => this.#extraCode(now, packet),
      codeRejected: (code) => {
        if (code === ECHO_REQUEST) this.#echo.unsupported();
      },
    });
  }

  /** What was asked for on both sides. */
  get history(): LcpHistory {
    return this.#record.history;
  }

  get state(): AutomatonState {
    return this.#negotiation.state;
  }

  /** Largest information field that the peer takes, octets; the default until LCP is opened. */
  get peerMru(): number {
    return this.state === 'Opened' ? this.#policy.peer.mru : DEFAULT_MRU;
  }

  /** The lower layer is up. */
  start(now: Instant): void {
    this.#negotiateBy = now + this.#negotiationMs;
    this.#negotiation.start(now);
  }

  /**
   * Instead of {@link start}: what another negotiated in our place stands, and LCP is opened without a packet.
   * @returns false, and nothing has changed, when it is not acceptable here or cannot be read.
   */
  adopt(now: Instant, { lastSentConfreq: sent, lastReceivedConfreq: received }: ProxiedStart): boolean {
    try {
      // Copies: the octets of a frame may be reused.
      if (!this.#policy.adopt(decodeOptions(sent.slice()), decodeOptions(received.slice()))) return false;
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      return false;
    }
    this.#record.adopted(sent, received);
    this.#negotiation.adopt(now);
    return true;
  }

  receive(now: Instant, packet: ControlPacket): void {
    this.#record.received(packet);
    this.#negotiation.receive(now, packet);
  }

  /** Something came from the peer, whatever it was. */
  heard(now: Instant): void {
    this.#echo.heard(now);
  }

  close(now: Instant, text: string): void {
    this.#negotiateBy = undefined;
    this.#negotiation.close(now, text);
  }

  /** One Terminate-Request into the dark, for a peer that can still hear although we do not hear it. */
  sendFarewell(): void {
    const identifier = this.#negotiation.nextIdentifier();
    this.#host.send(PPP_LCP, { code: TERMINATE_REQUEST, identifier, data: new Uint8Array(0) }, false);
  }

  /** Tells the peer that we do not speak a protocol (RFC 1661 section 5.7). Only while LCP is opened. */
  sendProtocolReject(protocol: number, information: Uint8Array): void {
    const room = Math.max(0, this.peerMru - PACKET_HEADER - 2);
    const data = new ByteWriter().u16(protocol).bytes(information.subarray(0, room)).finish();
    this.#host.send(PPP_LCP, { code: PROTOCOL_REJECT, identifier: this.#negotiation.nextIdentifier(), data }, false);
  }

  /** Tells the peer how long the link will last (RFC 1570 section 2.2). Only while LCP is opened. */
  sendTimeRemaining(seconds: number, text: string): void {
    const data = encodeTimeRemaining(this.#policy.magic, seconds, text);
    this.#host.send(PPP_LCP, { code: TIME_REMAINING, identifier: this.#negotiation.nextIdentifier(), data }, false);
  }

  tick(now: Instant): void {
    if (this.#negotiateBy !== undefined && now >= this.#negotiateBy) {
      this.#negotiateBy = undefined;
      this.#host.fail(now, this.#policy.grievance ?? this.#stuckFailure());
    }
    this.#negotiation.tick(now);
    const due = this.#echo.tick(now);
    if (due === 'send') this.#sendEchoRequest();
    else if (due === 'dead') this.#dead(now);
  }

  nextDeadline(): Instant | undefined {
    return earliest(this.#negotiateBy, this.#negotiation.nextDeadline(), this.#echo.nextDeadline());
  }

  #up(now: Instant): void {
    this.#negotiateBy = undefined;
    this.#echo.start(now);
    const { peer } = this.#policy;
    this.#host.lcpUp(now, {
      peerMru: peer.mru,
      peerAccm: peer.accm,
      protocolCompression: peer.pfc,
      addressControlCompression: peer.acfc,
      ourProof: peer.authentication,
      peerProof: this.#policy.peerAuthentication,
    });
  }

  #down(now: Instant): void {
    this.#echo.stop();
    const ending = this.state === 'Closing' || this.state === 'Stopping';
    if (!ending) this.#negotiateBy = now + this.#negotiationMs;
    this.#host.lcpDown(now, ending);
  }

  #finished(now: Instant, cause: FinishCause): void {
    this.#negotiateBy = undefined;
    this.#host.lcpFinished(now, this.#finishFailure(cause));
  }

  #finishFailure(cause: FinishCause): Failure {
    switch (cause) {
      case 'no answer':
        if (!this.#negotiation.heard) return this.#silentFailure();
        // What it asks for is no matter as long as it cannot hear what we say to that.
        if (!this.#negotiation.answered) return this.#deafFailure();
        return this.#policy.grievance ?? this.#stuckFailure();
      case 'closed':
        return {
          step: 'terminated',
          reason: 'this side closed the link',
          remedy: 'connect again if it is still wanted',
        };
      case 'terminated by peer':
        return {
          step: 'terminated',
          reason: `the peer closed the link${quoted(this.#negotiation.peerTerminateText)}`,
          remedy: "look into the peer's log for its reason",
        };
      case 'rejected by peer':
        return {
          step: 'LCP',
          reason: 'the peer rejected LCP itself',
          remedy: 'check that the peer runs PPP on this link',
        };
    }
  }

  #silentFailure(): Failure {
    return {
      step: 'LCP',
      reason: `the peer answered none of ${this.#maxConfigure} LCP Configure-Requests`,
      remedy: 'check that the peer runs PPP on this link and that no packets of the link are dropped on the way',
    };
  }

  #deafFailure(): Failure {
    return {
      step: 'LCP',
      reason: `the peer sends LCP packets of its own but answered none of ${this.#maxConfigure} of ours, as if it did not hear us`,
      remedy:
        'check that no packets towards the peer are dropped; after a restart of this side the peer may still hold the ' +
        'session of before, and lets it go within a few minutes',
    };
  }

  #stuckFailure(): Failure {
    const text = this.#negotiation.peerTerminateText;
    const end = text === undefined ? '' : `, and asked to end the link${quoted(text)}`;
    return {
      step: 'LCP',
      reason: `the peer sends LCP packets but did not come to terms with us${end}`,
      remedy: "compare the peer's PPP settings with those of this side, or look into the peer's log",
    };
  }

  #terminated(now: Instant): void {
    // Before Opened the automaton goes on asking. Where the two sides want different things that is of no use.
    const { grievance } = this.#policy;
    const { state } = this;
    if (grievance !== undefined && (state === 'Req-Sent' || state === 'Ack-Rcvd' || state === 'Ack-Sent')) {
      this.#host.fail(now, grievance);
    }
  }

  #extraCode(now: Instant, packet: ControlPacket): AutomatonEvent | undefined {
    switch (packet.code) {
      case PROTOCOL_REJECT:
        this.#protocolReject(now, packet);
        return undefined;
      case ECHO_REQUEST:
        return this.#echoRequest(now, packet);
      case ECHO_REPLY:
        // Its Magic-Number is not looked at: some peers copy ours back. That it came is all that counts.
        return 'RXR';
      case IDENTIFICATION:
      case TIME_REMAINING: {
        const text = this.#notices.take(packet);
        if (text !== undefined) this.#host.notice(text);
        return 'RXR';
      }
      case DISCARD_REQUEST:
        return 'RXR';
      default:
        return 'RUC';
    }
  }

  /** RFC 1661 section 5.7: only in Opened, and silently discarded otherwise. */
  #protocolReject(now: Instant, packet: ControlPacket): void {
    const [high, low] = packet.data;
    if (this.state !== 'Opened' || high === undefined || low === undefined) return;
    const protocol = (high << 8) | low;
    if (protocol === PPP_LCP) this.#negotiation.protocolRejected(now);
    else this.#host.protocolRejected(now, protocol);
  }

  #echoRequest(now: Instant, packet: ControlPacket): AutomatonEvent | undefined {
    if (this.state !== 'Opened') return 'RXR';
    const { magic } = this.#policy;
    const { data } = packet;
    if (data.length < MAGIC_LENGTH) return undefined;
    const theirs = new DataView(data.buffer, data.byteOffset, MAGIC_LENGTH).getUint32(0);
    if (magic !== 0 && theirs === magic) {
      this.#host.fail(now, loopFailure());
      return undefined;
    }
    const room = Math.max(MAGIC_LENGTH, this.peerMru - PACKET_HEADER);
    const reply = new ByteWriter().u32(magic).bytes(data.subarray(MAGIC_LENGTH, room)).finish();
    this.#host.send(PPP_LCP, { code: ECHO_REPLY, identifier: packet.identifier, data: reply }, true);
    return 'RXR';
  }

  #sendEchoRequest(): void {
    const data = new ByteWriter().u32(this.#policy.magic).finish();
    const identifier = this.#negotiation.nextIdentifier();
    this.#host.send(PPP_LCP, { code: ECHO_REQUEST, identifier, data }, true);
  }

  #dead(now: Instant): void {
    const seconds = Math.round(this.#echo.silence(now) / 1000);
    this.#echo.stop();
    this.#host.dead(now, {
      step: 'echo',
      reason: `nothing came from the peer for ${seconds} s, and it answered no Echo-Request`,
      remedy: 'check the path to the peer and whether the peer still runs',
    });
  }
}
