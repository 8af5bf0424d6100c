/**
 * Calls that a server places to branches: the branch holds a tunnel to the server, and the server has it place an outgoing
 * call (RFC 2661 sections 6.9 to 6.11). Without hands: `server-machine.ts` drives it.
 */
import type { L2tpEndpoint } from '../../protocol/l2tp/endpoint.ts';
import type { L2tpOutput } from '../../protocol/l2tp/endpoint-types.ts';
import type { Failure, Instant } from '../../protocol/machine.ts';
import type { ConnectionState } from '../steps.ts';

/** A branch that may be called. */
export interface OutgoingCall {
  readonly name: string;
  /** Host Name AVP of the branch, by which its tunnel is known. */
  readonly host: string;
  /** Called Number AVP. */
  readonly number: string;
  /** Call whenever the branch's tunnel stands, without being told. */
  readonly always: boolean;
}

export interface OutgoingDeskHost {
  readonly endpoint: L2tpEndpoint;
  callState(name: string, state: ConnectionState, failure?: Failure): void;
}

/** Between a call that failed or ended and the next one, ms. */
const REDIAL_MS = 5_000;
/** CDN: administrative reasons (RFC 2661 section 4.4.2). */
const CDN_ADMINISTRATIVE = 3;

interface Line {
  readonly call: OutgoingCall;
  wanted: boolean;
  state: ConnectionState;
  failure: Failure | undefined;
  tunnelId: number | undefined;
  sessionId: number | undefined;
  redialAt: Instant | undefined;
}

export class OutgoingDesk {
  readonly #host: OutgoingDeskHost;
  readonly #lines: readonly Line[];

  constructor(calls: readonly OutgoingCall[], host: OutgoingDeskHost) {
    this.#host = host;
    this.#lines = calls.map((call) => ({
      call,
      wanted: call.always,
      state: 'down',
      failure: undefined,
      tunnelId: undefined,
      sessionId: undefined,
      redialAt: undefined,
    }));
  }

  /** What became of a call; `undefined` when there is none of this name. */
  view(name: string): { readonly state: ConnectionState; readonly failure?: Failure } | undefined {
    const line = this.#line(name);
    return line && { state: line.state, ...(line.failure ? { failure: line.failure } : {}) };
  }

  /** Whether this tunnel waits for calls of this server, and is not idle although it has no session. */
  awaits(tunnelId: number): boolean {
    return this.#lines.some((line) => line.tunnelId === tunnelId);
  }

  /** Calls now, and again whenever the call ends. */
  connect(now: Instant, name: string): void {
    const line = this.#line(name);
    if (line === undefined) return;
    line.wanted = true;
    line.redialAt = undefined;
    if (line.sessionId !== undefined) return;
    if (line.tunnelId === undefined) this.#set(line, 'failed', noTunnel(line.call));
    else this.#dial(now, line);
  }

  disconnect(now: Instant, name: string): void {
    const line = this.#line(name);
    if (line === undefined) return;
    line.wanted = false;
    line.redialAt = undefined;
    const { tunnelId, sessionId } = line;
    if (tunnelId === undefined || sessionId === undefined) {
      this.#set(line, 'down');
      return;
    }
    this.#host.endpoint.closeSession(now, tunnelId, sessionId, { resultCode: CDN_ADMINISTRATIVE });
  }

  /** An output of the endpoint; all of them are everybody else's, too. */
  onL2tp(now: Instant, output: L2tpOutput): void {
    switch (output.kind) {
      case 'tunnel-up':
        for (const line of this.#lines) {
          if (!output.incoming || line.call.host !== output.peer.hostName) continue;
          // The newest tunnel is the true one: a branch that was switched off says no goodbye.
          line.tunnelId = output.tunnelId;
          line.sessionId = undefined;
          if (line.wanted) this.#dial(now, line);
        }
        return;
      case 'tunnel-down':
        for (const line of this.#lines) {
          if (line.tunnelId !== output.tunnelId) continue;
          line.tunnelId = undefined;
          line.sessionId = undefined;
          line.redialAt = undefined;
          if (line.wanted) this.#set(line, 'failed', output.failure);
          else this.#set(line, 'down');
        }
        return;
      case 'session-down': {
        const line = this.#lineOf(output.tunnelId, output.sessionId);
        if (line === undefined) return;
        line.sessionId = undefined;
        if (!line.wanted) {
          this.#set(line, 'down');
          return;
        }
        line.redialAt = now + REDIAL_MS;
        this.#set(line, 'failed', output.failure);
        return;
      }
      default:
        return;
    }
  }

  /** The network of a session stands, or is gone. */
  network(tunnelId: number, sessionId: number, up: boolean): void {
    const line = this.#lineOf(tunnelId, sessionId);
    if (line) this.#set(line, up ? 'up' : 'connecting');
  }

  /** Why a session of a call is about to end: said better by whoever ends it. */
  failed(tunnelId: number, sessionId: number, failure: Failure): void {
    const line = this.#lineOf(tunnelId, sessionId);
    if (line?.wanted === true) this.#set(line, 'failed', failure);
  }

  tick(now: Instant): void {
    for (const line of this.#lines) {
      if (line.redialAt === undefined || now < line.redialAt) continue;
      line.redialAt = undefined;
      if (line.wanted && line.tunnelId !== undefined && line.sessionId === undefined) this.#dial(now, line);
    }
  }

  nextDeadline(): Instant | undefined {
    const pending = this.#lines.flatMap(({ redialAt }) => redialAt ?? []);
    return pending.length === 0 ? undefined : Math.min(...pending);
  }

  #dial(now: Instant, line: Line): void {
    if (line.tunnelId === undefined) return;
    this.#set(line, 'connecting');
    line.sessionId = this.#host.endpoint.openCall(now, line.tunnelId, { calledNumber: line.call.number });
  }

  #line(name: string): Line | undefined {
    return this.#lines.find(({ call }) => call.name === name);
  }

  #lineOf(tunnelId: number, sessionId: number): Line | undefined {
    return this.#lines.find((line) => line.tunnelId === tunnelId && line.sessionId === sessionId);
  }

  #set(line: Line, state: ConnectionState, failure?: Failure): void {
    // The first reason is the one that is told.
    if (state === 'failed' && line.state === 'failed' && line.failure !== undefined) return;
    line.state = state;
    line.failure = failure;
    this.#host.callState(line.call.name, state, failure);
  }
}

function noTunnel({ host }: OutgoingCall): Failure {
  return {
    step: 'OCRQ',
    reason: `no tunnel of a branch whose host name is ${host} stands, by which it could be called`,
    remedy: 'check that the branch runs, that its client starts when "called", and that its host name is this one',
  };
}
