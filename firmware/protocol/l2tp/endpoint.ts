/** An L2TPv2 endpoint (RFC 2661): many tunnels with many sessions each, originated here or by peers. */
import { ByteReader, DecodeError, utf8Bytes } from '../bytes.ts';
import type { Failure, Instant, Machine, RandomSource } from '../machine.ts';
import { samePeer, type UdpEndpoint, type UdpPath } from '../udp-path.ts';
import { Admission, breakTie } from './admission.ts';
import type { Answer } from './call-messages.ts';
import { type AvpFields, type ControlMessage, decodeControlMessage, encodeControlMessage } from './control-message.ts';
import { checkNames, type EndpointSettings, endpointSettings } from './endpoint-settings.ts';
import type {
  CloseCause,
  L2tpCounters,
  L2tpEndpointOptions,
  L2tpOutput,
  OpenCallOptions,
  OpenSessionOptions,
  OpenTunnelOptions,
  TunnelView,
  WanErrors,
} from './endpoint-types.ts';
import { cannotOpen } from './failures.ts';
import { decodeControlHeader, type ReceivedControlHeader } from './header.ts';
import { freeId } from './ids.ts';
import { findProblem, generalError } from './message-check.ts';
import { MESSAGES } from './message-table.ts';
import { sameHost } from './peer-key.ts';
import { GeneralError, resultOf } from './result-code.ts';
import { advance } from './sequence-number.ts';
import type { OwnCall } from './session.ts';
import { Tunnel, type TunnelHost } from './tunnel.ts';
import { judgeSccrq } from './tunnel-setup.ts';

/** Closed tunnels that may linger at a time. They hold little, and whoever lost one only misses an acknowledgement. */
const MAX_LINGERING = 256;

/**
 * Tunnels in one protected channel at a time. A channel is one caller, who needs one; without this limit a single one that
 * knows the key could take all the tunnels that there are.
 */
const MAX_TUNNELS_PER_BEARER = 16;

export class L2tpEndpoint implements Machine<L2tpOutput>, TunnelHost {
  readonly counters: L2tpCounters = {
    received: 0,
    malformed: 0,
    unknownTunnel: 0,
    wrongSource: 0,
    duplicate: 0,
    outOfWindow: 0,
    halfOpenLimit: 0,
    notAccepting: 0,
    authenticationFailed: 0,
  };
  readonly settings: EndpointSettings;
  readonly random: RandomSource;
  readonly #admission: Admission;
  readonly #tunnels = new Map<number, Tunnel>();
  /** Those of `#tunnels` that are closing, the longest first. */
  readonly #lingering = new Set<Tunnel>();
  readonly #outputs: L2tpOutput[] = [];
  #callSerialNumber: number;

  /** @throws RangeError when the options hold what cannot be sent. */
  constructor(options: L2tpEndpointOptions, random: RandomSource) {
    this.settings = endpointSettings(options);
    this.random = random;
    this.#admission = new Admission(this.settings.limits);
    this.#callSerialNumber = new ByteReader(random.bytes(4)).u32('random');
  }

  /** Opens a tunnel: the SCCRQ goes out. @returns local tunnel id. */
  openTunnel(now: Instant, options: OpenTunnelOptions): number {
    const localId = this.#freeTunnelId();
    const withTieBreaker = options.tieBreaker ?? this.settings.accept !== undefined;
    const tunnel = new Tunnel(now, this, {
      localId,
      path: options.path,
      ...(options.secret === undefined ? {} : { secret: utf8Bytes(options.secret) }),
      hideAvps: options.hideAvps ?? false,
      ...(withTieBreaker ? { tieBreaker: new ByteReader(this.random.bytes(8)).u64('random') } : {}),
      followReplyPort: options.followReplyPort ?? true,
    });
    this.#tunnels.set(localId, tunnel);
    tunnel.open(now);
    return localId;
  }

  /**
   * Announces a call of ours: the ICRQ goes now, or once the tunnel is up. Where that cannot be, because the tunnel is
   * gone or full, a `session-down` says so.
   * @returns local session id, unique within its tunnel.
   * @throws RangeError when a number or the sub-address is longer than 255 octets.
   */
  openSession(now: Instant, tunnelId: number, options: OpenSessionOptions = {}): number {
    checkNames(options.callingNumber, options.calledNumber, options.subAddress);
    return this.#open(now, tunnelId, { role: 'lac', options });
  }

  /**
   * Has the peer place a call (OCRQ, RFC 2661 section 6.9): as {@link openSession}, but that this side is the LNS of it.
   * @throws RangeError when the number or the sub-address is longer than 255 octets.
   */
  openCall(now: Instant, tunnelId: number, options: OpenCallOptions): number {
    checkNames(options.calledNumber, options.subAddress);
    return this.#open(now, tunnelId, { role: 'outgoing-lns', options });
  }

  /** The call of a `call-requested` stands: the OCCN goes, and `session-up` follows. Harmless when it is over. */
  answerCall(now: Instant, tunnelId: number, sessionId: number, answer: Answer = {}): void {
    this.#with(now, tunnelId, (tunnel) => tunnel.answerCall(now, sessionId, answer));
  }

  #open(now: Instant, tunnelId: number, call: OwnCall): number {
    const opened = this.#with(now, tunnelId, (tunnel) => tunnel.openSession(now, call));
    if (opened !== undefined) return opened;
    const sessionId = freeId(this.random, () => false);
    const failure = cannotOpen('its tunnel is closed');
    this.emit({ kind: 'session-down', tunnelId, sessionId, failure, byPeer: false });
    return sessionId;
  }

  /** Ends a session with a CDN; `session-down` follows at once. Harmless when there is no such session. */
  closeSession(now: Instant, tunnelId: number, sessionId: number, cause: CloseCause): void {
    this.#with(now, tunnelId, (tunnel) => tunnel.closeSession(now, sessionId, cause));
  }

  /**
   * Ends a tunnel with a StopCCN: `session-down` for each session and `tunnel-down` come at once, while the StopCCN is
   * still being delivered. Harmless when there is no such tunnel.
   */
  closeTunnel(now: Instant, tunnelId: number, cause: CloseCause): void {
    this.#with(now, tunnelId, (tunnel) => tunnel.close(now, cause));
  }

  /** Closes every tunnel. */
  shutdown(now: Instant, cause: CloseCause): void {
    for (const tunnelId of [...this.#tunnels.keys()]) this.closeTunnel(now, tunnelId, cause);
  }

  /**
   * A protected channel is gone: every tunnel in it ends at once with `failure` (`session-down` for each session, then
   * `tunnel-down`), and nothing is sent, not even in answer to what still comes. Harmless when there is none.
   */
  closeBearer(now: Instant, bearer: number, failure: Failure): void {
    for (const tunnel of [...this.#tunnels.values()]) {
      if (tunnel.path.bearer !== bearer) continue;
      tunnel.abandon(now, failure);
      this.#settle(now, tunnel);
    }
  }

  /** Asks the peer for a sign of life now, unless it is being asked already. */
  probe(now: Instant, tunnelId: number): void {
    this.#with(now, tunnelId, (tunnel) => tunnel.probe(now));
  }

  /** Set-Link-Info, for an LNS: the ACCMs that PPP negotiated, 32 bits each. Only in an established session. */
  sendLinkInfo(now: Instant, tunnelId: number, sessionId: number, sendAccm: number, receiveAccm: number): void {
    this.#with(now, tunnelId, (tunnel) => tunnel.sendLinkInfo(now, sessionId, sendAccm, receiveAccm));
  }

  /**
   * WAN-Error-Notify, for a LAC: counts since the call began, 32 bits each. Only in an established session. The caller
   * sees to it that there is not more than one a minute (RFC 2661 section 6.13).
   */
  sendWanErrors(now: Instant, tunnelId: number, sessionId: number, errors: WanErrors): void {
    this.#with(now, tunnelId, (tunnel) => tunnel.sendWanErrors(now, sessionId, errors));
  }

  /** One datagram with a control message. Whatever is in it, nothing is thrown; what cannot be used is counted. */
  receive(now: Instant, datagram: Uint8Array, path: UdpPath): void {
    this.counters.received += 1;
    try {
      const header = decodeControlHeader(datagram);
      // Kept in queues and looked at later: the caller may use its buffer again.
      const message = datagram.slice(0, header.length);
      if (header.tunnelId === 0) this.#receiveWithoutTunnel(now, message, path);
      else this.#receiveForTunnel(now, header, message, path);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.counters.malformed += 1;
    }
  }

  /**
   * The network reported an error towards `remote`, for what goes there in clear.
   * @param code errno name such as `ECONNREFUSED`.
   */
  pathError(now: Instant, remote: UdpEndpoint, code: string): void {
    // A datagram that was too big says nothing about the peer.
    if (code === 'EMSGSIZE') return;
    for (const tunnel of this.#tunnels.values()) {
      if (samePeer(tunnel.path, { remote, local: tunnel.path.local })) tunnel.pathError(now, code);
    }
  }

  /** User data came through the tunnel: the peer lives. */
  dataReceived(now: Instant, tunnelId: number): void {
    this.#tunnels.get(tunnelId)?.dataReceived(now);
  }

  /** Every tunnel, those that only linger included (their state is `closing`). */
  tunnels(): readonly TunnelView[] {
    return [...this.#tunnels.values()].map((tunnel) => tunnel.view);
  }

  /** One tunnel; `undefined` when there is none of this id, not even lingering. */
  tunnel(tunnelId: number): TunnelView | undefined {
    return this.#tunnels.get(tunnelId)?.view;
  }

  /** There is no tunnel but lingering ones, and those have nothing unacknowledged that a peer waits for. */
  get idle(): boolean {
    if (this.#tunnels.size > this.#lingering.size) return false;
    for (const tunnel of this.#lingering) if (!tunnel.settled) return false;
    return true;
  }

  tick(now: Instant): void {
    for (const tunnel of [...this.#tunnels.values()]) {
      const { deadline } = tunnel;
      if (deadline === undefined || now < deadline) continue;
      tunnel.tick(now);
      this.#settle(now, tunnel);
    }
  }

  nextDeadline(): Instant | undefined {
    let earliest: Instant | undefined;
    for (const { deadline } of this.#tunnels.values()) {
      if (deadline !== undefined && (earliest === undefined || deadline < earliest)) earliest = deadline;
    }
    return earliest;
  }

  poll(): L2tpOutput | undefined {
    return this.#outputs.shift();
  }

  /** For the endpoint's tunnels. */
  emit(output: L2tpOutput): void {
    this.#outputs.push(output);
  }

  /** For the endpoint's tunnels: ever increasing, 32 bits (RFC 2661 section 4.4.4). */
  nextCallSerialNumber(): number {
    this.#callSerialNumber = (this.#callSerialNumber + 1) >>> 0;
    return this.#callSerialNumber;
  }

  #receiveForTunnel(now: Instant, header: ReceivedControlHeader, message: Uint8Array, path: UdpPath): void {
    const tunnel = this.#tunnels.get(header.tunnelId);
    if (tunnel === undefined) {
      this.counters.unknownTunnel += 1;
    } else if (!tunnel.accepts(path)) {
      this.counters.wrongSource += 1;
    } else {
      tunnel.receive(now, header, message, path);
      this.#settle(now, tunnel);
    }
  }

  /** Tunnel ID 0: the sender does not know our id, which is legal for an SCCRQ and for a StopCCN (section 4.4.3). */
  #receiveWithoutTunnel(now: Instant, datagram: Uint8Array, path: UdpPath): void {
    const message = decodeControlMessage(datagram, this.settings.accept?.secret);
    const name = message.body?.name;
    if (name === 'SCCRQ') {
      this.#receiveSccrq(now, message, datagram, path);
      return;
    }
    const tunnel = name === 'StopCCN' ? this.#stoppedTunnel(message.body?.fields, path) : undefined;
    if (tunnel === undefined) {
      this.counters.unknownTunnel += 1;
      return;
    }
    tunnel.receive(now, message.header, datagram, path);
    this.#settle(now, tunnel);
  }

  #stoppedTunnel(fields: AvpFields | undefined, path: UdpPath): Tunnel | undefined {
    const accepted = this.#admission.find(path, fields?.assignedTunnelId ?? 0);
    if (accepted) return accepted;
    // A server that made no tunnel may not have looked at the id in our SCCRQ either.
    const waiting = [...this.#tunnels.values()].filter(
      (tunnel) => tunnel.state === 'wait-reply' && samePeer(tunnel.path, path),
    );
    return waiting.length === 1 ? waiting[0] : undefined;
  }

  #receiveSccrq(now: Instant, { header, body }: ControlMessage, datagram: Uint8Array, path: UdpPath): void {
    const { accept, limits } = this.settings;
    if (accept === undefined) {
      this.counters.notAccepting += 1;
      return;
    }
    const peerTunnelId = body?.fields.assignedTunnelId;
    if (body === undefined || peerTunnelId === undefined || header.ns !== 0) {
      this.counters.malformed += 1;
      return;
    }
    const seen = this.#admission.recognize(now, path, peerTunnelId, datagram);
    if (seen.kind === 'repeated') {
      this.counters.duplicate += 1;
      seen.tunnel.sccrqAgain(now);
      return;
    }
    const problem = findProblem(body, MESSAGES.SCCRQ);
    const refusal = problem ? undefined : judgeSccrq(body.fields, accept.secret, path.remote);
    if (refusal?.authentication) this.counters.authenticationFailed += 1;
    const cause = problem ?? refusal?.cause;
    if (cause) {
      this.#turnAway(header.ns, peerTunnelId, cause, path);
      return;
    }
    const room = this.#admission.roomFor(now, path);
    if (room.kind !== 'free') this.counters.halfOpenLimit += 1;
    if (room.kind === 'none') return;
    if (room.kind === 'evict') this.#forget(now, room.tunnel);
    if (this.#tunnels.size - this.#lingering.size >= limits.tunnels || this.#isFull(path.bearer)) {
      this.counters.halfOpenLimit += 1;
      this.#turnAway(
        header.ns,
        peerTunnelId,
        generalError(GeneralError.insufficientResources, 'too many tunnels'),
        path,
      );
      return;
    }
    if (!this.#winsTie(now, body.fields, path)) return;
    const localId = this.#freeTunnelId();
    const { secret, hideAvps } = accept;
    const options = { localId, path, hideAvps, followReplyPort: false };
    const tunnel = new Tunnel(now, this, secret === undefined ? options : { ...options, secret });
    this.#tunnels.set(localId, tunnel);
    this.#admission.add(now, tunnel, path, peerTunnelId, datagram);
    tunnel.accept(now, header, body, path);
  }

  #isFull(bearer: number | undefined): boolean {
    if (bearer === undefined) return false;
    let count = 0;
    for (const tunnel of this.#tunnels.values()) {
      if (tunnel.path.bearer === bearer && !this.#lingering.has(tunnel)) count += 1;
    }
    return count >= MAX_TUNNELS_PER_BEARER;
  }

  /** Whether the peer's SCCRQ may make a tunnel although one of ours to the same peer is on its way. */
  #winsTie(now: Instant, fields: AvpFields, path: UdpPath): boolean {
    let wins = true;
    for (const tunnel of [...this.#tunnels.values()]) {
      if (tunnel.state !== 'wait-reply' || !sameHost(tunnel.path, path)) continue;
      const result = breakTie(tunnel.tieBreaker, fields.tieBreaker);
      if (result === 'ours' || result === 'neither') wins = false;
      if (result === 'theirs' || result === 'neither') {
        tunnel.loseTie(now);
        this.#settle(now, tunnel);
      }
    }
    return wins;
  }

  /** A StopCCN for an SCCRQ that makes no tunnel. Nothing is remembered: a repeated SCCRQ is turned away again. */
  #turnAway(ns: number, peerTunnelId: number, cause: CloseCause, path: UdpPath): void {
    const header = { tunnelId: peerTunnelId, sessionId: 0, ns: 0, nr: advance(ns) };
    const fields = { assignedTunnelId: this.#freeTunnelId(), resultCode: resultOf(cause) };
    this.emit({ kind: 'trace', tunnelId: 0, sessionId: 0, direction: 'sent', message: 'StopCCN' });
    this.emit({ kind: 'send', datagram: encodeControlMessage(header, 'StopCCN', fields), path });
  }

  /** Does something with a tunnel that is not closed; `undefined` when there is none of this id. */
  #with<Result>(now: Instant, tunnelId: number, action: (tunnel: Tunnel) => Result): Result | undefined {
    const tunnel = this.#tunnels.get(tunnelId);
    if (tunnel === undefined || tunnel.state === 'closing') return undefined;
    const result = action(tunnel);
    this.#settle(now, tunnel);
    return result;
  }

  /** Moves a tunnel to where its state belongs. */
  #settle(now: Instant, tunnel: Tunnel): void {
    this.#admission.update(now, tunnel);
    if (tunnel.state === 'closing' && !this.#lingering.has(tunnel)) {
      this.#lingering.add(tunnel);
      const [oldest] = this.#lingering;
      if (this.#lingering.size > MAX_LINGERING && oldest) this.#forget(now, oldest);
    }
    if (tunnel.state === 'gone') this.#forget(now, tunnel);
  }

  #forget(now: Instant, tunnel: Tunnel): void {
    tunnel.forget();
    this.#tunnels.delete(tunnel.localId);
    this.#lingering.delete(tunnel);
    this.#admission.update(now, tunnel);
  }

  #freeTunnelId(): number {
    return freeId(this.random, (id) => this.#tunnels.has(id));
  }
}
