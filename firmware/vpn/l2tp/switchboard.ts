/**
 * Multi-hop: calls of a server that are handed on into a tunnel to another server, by who the caller says it is (RFC 2661
 * section 1.2, "Call" and tunnel switching). This side is the LNS of the caller and the LAC towards the other server; once both
 * sessions stand, the data plane relays every PPP frame. Without hands: `server-machine.ts` drives it.
 */
import type { L2tpEndpoint } from '../../protocol/l2tp/endpoint.ts';
import type { L2tpOutput, ProxyAvps } from '../../protocol/l2tp/endpoint-types.ts';
import type { Failure, Instant } from '../../protocol/machine.ts';
import type { PppOutput } from '../../protocol/ppp/link-types.ts';
import { printable } from '../../protocol/printable.ts';
import type { Step } from '../steps.ts';
import { proxyAvps } from './proxy-avps.ts';
import { openingShape, type SessionShape } from './session-shape.ts';

/** Another server, and which callers are for it. */
export interface ForwardTarget {
  readonly name: string;
  /** What stands behind the last `@` of a user's name, without regard to case. */
  readonly realms: readonly string[];
  /** Whole names. */
  readonly users: readonly string[];
  readonly server: { readonly address: string; readonly port: number };
  /** Tunnel secret. */
  readonly secret?: string;
  readonly hideAvps: boolean;
}

export type SwitchboardOutput =
  | { readonly kind: 'put-session'; readonly id: string; readonly shape: SessionShape }
  | { readonly kind: 'remove-session'; readonly id: string }
  | { readonly kind: 'ppp-send'; readonly id: string; readonly frame: Uint8Array }
  | { readonly kind: 'session-ended'; readonly id: string; readonly user?: string; readonly failure: Failure }
  | ({ readonly kind: 'step'; readonly id: string } & Step);

/** What the switchboard needs of its server. */
export interface SwitchboardHost {
  readonly endpoint: L2tpEndpoint;
  emit(output: SwitchboardOutput): void;
  /** Whether a tunnel is left without a session: it is cleared some time later. */
  occupied(now: Instant, tunnelId: number, occupied: boolean): void;
}

/** The caller's session, as its server had it. */
export interface HandedCall {
  readonly id: string;
  readonly tunnelId: number;
  readonly sessionId: number;
  readonly shape: SessionShape;
}

interface Switched {
  readonly caller: HandedCall;
  readonly target: ForwardTarget;
  readonly user: string;
  callerShape: SessionShape;
  /** Our session towards the target. */
  readonly called: { readonly id: string; readonly tunnelId: number; readonly sessionId: number };
  calledShape: SessionShape | undefined;
  up: boolean;
  /** Frames of the caller that came before the other session stood. */
  readonly kept: Uint8Array[];
}

/** Frames kept for one call: what a PPP that renegotiates says while a tunnel is dialled, and repeats anyway. */
const MAX_KEPT = 16;
/** CDN: administrative reasons; the other half of the call has ended (RFC 2661 section 4.4.2). */
const CDN_ADMINISTRATIVE = 3;
const MAX_TEXT = 200;

export class Switchboard {
  readonly #targets: readonly ForwardTarget[];
  readonly #host: SwitchboardHost;
  /** The tunnel to each target that is dialled or stands. */
  readonly #tunnels = new Map<number, ForwardTarget>();
  /** By the ids of both sessions. */
  readonly #calls = new Map<string, Switched>();

  constructor(targets: readonly ForwardTarget[], host: SwitchboardHost) {
    this.#targets = targets;
    this.#host = host;
  }

  /** Who takes a caller of this name; `undefined`: this server itself. */
  targetOf(name: Uint8Array): ForwardTarget | undefined {
    if (this.#targets.length === 0) return undefined;
    const text = Buffer.from(name).toString('utf8');
    const at = text.lastIndexOf('@');
    const realm = at < 0 ? undefined : text.slice(at + 1).toLowerCase();
    return this.#targets.find(
      ({ users, realms }) =>
        users.includes(text) || (realm !== undefined && realms.some((known) => known.toLowerCase() === realm)),
    );
  }

  /** The target of one of our tunnels; `undefined` for a tunnel of a caller. */
  target(tunnelId: number): ForwardTarget | undefined {
    return this.#tunnels.get(tunnelId);
  }

  /** Who is switched through this session, of either side. */
  call(id: string): { readonly user: string; readonly target: string; readonly up: boolean } | undefined {
    const call = this.#calls.get(id);
    return call && { user: call.user, target: call.target.name, up: call.up };
  }

  /** Takes a call over from its server, whose link has handed it on. */
  take(now: Instant, caller: HandedCall, handed: Extract<PppOutput, { kind: 'handed-over' }>): void {
    const target = this.targetOf(handed.proof.name);
    if (target === undefined) return;
    const user = printable(handed.proof.name);
    const { endpoint } = this.#host;
    const detail = `${user} is handed on to ${target.name}`;
    this.#host.emit({ kind: 'step', id: caller.id, step: 'forward', detail });
    const tunnelId = this.#tunnelTo(now, target, caller);
    this.#host.occupied(now, tunnelId, true);
    const proxy: ProxyAvps | undefined = proxyAvps(handed);
    const sessionId = endpoint.openSession(now, tunnelId, proxy === undefined ? {} : { proxy });
    const called = { id: `${tunnelId}/${sessionId}`, tunnelId, sessionId };
    const call: Switched = {
      caller,
      target,
      user,
      callerShape: caller.shape,
      called,
      calledShape: undefined,
      up: false,
      kept: [],
    };
    this.#calls.set(caller.id, call);
    this.#calls.set(called.id, call);
  }

  /** An output of the endpoint. @returns whether it is about a call or a tunnel of the switchboard. */
  onL2tp(now: Instant, output: L2tpOutput): boolean {
    switch (output.kind) {
      case 'session-opening': {
        const call = this.#calls.get(`${output.tunnelId}/${output.sessionId}`);
        if (call === undefined) return false;
        const { reorder, dscp } = call.callerShape;
        const data = { ...(reorder ? { reorder } : {}), ...(dscp === undefined ? {} : { dscp }) };
        call.calledShape = openingShape(output, data);
        this.#host.emit({ kind: 'put-session', id: call.called.id, shape: call.calledShape });
        return true;
      }
      case 'session-up': {
        const call = this.#calls.get(`${output.tunnelId}/${output.sessionId}`);
        if (call === undefined) return false;
        this.#connect(call);
        return true;
      }
      case 'session-down': {
        const call = this.#calls.get(`${output.tunnelId}/${output.sessionId}`);
        if (call === undefined) return false;
        const ofTarget = output.tunnelId === call.called.tunnelId && output.sessionId === call.called.sessionId;
        this.#end(
          now,
          call,
          ofTarget ? this.#ofTarget(call, output.failure) : output.failure,
          ofTarget ? 'called' : 'caller',
        );
        return true;
      }
      case 'tunnel-path':
        for (const call of new Set(this.#calls.values())) this.#move(call, output);
        return this.#tunnels.has(output.tunnelId);
      case 'tunnel-down':
        this.#tunnels.delete(output.tunnelId);
        return false;
      default:
        return false;
    }
  }

  /** A frame that the data plane could not relay yet. @returns whether the session is one of the switchboard's. */
  receiveFrame(id: string, frame: Uint8Array): boolean {
    const call = this.#calls.get(id);
    if (call === undefined) return false;
    if (id === call.called.id) this.#host.emit({ kind: 'ppp-send', id: call.caller.id, frame: frame.slice() });
    else if (call.up) this.#host.emit({ kind: 'ppp-send', id: call.called.id, frame: frame.slice() });
    else if (call.kept.length < MAX_KEPT) call.kept.push(frame.slice());
    return true;
  }

  /** Something outside the protocols failed. @returns whether the session is one of the switchboard's. */
  fail(now: Instant, id: string, failure: Failure): boolean {
    const call = this.#calls.get(id);
    if (call === undefined) return false;
    this.#end(now, call, failure, 'neither');
    return true;
  }

  /** One tunnel for all the calls to a target. */
  #tunnelTo(now: Instant, target: ForwardTarget, caller: HandedCall): number {
    const { endpoint } = this.#host;
    for (const [tunnelId, of] of this.#tunnels) {
      const state = endpoint.tunnel(tunnelId)?.state;
      if (of === target && state !== undefined && state !== 'closing') return tunnelId;
    }
    const { server, secret, hideAvps } = target;
    const tunnelId = endpoint.openTunnel(now, {
      path: { remote: server, local: caller.shape.path.local },
      hideAvps,
      // Both ends may have calls for each other.
      tieBreaker: false,
      ...(secret === undefined ? {} : { secret }),
    });
    this.#tunnels.set(tunnelId, target);
    return tunnelId;
  }

  #connect(call: Switched): void {
    const { caller, called } = call;
    if (call.calledShape === undefined) return;
    call.up = true;
    for (const frame of call.kept.splice(0)) this.#host.emit({ kind: 'ppp-send', id: called.id, frame });
    this.#program(call);
    const detail = `${call.user} is connected through to ${call.target.name}`;
    this.#host.emit({ kind: 'step', id: caller.id, step: 'forward', detail });
  }

  #program({ caller, called, callerShape, calledShape }: Switched): void {
    if (calledShape === undefined) return;
    this.#host.emit({ kind: 'put-session', id: caller.id, shape: { ...callerShape, relay: called.id } });
    this.#host.emit({ kind: 'put-session', id: called.id, shape: { ...calledShape, relay: caller.id } });
  }

  #move(call: Switched, { tunnelId, path }: Extract<L2tpOutput, { kind: 'tunnel-path' }>): void {
    if (tunnelId === call.caller.tunnelId) call.callerShape = { ...call.callerShape, path };
    else if (tunnelId === call.called.tunnelId && call.calledShape) call.calledShape = { ...call.calledShape, path };
    else return;
    if (call.up) this.#program(call);
  }

  /** @param ended the half that is gone already. */
  #end(now: Instant, call: Switched, failure: Failure, ended: 'caller' | 'called' | 'neither'): void {
    const { caller, called } = call;
    this.#calls.delete(caller.id);
    this.#calls.delete(called.id);
    const { endpoint } = this.#host;
    const cause = { resultCode: CDN_ADMINISTRATIVE, message: `${failure.step}: ${failure.reason}`.slice(0, MAX_TEXT) };
    if (ended !== 'caller') endpoint.closeSession(now, caller.tunnelId, caller.sessionId, cause);
    if (ended !== 'called') endpoint.closeSession(now, called.tunnelId, called.sessionId, cause);
    for (const { id } of [caller, called]) this.#host.emit({ kind: 'remove-session', id });
    this.#host.emit({ kind: 'session-ended', id: caller.id, user: call.user, failure });
    for (const { tunnelId } of [caller, called]) {
      const tunnel = endpoint.tunnel(tunnelId);
      if (tunnel !== undefined && tunnel.state !== 'closing' && tunnel.sessions.length === 0)
        this.#host.occupied(now, tunnelId, false);
    }
  }

  #ofTarget({ target, up }: Switched, failure: Failure): Failure {
    const what = up ? 'ended the call that was handed on to it' : 'could not be handed the call';
    return {
      ...failure,
      step: `forward to ${target.name}, ${failure.step}`,
      reason: `${target.name} ${what}: ${failure.reason}`,
    };
  }
}
