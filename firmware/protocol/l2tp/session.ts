/** One call inside a tunnel, incoming or outgoing, as LAC or as LNS: RFC 2661 sections 7.4 and 7.5. */
import type { Failure, Instant } from '../machine.ts';
import type { UdpPath } from '../udp-path.ts';
import {
  type Answer,
  connectedFields,
  connectionOf,
  icrqFields,
  ocrqFields,
  proxyFields,
  requestOf,
} from './call-messages.ts';
import type { AvpFields } from './control-message.ts';
import type { CloseCause, L2tpOutput, OpenCallOptions, OpenSessionOptions, SessionState } from './endpoint-types.ts';
import { badMessage, noIccn, noIcrp, outOfTurn, peerDisconnected, superseded, weDisconnected } from './failures.ts';
import type { MessageName } from './message-table.ts';
import { dscpOf, sessionDsFields } from './per-hop-behaviour.ts';
import { CallResult, GeneralError, resultOf } from './result-code.ts';
import {
  type CallEvent,
  LAC_INCOMING_CALL,
  LAC_OUTGOING_CALL,
  LNS_INCOMING_CALL,
  LNS_OUTGOING_CALL,
} from './session-states.ts';
import { findTransition } from './transition-table.ts';

/** How long an ICRQ or OCRQ may stay unanswered, ms: an LNS may have to ask an authentication service. */
export const ICRP_TIMEOUT_MS = 30_000;
/** How long the LAC may take from then to ICCN or OCCN, ms: a modem may have to be answered and trained meanwhile. */
export const ICCN_TIMEOUT_MS = 60_000;

/** What a session needs of its tunnel. */
export interface SessionHost {
  readonly localId: number;
  readonly peerTunnelId: number;
  readonly path: UdpPath;
  /** Framing Type for an ICCN, OCRQ or OCCN. */
  readonly framingType: number;
  /** DSCP for sessions, 0..63; 0: none is asked for, and none accepted. */
  readonly dscp: number;
  sendForSession(session: Session, name: MessageName, fields: AvpFields): void;
  emit(output: L2tpOutput): void;
  nextCallSerialNumber(): number;
  /** The session has left the states in which it waits for the peer. */
  sessionEstablished(session: Session): void;
  sessionEnded(session: Session): void;
}

/** A call that begins on this side. */
export type OwnCall =
  /** Incoming, at us: we announce it. */
  | { readonly role: 'lac'; readonly options: OpenSessionOptions }
  /** Outgoing: we have the peer place it. */
  | { readonly role: 'outgoing-lns'; readonly options: OpenCallOptions };

/** Who placed the call, and who is what in it. */
export type Call =
  | OwnCall
  /** With the AVPs of the ICRQ. */
  | { readonly role: 'lns'; readonly request: AvpFields }
  /** With the AVPs of the OCRQ. */
  | { readonly role: 'outgoing-lac'; readonly request: AvpFields };

const TABLES = {
  lac: LAC_INCOMING_CALL,
  lns: LNS_INCOMING_CALL,
  'outgoing-lac': LAC_OUTGOING_CALL,
  'outgoing-lns': LNS_OUTGOING_CALL,
} as const;

type State =
  | { readonly kind: 'idle' | 'wait-tunnel' | 'established' }
  | { readonly kind: 'wait-reply' | 'wait-connect' | 'wait-cs-answer'; readonly until: Instant };

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
  #answer: Answer = {};

  constructor(host: SessionHost, localId: number, call: Call) {
    this.#host = host;
    this.localId = localId;
    this.#call = call;
    this.#state = { kind: 'options' in call ? 'wait-tunnel' : 'idle' };
  }

  /** As the view tells it. */
  get state(): SessionState {
    return this.#state.kind === 'idle' ? 'wait-connect' : this.#state.kind;
  }

  get deadline(): Instant | undefined {
    return 'until' in this.#state ? this.#state.until : undefined;
  }

  /** The call that the peer had us place stands. */
  answer(now: Instant, answer: Answer): void {
    this.#answer = answer;
    this.#step(now, 'bearer up', {});
  }

  /** The control connection stands: the ICRQ or OCRQ may go. */
  tunnelOpen(now: Instant): void {
    this.#step(now, 'tunnel open', {});
  }

  /** A message for this session; SLI, WEN and whatever has a place in no row of the tables do nothing here. */
  receive(now: Instant, name: MessageName, fields: AvpFields): void {
    switch (name) {
      case 'ICRQ':
      case 'ICRP':
      case 'ICCN':
      case 'OCRQ':
      case 'OCRP':
      case 'OCCN': {
        const ours = name.startsWith('O') === this.#call.role.startsWith('outgoing');
        this.#step(now, ours ? name : 'message of another call', fields, this.#outOfTurn(name));
        break;
      }
      case 'CDN': {
        const request = this.#call.role === 'lac' ? 'ICRQ' : 'OCRQ';
        const refused = this.#state.kind === 'wait-reply' ? request : undefined;
        const failure = peerDisconnected(this.#host.path.remote, fields.resultCode, refused, fields.pppDisconnectCause);
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
        ? noIcrp(remote, ICRP_TIMEOUT_MS / 1000, this.#call.role === 'lac' ? 'ICRP' : 'OCRP')
        : noIccn(remote, ICCN_TIMEOUT_MS / 1000, this.#call.role === 'lns' ? 'ICCN' : 'OCCN');
    this.#step(
      now,
      'no answer',
      {},
      { cause: { resultCode: CallResult.notEstablishedInTime }, failure, byPeer: false },
    );
  }

  #step(now: Instant, event: CallEvent, fields: AvpFields, ending?: Ending): void {
    const row = findTransition(TABLES[this.#call.role], this.#state.kind, event);
    if (row === undefined) return;
    const call = this.#call;
    const { framingType } = this.#host;
    switch (row.action) {
      case 'send ICRQ':
        this.#state = { kind: 'wait-reply', until: now + ICRP_TIMEOUT_MS };
        if (call.role === 'lac') this.#request('ICRQ', icrqFields(call.options));
        break;
      case 'send OCRQ':
        this.#state = { kind: 'wait-reply', until: now + ICRP_TIMEOUT_MS };
        if (call.role === 'outgoing-lns') this.#request('OCRQ', ocrqFields(call.options, framingType));
        break;
      case 'send ICRP':
        this.#state = { kind: 'wait-connect', until: now + ICCN_TIMEOUT_MS };
        this.peerId = fields.assignedSessionId ?? 0;
        // First, for the peer's first frame can come right behind its answer.
        this.#opening(true, fields);
        this.#reply('ICRP', fields);
        break;
      case 'send OCRP':
        this.#state = { kind: 'wait-cs-answer', until: now + ICCN_TIMEOUT_MS };
        this.peerId = fields.assignedSessionId ?? 0;
        this.#opening(true, fields);
        this.#reply('OCRP', fields);
        this.#host.emit({
          kind: 'call-requested',
          tunnelId: this.#host.localId,
          sessionId: this.localId,
          ...requestOf(fields),
        });
        break;
      case 'wait for OCCN':
        this.#state = { kind: 'wait-connect', until: now + ICCN_TIMEOUT_MS };
        this.peerId = fields.assignedSessionId ?? 0;
        this.#opening(false, fields);
        break;
      case 'send ICCN': {
        this.#state = { kind: 'established' };
        this.peerId = fields.assignedSessionId ?? 0;
        this.#opening(false, fields);
        const options = call.role === 'lac' ? call.options : {};
        const proxy = options.proxy === undefined ? {} : proxyFields(options.proxy);
        this.#connect('ICCN', { ...connectedFields(options, framingType), ...proxy });
        break;
      }
      case 'send OCCN':
        this.#state = { kind: 'established' };
        this.#connect('OCCN', connectedFields(this.#answer, framingType));
        break;
      case 'prepare for data': {
        this.#state = { kind: 'established' };
        const { sequencing, ...more } = connectionOf(fields, 'request' in call ? call.request : {});
        this.#up(sequencing, more);
        break;
      }
      case 'send CDN, clean up': {
        const { cause, failure, byPeer } = ending ?? this.#outOfTurn(event);
        this.#host.sendForSession(this, 'CDN', {
          resultCode: resultOf(cause),
          assignedSessionId: this.localId,
          ...(cause.pppDisconnect === undefined ? {} : { pppDisconnectCause: cause.pppDisconnect }),
        });
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

  #request(name: 'ICRQ' | 'OCRQ', fields: AvpFields): void {
    const callSerialNumber = this.#host.nextCallSerialNumber();
    const marking = sessionDsFields(this.#host.dscp);
    this.#host.sendForSession(this, name, { assignedSessionId: this.localId, callSerialNumber, ...fields, ...marking });
  }

  /** To a request for a DSCP this side answers with its own: that is what counts (RFC 3308 section 4). */
  #reply(name: 'ICRP' | 'OCRP', request: AvpFields): void {
    const marking = request.sessionDs === undefined ? {} : sessionDsFields(this.#host.dscp);
    this.#host.sendForSession(this, name, { assignedSessionId: this.localId, ...marking });
  }

  /** ICCN or OCCN: the call is connected, and we are the LAC. */
  #connect(name: 'ICCN' | 'OCCN', fields: AvpFields): void {
    this.#host.sendForSession(this, name, fields);
    this.#up(fields.sequencingRequired ?? false);
  }

  /** @param fields of the request, where the call is the peer's, or of its reply to ours. */
  #opening(incoming: boolean, fields: AvpFields): void {
    const { dscp } = this.#host;
    const agreed = incoming ? dscp : (dscpOf(fields) ?? dscp);
    this.#host.emit({
      kind: 'session-opening',
      tunnelId: this.#host.localId,
      sessionId: this.localId,
      peerTunnelId: this.#host.peerTunnelId,
      peerSessionId: this.peerId,
      path: this.#host.path,
      incoming,
      ...(dscp === 0 ? {} : { dscp: agreed }),
    });
  }

  #up(sequencing: boolean, more: Omit<ReturnType<typeof connectionOf>, 'sequencing'> = {}): void {
    this.#host.sessionEstablished(this);
    const { localId: tunnelId } = this.#host;
    this.#host.emit({ kind: 'session-up', tunnelId, sessionId: this.localId, ...more, sequencing });
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
