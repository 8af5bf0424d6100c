/** One incoming call inside a tunnel, as LAC (the call is ours) or as LNS (it is the peer's): RFC 2661 section 7.4. */
import type { Failure, Instant } from '../machine.ts';
import { printable } from '../printable.ts';
import type { UdpPath } from '../udp-path.ts';
import type { AvpFields } from './control-message.ts';
import type { CloseCause, L2tpOutput, OpenSessionOptions, SessionState } from './endpoint-types.ts';
import { badMessage, noIccn, noIcrp, outOfTurn, peerDisconnected, superseded, weDisconnected } from './failures.ts';
import type { MessageName } from './message-table.ts';
import { CallResult, GeneralError, resultOf } from './result-code.ts';
import { type CallEvent, LAC_INCOMING_CALL, LNS_INCOMING_CALL } from './session-states.ts';
import { findTransition } from './transition-table.ts';

/** How long the LNS may take to answer an ICRQ, ms: it may have to ask an authentication service. */
export const ICRP_TIMEOUT_MS = 30_000;
/** How long the LAC may take from ICRP to ICCN, ms: a modem may have to be answered and trained meanwhile. */
export const ICCN_TIMEOUT_MS = 60_000;

/** (Tx) Connect Speed where the caller tells none, bit/s. */
const DEFAULT_CONNECT_SPEED = 100_000_000;
/** Bearer Type of a call that came over no physical line (section 4.4.4). */
const NO_BEARER = 0;
const U32_MAX = 0xffffffff;

/** What a session needs of its tunnel. */
export interface SessionHost {
  readonly localId: number;
  readonly peerTunnelId: number;
  readonly path: UdpPath;
  /** Framing Type for an ICCN. */
  readonly framingType: number;
  sendForSession(session: Session, name: MessageName, fields: AvpFields): void;
  emit(output: L2tpOutput): void;
  nextCallSerialNumber(): number;
  /** The session has left the states in which it waits for the peer. */
  sessionEstablished(session: Session): void;
  sessionEnded(session: Session): void;
}

/** Who placed the call. */
export type Call =
  | { readonly role: 'lac'; readonly options: OpenSessionOptions }
  /** With the AVPs of the ICRQ. */
  | { readonly role: 'lns'; readonly request: AvpFields };

type State =
  | { readonly kind: 'idle' | 'wait-tunnel' | 'established' }
  | { readonly kind: 'wait-reply' | 'wait-connect'; readonly until: Instant };

/** Why and how a session ends. */
interface Ending {
  readonly cause: CloseCause;
  readonly failure: Failure;
  readonly byPeer: boolean;
}

export class Session {
  readonly localId: number;
  /** 0 until the peer has told it. */
  peerId = 0;
  readonly #host: SessionHost;
  readonly #call: Call;
  #state: State;

  constructor(host: SessionHost, localId: number, call: Call) {
    this.#host = host;
    this.localId = localId;
    this.#call = call;
    this.#state = { kind: call.role === 'lac' ? 'wait-tunnel' : 'idle' };
  }

  /** As the view tells it. */
  get state(): SessionState {
    return this.#state.kind === 'idle' ? 'wait-connect' : this.#state.kind;
  }

  get deadline(): Instant | undefined {
    return 'until' in this.#state ? this.#state.until : undefined;
  }

  /** The control connection stands: the ICRQ may go. */
  tunnelOpen(now: Instant): void {
    this.#step(now, 'tunnel open', {});
  }

  /** A message for this session; SLI, WEN and whatever has a place in no row of the tables do nothing here. */
  receive(now: Instant, name: MessageName, fields: AvpFields): void {
    switch (name) {
      case 'ICRQ':
      case 'ICRP':
      case 'ICCN':
        this.#step(now, name, fields, this.#outOfTurn(name));
        break;
      case 'OCRQ':
      case 'OCRP':
      case 'OCCN':
        this.#step(now, 'outgoing call message', fields, this.#outOfTurn(name));
        break;
      case 'CDN': {
        const refused = this.#state.kind === 'wait-reply';
        const failure = peerDisconnected(this.#host.path.remote, fields.resultCode, refused);
        this.#step(now, 'CDN', fields, { cause: { resultCode: CallResult.generalError }, failure, byPeer: true });
        break;
      }
      default:
        break;
    }
  }

  /** A message for this session that cannot be accepted. */
  receiveInvalid(now: Instant, name: MessageName, cause: CloseCause): void {
    const failure = badMessage(name, this.#host.path.remote, cause.message ?? '');
    this.#step(now, 'invalid message', {}, { cause, failure, byPeer: false });
  }

  /** Ends the session from this side. */
  close(now: Instant, cause: CloseCause): void {
    this.#step(now, 'local close', {}, { cause, failure: weDisconnected(cause), byPeer: false });
  }

  /** The peer uses the session's id for a new call: the end, without a CDN, which would hit the new one. */
  supersede(): void {
    this.tunnelDown(superseded(this.#host.path.remote), true);
  }

  /** The tunnel is gone: the end, without a CDN. */
  tunnelDown(failure: Failure, byPeer: boolean): void {
    if (this.#state.kind === 'idle') return;
    this.#cleanUp(failure, byPeer);
  }

  tick(now: Instant): void {
    if (!('until' in this.#state) || now < this.#state.until) return;
    const { remote } = this.#host.path;
    const failure =
      this.#state.kind === 'wait-reply'
        ? noIcrp(remote, ICRP_TIMEOUT_MS / 1000)
        : noIccn(remote, ICCN_TIMEOUT_MS / 1000);
    this.#step(
      now,
      'no answer',
      {},
      { cause: { resultCode: CallResult.notEstablishedInTime }, failure, byPeer: false },
    );
  }

  #step(now: Instant, event: CallEvent, fields: AvpFields, ending?: Ending): void {
    const table = this.#call.role === 'lac' ? LAC_INCOMING_CALL : LNS_INCOMING_CALL;
    const row = findTransition(table, this.#state.kind, event);
    if (row === undefined) return;
    switch (row.action) {
      case 'send ICRQ':
        this.#state = { kind: 'wait-reply', until: now + ICRP_TIMEOUT_MS };
        this.#sendIcrq();
        break;
      case 'send ICRP':
        this.#state = { kind: 'wait-connect', until: now + ICCN_TIMEOUT_MS };
        this.peerId = fields.assignedSessionId ?? 0;
        // First, for the peer's first frame can come right behind its answer.
        this.#opening(true);
        this.#host.sendForSession(this, 'ICRP', { assignedSessionId: this.localId });
        break;
      case 'send ICCN':
        this.#state = { kind: 'established' };
        this.peerId = fields.assignedSessionId ?? 0;
        this.#opening(false);
        this.#sendIccn();
        break;
      case 'prepare for data':
        this.#state = { kind: 'established' };
        this.#upAsLns(fields);
        break;
      case 'send CDN, clean up': {
        const { cause, failure, byPeer } = ending ?? this.#outOfTurn(event);
        this.#host.sendForSession(this, 'CDN', { resultCode: resultOf(cause), assignedSessionId: this.localId });
        this.#cleanUp(failure, byPeer);
        break;
      }
      case 'clean up': {
        const { failure, byPeer } = ending ?? this.#outOfTurn(event);
        this.#cleanUp(failure, byPeer);
        break;
      }
    }
  }

  #sendIcrq(): void {
    const options = this.#call.role === 'lac' ? this.#call.options : {};
    this.#host.sendForSession(this, 'ICRQ', {
      assignedSessionId: this.localId,
      callSerialNumber: this.#host.nextCallSerialNumber(),
      bearerType: NO_BEARER,
      ...(options.callingNumber === undefined ? {} : { callingNumber: options.callingNumber }),
      ...(options.calledNumber === undefined ? {} : { calledNumber: options.calledNumber }),
      ...(options.subAddress === undefined ? {} : { subAddress: options.subAddress }),
    });
  }

  #sendIccn(): void {
    const options = this.#call.role === 'lac' ? this.#call.options : {};
    const sequencing = options.sequencing ?? false;
    const speed = Math.min(Math.max(0, Math.floor(options.connectSpeed ?? DEFAULT_CONNECT_SPEED)), U32_MAX);
    this.#host.sendForSession(this, 'ICCN', {
      txConnectSpeed: speed,
      framingType: this.#host.framingType,
      ...(sequencing ? { sequencingRequired: true as const } : {}),
    });
    this.#host.sessionEstablished(this);
    this.#host.emit({ kind: 'session-up', tunnelId: this.#host.localId, sessionId: this.localId, sequencing });
  }

  #opening(incoming: boolean): void {
    this.#host.emit({
      kind: 'session-opening',
      tunnelId: this.#host.localId,
      sessionId: this.localId,
      peerTunnelId: this.#host.peerTunnelId,
      peerSessionId: this.peerId,
      path: this.#host.path,
      incoming,
    });
  }

  #upAsLns(fields: AvpFields): void {
    const request = this.#call.role === 'lns' ? this.#call.request : {};
    this.#host.sessionEstablished(this);
    this.#host.emit({
      kind: 'session-up',
      tunnelId: this.#host.localId,
      sessionId: this.localId,
      sequencing: fields.sequencingRequired ?? false,
      ...(fields.txConnectSpeed === undefined ? {} : { connectSpeed: fields.txConnectSpeed }),
      ...(request.callingNumber === undefined ? {} : { callingNumber: printable(request.callingNumber) }),
      ...(request.calledNumber === undefined ? {} : { calledNumber: printable(request.calledNumber) }),
    });
  }

  #cleanUp(failure: Failure, byPeer: boolean): void {
    this.#state = { kind: 'idle' };
    this.#host.sessionEnded(this);
    const { localId: tunnelId } = this.#host;
    this.#host.emit({ kind: 'session-down', tunnelId, sessionId: this.localId, failure, byPeer });
  }

  #outOfTurn(name: string): Ending {
    const message = `${name} out of turn`;
    return {
      cause: { resultCode: CallResult.generalError, errorCode: GeneralError.invalidSessionId, message },
      failure: outOfTurn(name, this.#host.path.remote),
      byPeer: false,
    };
  }
}

/** Accepts the peer's call: sends the ICRP. */
export function acceptCall(now: Instant, session: Session, request: AvpFields): void {
  session.receive(now, 'ICRQ', request);
}
