/** One tunnel: its control connection, the reliable delivery below it, its sessions above it, and its keepalive. */
import { DecodeError } from '../bytes.ts';
import type { Failure, Instant, RandomSource } from '../machine.ts';
import type { UdpPath } from '../udp-path.ts';
import type { Answer } from './call-messages.ts';
import { ControlChannel } from './control-channel.ts';
import { type ConnectionHost, ControlConnection, type TunnelOptions } from './control-connection.ts';
import { type AvpFields, decodeControlMessage, type MessageBody } from './control-message.ts';
import type { EndpointSettings } from './endpoint-settings.ts';
import type { CloseCause, L2tpCounters, L2tpOutput, TunnelView, WanErrors } from './endpoint-types.ts';
import { backlogFull } from './failures.ts';
import type { ReceivedControlHeader } from './header.ts';
import { Keepalive } from './keepalive.ts';
import { findProblem, generalError } from './message-check.ts';
import { MESSAGES, type MessageName } from './message-table.ts';
import { GeneralError } from './result-code.ts';
import type { OwnCall } from './session.ts';
import { type CallsHost, TunnelCalls } from './tunnel-calls.ts';

/** Control messages that may wait behind the window beyond those of the sessions, before the peer is given up. */
const BACKLOG_LIMIT = 1024;
/** More than a session ever says by itself: ICRQ or ICRP, ICCN, CDN, and one to spare. */
const MESSAGES_PER_SESSION = 4;

/** What a tunnel needs of its endpoint. */
export interface TunnelHost {
  readonly settings: EndpointSettings;
  readonly random: RandomSource;
  readonly counters: L2tpCounters;
  emit(output: L2tpOutput): void;
  nextCallSerialNumber(): number;
}

/** A message in the receive queue. */
interface Received {
  readonly body: MessageBody;
  readonly sessionId: number;
  readonly path: UdpPath;
}

export class Tunnel implements CallsHost, ConnectionHost {
  readonly localId: number;
  readonly tieBreaker: bigint | undefined;
  readonly #host: TunnelHost;
  readonly #secret: Uint8Array | undefined;
  readonly #channel: ControlChannel<Received>;
  readonly #connection: ControlConnection;
  readonly #calls: TunnelCalls;
  #keepalive: Keepalive | undefined;
  #lastHeard: Instant;
  /** Ns of a message whose body could not be read. */
  #malformedNs: number | undefined;

  constructor(now: Instant, host: TunnelHost, options: TunnelOptions) {
    this.localId = options.localId;
    this.tieBreaker = options.tieBreaker;
    this.#host = host;
    this.#secret = options.secret;
    this.#channel = new ControlChannel(host.settings);
    this.#connection = new ControlConnection(now, this, this.#channel, options);
    this.#calls = new TunnelCalls(this);
    this.#lastHeard = now;
  }

  get settings(): EndpointSettings {
    return this.#host.settings;
  }

  get random(): RandomSource {
    return this.#host.random;
  }

  get counters(): L2tpCounters {
    return this.#host.counters;
  }

  get path(): UdpPath {
    return this.#connection.path;
  }

  get peerTunnelId(): number {
    return this.#channel.peerTunnelId;
  }

  get peerFraming(): number | undefined {
    return this.#connection.peerFraming;
  }

  get state(): ControlConnection['state'] {
    return this.#connection.state;
  }

  /** Nothing is unacknowledged that a peer, if there ever was one, still waits for. */
  get settled(): boolean {
    return this.#channel.settled || !this.#connection.heard;
  }

  get view(): TunnelView {
    const { state, peer, incoming, path } = this.#connection;
    return {
      tunnelId: this.localId,
      peerTunnelId: this.peerTunnelId,
      state: state === 'idle' || state === 'gone' ? 'closing' : state,
      path,
      ...(peer === undefined ? {} : { peer }),
      incoming,
      lastHeard: this.#lastHeard,
      sessions: this.#calls.views(),
    };
  }

  /** We are the originator: the SCCRQ goes out. */
  open(now: Instant): void {
    this.#connection.open(now);
    this.#flush(now);
  }

  /** The peer is: its SCCRQ, found acceptable, is answered with the SCCRP. */
  accept(now: Instant, header: ReceivedControlHeader, body: MessageBody, path: UdpPath): void {
    this.#channel.receive(now, header, { value: { body, sessionId: 0, path }, octets: header.length });
    this.#channel.take();
    this.#trace('received', 'SCCRQ', 0);
    this.#heardFrom(now);
    this.#connection.accept(now, body.fields);
    this.#flush(now);
  }

  /** The SCCRQ that made this tunnel has come again. */
  sccrqAgain(now: Instant): void {
    if (this.state === 'wait-connect') {
      if (this.#channel.oldest?.name === 'SCCRP') this.#channel.repeatOldest();
      this.#flush(now);
    } else {
      // A straggler, or the peer has started anew with the same ids: a Hello finds out which.
      this.pathError(now, '');
    }
  }

  /** Whether a control message that came this way may be this tunnel's. */
  accepts(path: UdpPath): boolean {
    return this.#connection.accepts(path);
  }

  /** A control message with this tunnel's id, by a way that {@link accepts}. @param datagram not changed later. */
  receive(now: Instant, header: ReceivedControlHeader, datagram: Uint8Array, path: UdpPath): void {
    let body: MessageBody | undefined;
    try {
      body = decodeControlMessage(datagram, this.#secret).body;
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.counters.malformed += 1;
      this.#malformed(now, header.ns, error.message);
      return;
    }
    const message = body && { value: { body, sessionId: header.sessionId, path }, octets: header.length };
    const arrival = this.#channel.receive(now, header, message);
    if (arrival === 'out-of-window') {
      this.counters.outOfWindow += 1;
      return;
    }
    if (arrival === 'duplicate') this.counters.duplicate += 1;
    this.#heardFrom(now);
    this.#connection.noteMove(path);
    for (let next = this.#channel.take(); next !== undefined; next = this.#channel.take()) this.#handle(now, next);
    this.#flush(now);
  }

  /** A call of ours; the ICRQ or OCRQ goes now or as soon as the tunnel is up. */
  openSession(now: Instant, call: OwnCall): number {
    const sessionId = this.#calls.open(now, call, this.state === 'established');
    this.#flush(now);
    return sessionId;
  }

  answerCall(now: Instant, sessionId: number, answer: Answer): void {
    this.#calls.answer(now, sessionId, answer);
    this.#flush(now);
  }

  closeSession(now: Instant, sessionId: number, cause: CloseCause): void {
    this.#calls.close(now, sessionId, cause);
    this.#flush(now);
  }

  close(now: Instant, cause: CloseCause): void {
    this.#connection.close(now, cause);
    this.#flush(now);
  }

  /** The end without a word to the peer, whom nothing reaches any more. */
  abandon(now: Instant, failure: Failure): void {
    if (this.state === 'closing') this.#connection.forget();
    else this.#connection.fail(now, failure);
  }

  loseTie(now: Instant): void {
    this.#connection.loseTie(now);
  }

  /** Nothing is answered any more. */
  forget(): void {
    this.#connection.forget();
  }

  /** Asks the peer for a sign of life, unless it is being asked already. */
  probe(now: Instant): void {
    if (this.#keepalive?.probing !== false) return;
    this.#sendProbe(now, this.#keepalive);
    this.#flush(now);
  }

  /** The network reported an error towards the peer: a hint to look, never proof. @param code errno name. */
  pathError(now: Instant, code: string): void {
    this.#connection.notePathError(code);
    if (this.#keepalive?.probedLately(now) === false) this.probe(now);
  }

  dataReceived(now: Instant): void {
    this.#lastHeard = now;
    this.#keepalive?.heard(now);
  }

  sendLinkInfo(now: Instant, sessionId: number, sendAccm: number, receiveAccm: number): void {
    this.#calls.sendLinkInfo(sessionId, sendAccm, receiveAccm);
    this.#flush(now);
  }

  sendWanErrors(now: Instant, sessionId: number, errors: WanErrors): void {
    this.#calls.sendWanErrors(sessionId, errors);
    this.#flush(now);
  }

  get deadline(): Instant | undefined {
    if (this.state === 'gone') return undefined;
    const channel = this.#keepalive?.probing ? undefined : this.#channel.deadline;
    let earliest: Instant | undefined;
    for (const at of [this.#connection.until, this.#keepalive?.deadline, this.#calls.deadline, channel]) {
      if (at !== undefined && (earliest === undefined || at < earliest)) earliest = at;
    }
    return earliest;
  }

  tick(now: Instant): void {
    this.#calls.tick(now);
    const due = this.#keepalive?.due(now);
    if (due === 'probe' && this.#keepalive) this.#sendProbe(now, this.#keepalive);
    // While probes are out they are the retransmissions: the channel's own timer would only double them.
    if (!this.#keepalive?.probing) this.#channel.tick(now);
    const { until } = this.#connection;
    if (due === 'dead' || this.#channel.failed || (until !== undefined && now >= until)) {
      this.#connection.giveUp(now, this.#keepalive?.lastInput ?? now);
    }
    this.#flush(now);
  }

  /** The control connection stands. */
  established(now: Instant): void {
    this.#keepalive = new Keepalive(this.settings.hello, now);
    this.#calls.tunnelOpen(now);
  }

  /** The control connection is gone. */
  down(failure: Failure, byPeer: boolean): void {
    this.#keepalive = undefined;
    this.#calls.tunnelDown(failure, byPeer);
  }

  emit(output: L2tpOutput): void {
    this.#host.emit(output);
  }

  send(name: MessageName, fields: AvpFields, localSessionId: number, peerSessionId: number): void {
    this.#connection.send(name, fields, localSessionId, peerSessionId);
  }

  nextCallSerialNumber(): number {
    return this.#host.nextCallSerialNumber();
  }

  #handle(now: Instant, { body, sessionId, path }: Received): void {
    const { name, fields } = body;
    this.#trace('received', name ?? `message ${body.vendor}/${body.messageType}`, sessionId);
    if (name === undefined) {
      // A vendor's message is never fatal; one of the IETF's is when it says so (section 4.4.1).
      if (body.vendor !== 0 || !body.mandatory) return;
      const words = `unknown mandatory message type ${body.messageType}`;
      this.#connection.invalid(now, 'control message', generalError(GeneralError.unknownMandatoryAvp, words));
      return;
    }
    const definition = MESSAGES[name];
    // Whatever is wrong with a StopCCN or a CDN, its sender is done with the tunnel or the session.
    const problem = name === 'StopCCN' || name === 'CDN' ? undefined : findProblem(body, definition);
    if (definition.scope === 'tunnel') {
      if (problem === undefined) this.#connection.receive(now, name, fields, path);
      else this.#connection.invalid(now, name, problem);
    } else if (this.state === 'established') {
      this.#connection.proven = true;
      if (problem === undefined) this.#calls.receive(now, name, sessionId, fields);
      else this.#calls.receiveInvalid(now, name, sessionId, fields, problem);
    }
  }

  /** A body that cannot be read is not acknowledged; when the peer repeats it, it means it (section 7.1). */
  #malformed(now: Instant, ns: number, words: string): void {
    if (ns !== this.#channel.nr) return;
    if (this.#malformedNs === ns) {
      this.#connection.invalid(now, 'control message', generalError(GeneralError.length, words));
      this.#flush(now);
    }
    this.#malformedNs = ns;
  }

  #heardFrom(now: Instant): void {
    this.#lastHeard = now;
    this.#connection.noteHeard();
    this.#keepalive?.heard(now);
  }

  /** One message is enough to be acknowledged: a new Hello only when nothing else is outstanding. */
  #sendProbe(now: Instant, keepalive: Keepalive): void {
    keepalive.probed(now);
    if (!this.#channel.retransmit(now)) this.send('HELLO', {}, 0, 0);
  }

  #trace(direction: 'sent' | 'received', message: string, sessionId: number): void {
    this.emit({ kind: 'trace', tunnelId: this.localId, sessionId, direction, message });
  }

  #flush(now: Instant): void {
    const limit = BACKLOG_LIMIT + MESSAGES_PER_SESSION * this.settings.limits.sessionsPerTunnel;
    if (this.#channel.backlog > limit) this.#connection.fail(now, backlogFull(this.path.remote));
    if (this.state === 'gone') return;
    this.#channel.flush(now);
    for (let next = this.#channel.poll(); next !== undefined; next = this.#channel.poll()) {
      if (next.first) this.#trace('sent', next.first.name, next.first.sessionId);
      this.emit({ kind: 'send', datagram: next.datagram, path: this.path });
    }
  }
}
