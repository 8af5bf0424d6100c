/** The sessions of one tunnel: which message is for which, and who may open one. */
import type { Failure, Instant, RandomSource } from '../machine.ts';
import type { UdpPath } from '../udp-path.ts';
import { type Answer, requestOf } from './call-messages.ts';
import type { AvpFields } from './control-message.ts';
import type { EndpointSettings } from './endpoint-settings.ts';
import type { CloseCause, L2tpOutput, TunnelView, WanErrors } from './endpoint-types.ts';
import { cannotOpen } from './failures.ts';
import { freeId } from './ids.ts';
import { MESSAGES, type MessageName } from './message-table.ts';
import { CallResult, resultOf } from './result-code.ts';
import { type Call, type OwnCall, Session, type SessionHost } from './session.ts';
import { framingTypeFor } from './tunnel-setup.ts';

/** What the sessions need of their tunnel. */
export interface CallsHost {
  readonly settings: EndpointSettings;
  readonly random: RandomSource;
  readonly localId: number;
  readonly peerTunnelId: number;
  readonly path: UdpPath;
  /** Framing Capabilities AVP of the peer. */
  readonly peerFraming: number | undefined;
  emit(output: L2tpOutput): void;
  /** @param localSessionId for the trace; 0 when there is no session. */
  send(name: MessageName, fields: AvpFields, localSessionId: number, peerSessionId: number): void;
  nextCallSerialNumber(): number;
}

export class TunnelCalls implements SessionHost {
  readonly #host: CallsHost;
  readonly #sessions = new Map<number, Session>();
  /** Those that wait for the peer: the only ones with a deadline. */
  readonly #pending = new Set<Session>();

  constructor(host: CallsHost) {
    this.#host = host;
  }

  get localId(): number {
    return this.#host.localId;
  }

  get peerTunnelId(): number {
    return this.#host.peerTunnelId;
  }

  get path(): UdpPath {
    return this.#host.path;
  }

  get framingType(): number {
    return framingTypeFor(this.#host.peerFraming);
  }

  get dscp(): number {
    return this.#host.settings.dscp;
  }

  get deadline(): Instant | undefined {
    let earliest: Instant | undefined;
    for (const { deadline } of this.#pending) {
      if (deadline !== undefined && (earliest === undefined || deadline < earliest)) earliest = deadline;
    }
    return earliest;
  }

  views(): TunnelView['sessions'] {
    return [...this.#sessions.values()].map(({ localId, peerId, state }) => ({
      sessionId: localId,
      peerSessionId: peerId,
      state,
    }));
  }

  /** A call of ours. @param established whether the ICRQ or OCRQ may go at once. @returns local session id. */
  open(now: Instant, call: OwnCall, established: boolean): number {
    const localId = this.#freeId();
    const { sessionsPerTunnel } = this.#host.settings.limits;
    if (this.#sessions.size >= sessionsPerTunnel) {
      const failure = cannotOpen(`the tunnel already has ${sessionsPerTunnel} sessions, which is the limit`);
      this.emit({ kind: 'session-down', tunnelId: this.localId, sessionId: localId, failure, byPeer: false });
      return localId;
    }
    const session = this.#add(localId, new Session(this, localId, call));
    if (established) session.tunnelOpen(now);
    return localId;
  }

  /** The call that the peer has us place stands. */
  answer(now: Instant, sessionId: number, answer: Answer): void {
    this.#sessions.get(sessionId)?.answer(now, answer);
  }

  /** The control connection stands. */
  tunnelOpen(now: Instant): void {
    for (const session of [...this.#sessions.values()]) session.tunnelOpen(now);
  }

  close(now: Instant, sessionId: number, cause: CloseCause): void {
    this.#sessions.get(sessionId)?.close(now, cause);
  }

  /** The tunnel is gone, and every session with it. */
  tunnelDown(failure: Failure, byPeer: boolean): void {
    for (const session of [...this.#sessions.values()]) session.tunnelDown(failure, byPeer);
  }

  sendLinkInfo(sessionId: number, sendAccm: number, receiveAccm: number): void {
    const session = this.#established(sessionId);
    if (session) this.sendForSession(session, 'SLI', { accm: { sendAccm, receiveAccm } });
  }

  sendWanErrors(sessionId: number, errors: WanErrors): void {
    const session = this.#established(sessionId);
    if (session) this.sendForSession(session, 'WEN', { callErrors: errors });
  }

  /** A message with session scope, in an established tunnel. @param sessionId of the header. */
  receive(now: Instant, name: MessageName, sessionId: number, fields: AvpFields): void {
    const session = this.find(name, sessionId, fields);
    if (name === 'SLI' && session && fields.accm) {
      this.emit({ kind: 'link-info', tunnelId: this.localId, sessionId: session.localId, ...fields.accm });
    } else if (name === 'WEN' && session && fields.callErrors) {
      const { callErrors: errors } = fields;
      this.emit({ kind: 'wan-error', tunnelId: this.localId, sessionId: session.localId, errors });
    } else if (session) {
      session.receive(now, name, fields);
    } else if (name === 'ICRQ') {
      this.#answerCall(now, fields);
    } else if (name === 'OCRQ') {
      this.#placeCall(now, fields);
    }
    // Anything else for a session that is not there crossed with our CDN, or is of a peer that ended it itself.
  }

  /** A message with session scope that must end its session. */
  receiveInvalid(now: Instant, name: MessageName, sessionId: number, fields: AvpFields, cause: CloseCause): void {
    if (MESSAGES[name].advisory) return;
    const session = this.find(name, sessionId, fields);
    if (session) session.receiveInvalid(now, name, cause);
    else if (name === 'ICRQ' || name === 'OCRQ') this.#refuse(fields, cause);
  }

  tick(now: Instant): void {
    for (const session of [...this.#pending]) session.tick(now);
  }

  /**
   * The session that a message is for. Its header tells; where a CDN's does not, because the peer did not know our id
   * or filled in a wrong one, the peer's own id in the Assigned Session ID AVP does, and last of all our id there.
   */
  find(name: MessageName, sessionId: number, fields: AvpFields): Session | undefined {
    const session = this.#sessions.get(sessionId);
    const assigned = fields.assignedSessionId;
    if (session !== undefined || name !== 'CDN' || assigned === undefined) return session;
    for (const candidate of this.#sessions.values()) if (candidate.peerId === assigned) return candidate;
    return sessionId === 0 ? this.#sessions.get(assigned) : undefined;
  }

  sendForSession(session: Session, name: MessageName, fields: AvpFields): void {
    this.#host.send(name, fields, session.localId, session.peerId);
  }

  emit(output: L2tpOutput): void {
    this.#host.emit(output);
  }

  nextCallSerialNumber(): number {
    return this.#host.nextCallSerialNumber();
  }

  sessionEstablished(session: Session): void {
    this.#pending.delete(session);
  }

  sessionEnded(session: Session): void {
    this.#pending.delete(session);
    this.#sessions.delete(session.localId);
  }

  #answerCall(now: Instant, fields: AvpFields): void {
    const { accept, limits } = this.#host.settings;
    if (accept?.incomingCalls !== true) {
      this.#refuse(fields, {
        resultCode: CallResult.noFacilitiesEver,
        errorCode: 0,
        message: 'no calls are taken here',
      });
      return;
    }
    this.#take(now, 'ICRQ', fields, { role: 'lns', request: fields }, limits.sessionsPerTunnel);
  }

  #placeCall(now: Instant, fields: AvpFields): void {
    const { outgoingCalls, limits } = this.#host.settings;
    const refusal =
      outgoingCalls === undefined
        ? { resultCode: CallResult.noFacilitiesEver, errorCode: 0, message: 'no outgoing calls here' }
        : outgoingCalls(requestOf(fields));
    if (refusal === undefined)
      this.#take(now, 'OCRQ', fields, { role: 'outgoing-lac', request: fields }, limits.sessionsPerTunnel);
    else this.#refuse(fields, refusal);
  }

  /** Makes a session of the peer's request. */
  #take(now: Instant, name: 'ICRQ' | 'OCRQ', fields: AvpFields, call: Call, limit: number): void {
    for (const old of [...this.#sessions.values()]) if (old.peerId === fields.assignedSessionId) old.supersede();
    if (this.#sessions.size >= limit) {
      this.#refuse(fields, { resultCode: CallResult.noFacilitiesNow, errorCode: 0, message: 'too many sessions' });
      return;
    }
    const localId = this.#freeId();
    this.#add(localId, new Session(this, localId, call)).receive(now, name, fields);
  }

  /** A CDN for a call that never got an id here: the Assigned Session ID must be something, and not be in use. */
  #refuse(request: AvpFields, cause: CloseCause): void {
    const fields: AvpFields = { resultCode: resultOf(cause), assignedSessionId: this.#freeId() };
    this.#host.send('CDN', fields, 0, request.assignedSessionId ?? 0);
  }

  #add(localId: number, session: Session): Session {
    this.#sessions.set(localId, session);
    this.#pending.add(session);
    return session;
  }

  #established(sessionId: number): Session | undefined {
    const session = this.#sessions.get(sessionId);
    return session?.state === 'established' ? session : undefined;
  }

  #freeId(): number {
    return freeId(this.#host.random, (id) => this.#sessions.has(id));
  }
}
