/**
 * What LCP and the NCPs have in common (RFC 1661 sections 4 and 5): the automaton, the Configure, Terminate and
 * Code-Reject packets, identifiers, and the verdict on a Configure-Request. What an option means is up to a policy.
 */
import { utf8Bytes } from '../bytes.ts';
import type { Failure, Instant } from '../machine.ts';
import { Automaton, type AutomatonState, type ProtocolAction, type RestartPolicy } from './fsm.ts';
import type { FinishCause, NegotiationHost, NegotiationPolicy } from './negotiation-types.ts';
import { type ConfigurationOption, decodeOptions, encodeOptions } from './options.ts';
import {
  CODE_REJECT,
  CONFIGURE_ACK,
  CONFIGURE_NAK,
  CONFIGURE_REJECT,
  CONFIGURE_REQUEST,
  type ControlPacket,
  encodePacket,
  TERMINATE_ACK,
  TERMINATE_REQUEST,
} from './packet.ts';

/**
 * Refusals of our Configure-Requests in one negotiation before we call it hopeless. RFC 1661 section 4.5 leaves loop
 * avoidance to the implementation; an honest negotiation needs one refusal per option at most, and has eight options.
 */
const MAX_REFUSALS = 20;

/**
 * In Opened, a Configure-Request that is octet for octet the one we acknowledged means that our Configure-Ack was lost:
 * it is acknowledged again. After so many the peer means it, and the link is renegotiated as the table says.
 */
const MAX_REPEATED_ACKS = 3;

/**
 * The peer's first Configure-Request comes this long after ours, which is still unanswered: then ours was probably sent
 * before anybody listened (a server starts its PPP only once the call stands), and is repeated without waiting for the
 * Restart timer, ms. The wait keeps a pair that starts at the same moment from repeating for nothing.
 */
const EARLY_REPEAT_MS = 20;

/** Longest text that goes into a Terminate-Request, octets. */
const MAX_TERMINATE_TEXT = 120;

type Verdict =
  | { readonly kind: 'ack' }
  | { readonly kind: 'nak' | 'reject'; readonly options: readonly ConfigurationOption[] }
  | { readonly kind: 'fail'; readonly failure: Failure };

interface JudgedRequest {
  readonly identifier: number;
  readonly data: Uint8Array;
  readonly options: readonly ConfigurationOption[];
  readonly verdict: Verdict;
}

/** One protocol's negotiation with the peer. */
export class Negotiation {
  readonly #name: string;
  readonly #restart: RestartPolicy;
  readonly #policy: NegotiationPolicy;
  readonly #host: NegotiationHost;
  readonly #automaton: Automaton;

  #lastIdentifier = 0;
  /** Our last Configure-Request; `answered` once a valid answer to it came. */
  #request: { readonly identifier: number; readonly data: Uint8Array; answered: boolean } | undefined;
  #requestedAt: Instant = 0;
  /** The next Configure-Request begins a negotiation. */
  #fresh = true;
  #refusals = 0;
  /** The peer's last Configure-Request and what we said to it. */
  #judged: JudgedRequest | undefined;
  #naksSent = 0;
  #repeatedAcks = 0;
  #terminateIdentifier: number | undefined;
  #terminateText = '';
  #packet: ControlPacket | undefined;
  #cause: FinishCause = 'no answer';
  #peerTerminateText: Uint8Array | undefined;
  #heard = false;
  #answered = false;

  /** @param name `LCP` or `IPCP`: the step that failures name. */
  constructor(name: string, restart: RestartPolicy, policy: NegotiationPolicy, host: NegotiationHost) {
    this.#name = name;
    this.#restart = restart;
    this.#policy = policy;
    this.#host = host;
    this.#automaton = new Automaton(restart, (action, now) => this.#act(action, now));
  }

  get state(): AutomatonState {
    return this.#automaton.state;
  }

  /** Whether any packet of this protocol has come since the negotiation began. */
  get heard(): boolean {
    return this.#heard;
  }

  /** Whether any of our requests got an answer since the negotiation began: the peer hears us, too. */
  get answered(): boolean {
    return this.#answered;
  }

  /** The data of the peer's last Terminate-Request; `undefined` when none came. */
  get peerTerminateText(): Uint8Array | undefined {
    return this.#peerTerminateText;
  }

  /** The lower layer is up: Open and Up. */
  start(now: Instant): void {
    this.#automaton.handle('Open', now);
    this.#automaton.handle('Up', now);
  }

  /** What another negotiated in our place stands; the policy knows it already. Instead of {@link start}. */
  adopt(now: Instant): void {
    this.#automaton.adopt(now);
  }

  /** Asks the peer to end: Close. @param text for the peer, cut to 120 octets; never a secret. */
  close(now: Instant, text = ''): void {
    this.#terminateText = text;
    this.#cause = 'closed';
    this.#automaton.handle('Close', now);
  }

  /** The peer sent a Protocol-Reject for this protocol: it will not talk about it. */
  protocolRejected(now: Instant): void {
    this.#cause = 'rejected by peer';
    this.#automaton.handle('RXJ-', now);
  }

  tick(now: Instant): void {
    this.#automaton.tick(now);
  }

  nextDeadline(): Instant | undefined {
    return this.#automaton.nextDeadline();
  }

  /** An identifier that the last 255 packets of ours did not have. */
  nextIdentifier(): number {
    this.#lastIdentifier = (this.#lastIdentifier + 1) & 0xff;
    return this.#lastIdentifier;
  }

  /** Takes a packet. @throws DecodeError when its options cannot be read; nothing has changed then. */
  receive(now: Instant, packet: ControlPacket): void {
    this.#packet = packet;
    switch (packet.code) {
      case CONFIGURE_REQUEST:
        this.#configureRequest(now, packet);
        break;
      case CONFIGURE_ACK:
        this.#configureAck(now, packet);
        break;
      case CONFIGURE_NAK:
        this.#configureRefusal(now, packet, 'nak');
        break;
      case CONFIGURE_REJECT:
        this.#configureRefusal(now, packet, 'reject');
        break;
      case TERMINATE_REQUEST:
        this.#terminateRequest(now, packet);
        break;
      case TERMINATE_ACK:
        this.#automaton.handle('RTA', now);
        break;
      case CODE_REJECT:
        this.#codeReject(now, packet);
        break;
      default: {
        const event = this.#host.extraCode(now, packet);
        if (event !== undefined) this.#automaton.handle(event, now);
      }
    }
    this.#heard = true;
  }

  #configureRequest(now: Instant, packet: ControlPacket): void {
    const previous = this.#judged;
    const repeated =
      previous !== undefined && previous.identifier === packet.identifier && equal(previous.data, packet.data);
    if (repeated && previous.verdict.kind === 'ack' && this.state === 'Opened') {
      if (this.#repeatedAcks < MAX_REPEATED_ACKS) {
        this.#repeatedAcks += 1;
        this.#host.send({ code: CONFIGURE_ACK, identifier: packet.identifier, data: packet.data }, true);
        return;
      }
    }
    // A retransmission gets the answer it had: counters of the policy must not move for a lost packet.
    const judged = repeated ? previous : this.#judge(packet);
    if (judged.verdict.kind === 'fail') {
      this.#host.fail(now, judged.verdict.failure);
      return;
    }
    this.#judged = judged;
    this.#repeatEarly(now);
    this.#automaton.handle(judged.verdict.kind === 'ack' ? 'RCR+' : 'RCR-', now);
  }

  /** Goes out before the answer to the peer's request: a peer that has ours after all only acknowledges it again. */
  #repeatEarly(now: Instant): void {
    const request = this.#request;
    if (this.#heard || this.state !== 'Req-Sent' || request === undefined || request.answered) return;
    if (now - this.#requestedAt < EARLY_REPEAT_MS) return;
    this.#host.send({ code: CONFIGURE_REQUEST, identifier: request.identifier, data: request.data }, true);
  }

  #judge(packet: ControlPacket): JudgedRequest {
    const data = packet.data.slice();
    const options = decodeOptions(data);
    return { identifier: packet.identifier, data, options, verdict: this.#verdict(options) };
  }

  #verdict(options: readonly ConfigurationOption[]): Verdict {
    const rejected: ConfigurationOption[] = [];
    const unwanted: ConfigurationOption[] = [];
    const suggested: ConfigurationOption[] = [];
    for (const option of options) {
      const judgement = this.#policy.judge(option);
      if (judgement === 'reject') {
        rejected.push(option);
      } else if (judgement !== 'ack') {
        if ('fail' in judgement) return { kind: 'fail', failure: judgement.fail };
        unwanted.push(option);
        suggested.push(judgement.nak);
      }
    }
    if (rejected.length > 0) return { kind: 'reject', options: rejected };
    // Max-Failure (RFC 1661 section 4.6): Naks turn into Rejects, and nothing is appended any more.
    if (this.#naksSent >= this.#restart.maxFailure) {
      return unwanted.length > 0 ? { kind: 'reject', options: unwanted } : { kind: 'ack' };
    }
    suggested.push(...this.#policy.missing(options));
    return suggested.length > 0 ? { kind: 'nak', options: suggested } : { kind: 'ack' };
  }

  #configureAck(now: Instant, packet: ControlPacket): void {
    const request = this.#awaited(packet);
    if (request === undefined || !equal(request.data, packet.data)) return;
    request.answered = true;
    this.#answered = true;
    const failure = this.#isAsking() ? this.#policy.acknowledged() : undefined;
    if (failure !== undefined) this.#host.fail(now, failure);
    else this.#automaton.handle('RCA', now);
  }

  #configureRefusal(now: Instant, packet: ControlPacket, kind: 'nak' | 'reject'): void {
    const request = this.#awaited(packet);
    if (request === undefined) return;
    const options = decodeOptions(packet.data.slice());
    if (kind === 'reject') {
      const asked = new Set(decodeOptions(request.data).map((option) => option.type));
      if (options.length === 0 || !options.every((option) => asked.has(option.type))) return;
    }
    request.answered = true;
    this.#answered = true;
    const failure = this.#isAsking() ? this.#refusalFailure(kind, options) : undefined;
    if (failure !== undefined) this.#host.fail(now, failure);
    else this.#automaton.handle('RCN', now);
  }

  #refusalFailure(kind: 'nak' | 'reject', options: readonly ConfigurationOption[]): Failure | undefined {
    this.#refusals += 1;
    const failure = this.#policy.refused(kind, options);
    if (failure !== undefined || this.#refusals <= MAX_REFUSALS) return failure;
    return {
      step: this.#name,
      reason: `the peer refused ${this.#refusals} ${this.#name} Configure-Requests in a row`,
      remedy: "compare the peer's PPP settings with those of this side",
    };
  }

  /**
   * Our request that this packet answers. One answer counts: a second copy of it is out of sequence (RFC 1661
   * section 4.3, RCA), and would take an opened link down if it were taken for a crossed connection.
   */
  #awaited(packet: ControlPacket): { readonly data: Uint8Array; answered: boolean } | undefined {
    const request = this.#request;
    if (request === undefined || request.answered || request.identifier !== packet.identifier) return undefined;
    return request;
  }

  /** Whether answers to our Configure-Request mean anything: not once the end has begun. */
  #isAsking(): boolean {
    return this.state === 'Req-Sent' || this.state === 'Ack-Rcvd' || this.state === 'Ack-Sent';
  }

  #terminateRequest(now: Instant, packet: ControlPacket): void {
    this.#peerTerminateText = packet.data.slice(0, MAX_TERMINATE_TEXT);
    if (this.state === 'Opened') this.#cause = 'terminated by peer';
    this.#automaton.handle('RTR', now);
    this.#host.terminated(now);
  }

  #codeReject(now: Instant, packet: ControlPacket): void {
    const code = packet.data[0];
    if (code === undefined) return;
    // Nothing works without the seven; anything else is an extension that the peer may lack.
    if (code >= CONFIGURE_REQUEST && code <= CODE_REJECT) {
      this.#cause = 'rejected by peer';
      this.#automaton.handle('RXJ-', now);
    } else {
      this.#host.codeRejected(code);
      this.#automaton.handle('RXJ+', now);
    }
  }

  #act(action: ProtocolAction, now: Instant): void {
    switch (action) {
      case 'tlu':
        this.#repeatedAcks = 0;
        this.#host.up(now);
        return;
      case 'tld':
        this.#fresh = true;
        this.#host.down(now);
        return;
      case 'tls':
        return;
      case 'tlf':
        this.#host.finished(now, this.#cause);
        return;
      case 'scr':
        this.#sendConfigureRequest(now);
        return;
      case 'sca':
      case 'scn':
        this.#sendVerdict();
        return;
      case 'str':
        this.#sendTerminateRequest();
        return;
      case 'sta':
        this.#host.send(
          { code: TERMINATE_ACK, identifier: this.#packet?.identifier ?? 0, data: new Uint8Array(0) },
          false,
        );
        return;
      case 'scj':
        this.#sendCodeReject();
        return;
      case 'ser':
        // Only LCP has echoes; it answers them itself, in `extraCode`, before it feeds RXR.
        return;
    }
  }

  #sendConfigureRequest(now: Instant): void {
    this.#requestedAt = now;
    if (this.#fresh) {
      this.#fresh = false;
      this.#refusals = 0;
      this.#naksSent = 0;
      this.#cause = 'no answer';
      this.#heard = false;
      this.#answered = false;
      this.#policy.reset();
    }
    const data = encodeOptions(this.#policy.request());
    const last = this.#request;
    const repeated = last !== undefined && !last.answered && equal(last.data, data);
    const identifier = repeated ? last.identifier : this.nextIdentifier();
    this.#request = { identifier, data, answered: false };
    this.#host.send({ code: CONFIGURE_REQUEST, identifier, data }, repeated);
  }

  #sendVerdict(): void {
    const judged = this.#judged;
    if (judged === undefined) return;
    const { identifier, data, verdict } = judged;
    switch (verdict.kind) {
      case 'ack':
        this.#naksSent = 0;
        this.#policy.accept(judged.options);
        this.#host.send({ code: CONFIGURE_ACK, identifier, data }, false);
        return;
      case 'nak':
        this.#naksSent += 1;
        this.#host.send({ code: CONFIGURE_NAK, identifier, data: encodeOptions(verdict.options) }, false);
        return;
      case 'reject':
        this.#host.send({ code: CONFIGURE_REJECT, identifier, data: encodeOptions(verdict.options) }, false);
        return;
      case 'fail':
        return;
    }
  }

  #sendTerminateRequest(): void {
    const repeated = this.#terminateIdentifier !== undefined;
    this.#terminateIdentifier ??= this.nextIdentifier();
    const data = utf8Bytes(this.#terminateText).slice(0, MAX_TERMINATE_TEXT);
    this.#host.send({ code: TERMINATE_REQUEST, identifier: this.#terminateIdentifier, data }, repeated);
  }

  #sendCodeReject(): void {
    if (this.#packet === undefined) return;
    const room = Math.max(0, this.#host.peerMru - 4);
    const data = encodePacket(this.#packet).slice(0, room);
    this.#host.send({ code: CODE_REJECT, identifier: this.nextIdentifier(), data }, false);
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((octet, index) => octet === b[index]);
}
