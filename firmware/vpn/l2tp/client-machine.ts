import type { L2tpPeer, TunnelView } from '../../protocol/l2tp/endpoint-types.ts';
import type { Failure, Instant, Machine, RandomSource } from '../../protocol/machine.ts';
import type { PppAuthentication } from '../../protocol/ppp/link-types.ts';
import type { UdpEndpoint, UdpPath } from '../../protocol/udp-path.ts';
import { Backoff } from '../backoff.ts';
import type { ConnectionState } from '../steps.ts';
import { ClientCall, type ClientCallOutput } from './client-call.ts';
import { gaveUp, HUNG_UP, isRefusal, isSilence, movedAway, muteChannel, noAddress } from './client-failures.ts';
import type { ClientIpv6 } from './client-ipv6.ts';
import type { ClientNetwork, L2tpClientOptions, L2tpClientOutput } from './client-types.ts';

/** What follows when nothing is left of an attempt. */
type Next =
  | { readonly kind: 'rest' | 'dial' }
  /** The attempt failed; the next one is due then. */
  | { readonly kind: 'wait'; readonly until: Instant };

type State =
  /** Nobody wants the connection. */
  | { readonly kind: 'idle' }
  /** The last attempt failed; the next one is due. */
  | { readonly kind: 'waiting'; readonly until: Instant }
  | { readonly kind: 'resolving' }
  /** The protected channel is being set up. */
  | { readonly kind: 'securing'; readonly address: string }
  /** A call is there or being set up; with `bearer`, inside that channel. */
  | {
      readonly kind: 'dialled';
      readonly remote: string;
      /** Of this side, where it was chosen. */
      readonly local?: string;
      readonly bearer?: number;
      readonly ending: boolean;
    }
  /** The call is over, and the channel stays until the StopCCN is acknowledged, or until then. */
  | { readonly kind: 'closing'; readonly bearer: number; readonly until: Instant; readonly next: Next };

/** How long a connection must have stood for the next failure to count as the first one, ms. */
const STABLE_MS = 10_000;

/** How long the protected channel is kept open for the peer's acknowledgement of the StopCCN, ms. */
const FAREWELL_MS = 1_000;

/**
 * One L2TP client (a LAC with a voluntary tunnel): resolves, sets up IPsec where it is protected, dials, and redials
 * for ever with jittered back-off until told to disconnect. What came up goes down backwards: PPP, L2TP, IPsec.
 * Without hands: the driver in `client.ts` gives it a socket, a channel and a clock.
 */
export class L2tpClientMachine implements Machine<L2tpClientOutput> {
  readonly #options: L2tpClientOptions;
  readonly #call: ClientCall;
  readonly #backoff: Backoff;
  readonly #outputs: L2tpClientOutput[] = [];
  #wanted = false;
  #shutdown = false;
  #state: State = { kind: 'idle' };
  #attempt = 0;
  /** When the present attempt first had its network. */
  #upSince: Instant | undefined;
  #lastState: ConnectionState = 'down';
  #failure: Failure | undefined;
  /** Attempts that have failed since the last one that succeeded, or since somebody asked for a connection. */
  #failures = 0;

  constructor(options: L2tpClientOptions, random: RandomSource) {
    this.#options = options;
    this.#backoff = new Backoff(random);
    this.#call = new ClientCall(options, random);
  }

  /** Dials now, also out of a back-off; harmless while dialling or up. While hanging up: dials once that is done. */
  connect(now: Instant): void {
    if (this.#shutdown) return;
    this.#wanted = true;
    this.#failures = 0;
    switch (this.#state.kind) {
      case 'idle':
      case 'waiting':
        this.#dial();
        break;
      case 'closing':
        this.#state = { ...this.#state, next: { kind: 'dial' } };
        this.#setState('connecting');
        break;
      case 'dialled':
        if (this.#state.ending) this.#setState('connecting');
        break;
      default:
        break;
    }
    this.#drain(now);
  }

  /** Hangs up: LCP Terminate-Request, CDN, StopCCN, then IPsec; nothing is dialled until `connect`. */
  disconnect(now: Instant): void {
    this.#giveUp();
    if (this.#state.kind === 'dialled') {
      this.#state = { ...this.#state, ending: true };
      this.#call.hangUp(now);
    }
    this.#drain(now);
  }

  /** The router goes down: as `disconnect`, but at once, without waiting for the peer's PPP. */
  shutdown(now: Instant): void {
    this.#shutdown = true;
    this.#giveUp();
    if (this.#state.kind === 'dialled') this.#call.end(now, HUNG_UP, true);
    this.#drain(now);
  }

  /**
   * The server's addresses, in the order in which they shall be tried.
   * @param locals from which address of this side each is called; those that are not in it from any.
   */
  resolved(now: Instant, addresses: readonly string[], locals: ReadonlyMap<string, string> = new Map()): void {
    if (this.#state.kind !== 'resolving') return;
    const address = addresses[this.#attempt % Math.max(addresses.length, 1)];
    if (address === undefined) {
      this.resolveFailed(now, noAddress(this.#options.server));
      return;
    }
    this.#attempt += 1;
    if (this.#options.protection) {
      this.#state = { kind: 'securing', address };
      this.#outputs.push({ kind: 'step', step: 'IPsec', detail: `setting up a protected channel to ${address}` });
      this.#outputs.push({ kind: 'open-channel', address });
    } else {
      const chosen = locals.get(address);
      const local = { address: chosen ?? (address.includes(':') ? '::' : '0.0.0.0'), port: 0 };
      this.#state = {
        kind: 'dialled',
        remote: address,
        ending: false,
        ...(chosen === undefined ? {} : { local: chosen }),
      };
      this.#call.dial(now, { remote: { address, port: this.#options.port }, local });
    }
    this.#drain(now);
  }

  /** The server that is called, while that is so in clear. */
  get calledInClear(): string | undefined {
    return this.#state.kind === 'dialled' && this.#options.protection === undefined ? this.#state.remote : undefined;
  }

  /**
   * There is another way out. What waits for its next attempt is dialled at once, and so is what is called in clear from another
   * address than `local`: the peer knows it by its address. A protected channel says by itself that it has moved.
   * @param local from which address of this side {@link calledInClear} is reached now; `undefined`: nobody knows.
   */
  uplinkChanged(now: Instant, local: string | undefined): void {
    const state = this.#state;
    if (state.kind === 'waiting') {
      this.#backoff.reset();
      this.#dial();
    } else if (state.kind === 'dialled' && state.local !== undefined && local !== undefined && local !== state.local) {
      this.#call.end(now, movedAway(state.local, local));
    }
    this.#drain(now);
  }

  /** The name could not be resolved, and no earlier address is known. */
  resolveFailed(now: Instant, failure: Failure): void {
    if (this.#state.kind !== 'resolving') return;
    this.#failed(now, failure);
    this.#drain(now);
  }

  /** The channel that was asked for stands. @param path what goes through it, with its `bearer`. */
  channelUp(now: Instant, path: UdpPath): void {
    if (this.#state.kind !== 'securing') return;
    const { bearer } = path;
    // Without a bearer it would go out in clear.
    if (bearer === undefined) throw new TypeError('the path of a protected channel names no bearer');
    this.#state = { kind: 'dialled', remote: this.#state.address, bearer, ending: false };
    this.#outputs.push({ kind: 'step', step: 'IPsec', detail: 'the protected channel stands' });
    this.#call.dial(now, path);
    this.#drain(now);
  }

  /** The channel is over, or could not be set up; nothing passes any more. Not for one that was closed by this side. */
  channelDown(now: Instant, failure: Failure): void {
    const state = this.#state;
    if (state.kind === 'securing') {
      this.#failed(now, failure);
    } else if (state.kind === 'dialled' && state.bearer !== undefined) {
      this.#state = { kind: 'dialled', remote: state.remote, ending: state.ending };
      this.#call.bearerGone(now, state.bearer, failure);
    } else if (state.kind === 'closing') {
      this.#channelGone(now, state);
    }
    this.#drain(now);
  }

  /** A control datagram of this client's socket. */
  receive(now: Instant, datagram: Uint8Array, path: UdpPath): void {
    this.#call.receive(now, datagram, path);
    this.#drain(now);
  }

  /** A bare PPP frame of the session. */
  receiveFrame(now: Instant, frame: Uint8Array): void {
    this.#call.receiveFrame(now, frame);
    this.#drain(now);
  }

  /** The socket reported an error on a path. */
  pathError(now: Instant, remote: UdpEndpoint, code: string): void {
    this.#call.pathError(now, remote, code);
    this.#drain(now);
  }

  /** User packets came in: the peer lives. */
  dataReceived(now: Instant): void {
    this.#call.dataReceived(now);
    this.#drain(now);
  }

  /** Something outside the protocols failed (no TUN, no route): ends the attempt with that reason. */
  fail(now: Instant, failure: Failure): void {
    if (this.#state.kind === 'dialled') {
      this.#call.end(now, failure);
    } else if (this.#state.kind === 'securing') {
      this.#outputs.push({ kind: 'close-channel' });
      this.#failed(now, failure);
    }
    this.#drain(now);
  }

  /** `resolved` or `resolveFailed` is waited for. */
  get resolving(): boolean {
    return this.#state.kind === 'resolving';
  }

  /** Nothing more will be sent unless asked: the driver may close the socket. */
  get quiet(): boolean {
    return this.#state.kind === 'idle' && this.#call.idle;
  }

  /** As configured: address or name. */
  get server(): string {
    return this.#options.server;
  }

  /** UDP port of the server. */
  get port(): number {
    return this.#options.port;
  }

  /** Somebody wants the connection. */
  get wanted(): boolean {
    return this.#wanted;
  }

  /** So many attempts have failed that nothing is dialled any more. */
  get gaveUp(): boolean {
    return !this.#wanted && this.#failure !== undefined;
  }

  get user(): string {
    return this.#options.user;
  }

  get state(): ConnectionState {
    return this.#lastState;
  }

  /** Why the last attempt ended; cleared by success. */
  get failure(): Failure | undefined {
    return this.#failure;
  }

  get tunnel(): TunnelView | undefined {
    return this.#call.tunnel;
  }

  get network(): ClientNetwork | undefined {
    return this.#call.network;
  }

  /** While user packets of IPv6 flow. */
  get ipv6(): ClientIpv6 | undefined {
    return this.#call.ipv6;
  }

  /** The method by which we proved ourselves, once done. */
  get authentication(): PppAuthentication | undefined {
    return this.#call.authentication;
  }

  get peer(): L2tpPeer | undefined {
    return this.#call.peer;
  }

  tick(now: Instant): void {
    this.#call.tick(now);
    if (this.#state.kind === 'waiting' && now >= this.#state.until) this.#dial();
    this.#drain(now);
  }

  nextDeadline(): Instant | undefined {
    const call = this.#call.nextDeadline();
    const own = 'until' in this.#state ? this.#state.until : undefined;
    return call === undefined || own === undefined ? (call ?? own) : Math.min(call, own);
  }

  poll(): L2tpClientOutput | undefined {
    return this.#outputs.shift();
  }

  #dial(): void {
    this.#state = { kind: 'resolving' };
    this.#setState('connecting');
    this.#outputs.push({ kind: 'resolve', name: this.#options.server });
  }

  /** Nobody wants the connection any more. A call that is there is left to the caller. */
  #giveUp(): void {
    this.#wanted = false;
    this.#failure = undefined;
    this.#setState('down');
    if (this.#state.kind === 'dialled') return;
    if (this.#state.kind === 'closing') {
      this.#state = { ...this.#state, next: { kind: 'rest' } };
      return;
    }
    if (this.#state.kind === 'securing') this.#outputs.push({ kind: 'close-channel' });
    this.#follow({ kind: 'rest' });
  }

  /** Takes what the call wants done, and closes the channel once nothing needs it any more. */
  #drain(now: Instant): void {
    for (let output = this.#call.poll(); output; output = this.#call.poll()) this.#onCall(now, output);
    const state = this.#state;
    if (state.kind !== 'closing' || (now < state.until && !this.#call.idle)) return;
    this.#outputs.push({ kind: 'close-channel' });
    this.#channelGone(now, state);
  }

  #onCall(now: Instant, output: ClientCallOutput): void {
    if (output.kind === 'over') {
      this.#over(now, output.failure);
      return;
    }
    this.#outputs.push(output);
    if (output.kind === 'network-up') {
      this.#upSince ??= now;
      this.#failure = undefined;
      if (this.#wanted) this.#setState('up');
    }
    // Either IPCP is negotiated anew, or an end is under way that will say so itself.
    const ending = !this.#call.tunnel || (this.#state.kind === 'dialled' && this.#state.ending);
    if (output.kind === 'network-down' && this.#wanted && !ending) this.#setState('connecting');
  }

  /** The call is over; the attempt is, once the channel is closed, too. */
  #over(now: Instant, failure: Failure): void {
    const state = this.#state;
    if (state.kind !== 'dialled') return;
    // A server that takes every call and drops it soon after must not be called twice a second.
    if (this.#upSince !== undefined && now - this.#upSince >= STABLE_MS) {
      this.#backoff.reset();
      this.#failures = 0;
    }
    this.#upSince = undefined;
    const { bearer, remote, ending } = state;
    const { protection } = this.#options;
    const mute = bearer !== undefined && protection?.heard() === false && isSilence(failure);
    if (mute) this.#outputs.push({ kind: 'report-mute' });
    let next: Next = { kind: 'rest' };
    if (this.#wanted && (ending || failure.cause === 'moved')) next = { kind: 'dial' };
    else if (this.#wanted) next = this.#wait(now, mute ? muteChannel(remote, protection.udpEncapsulation()) : failure);
    if (bearer === undefined) this.#follow(next);
    else this.#state = { kind: 'closing', bearer, until: now + FAREWELL_MS, next };
  }

  /** What lingers of the calls in the channel lingers in vain. */
  #channelGone(now: Instant, { bearer, next }: Extract<State, { kind: 'closing' }>): void {
    this.#call.bearerGone(now, bearer, HUNG_UP);
    this.#follow(next);
  }

  #follow(next: Next): void {
    switch (next.kind) {
      case 'rest':
        this.#state = { kind: 'idle' };
        this.#outputs.push({ kind: 'ended' });
        break;
      case 'dial':
        this.#dial();
        break;
      case 'wait':
        this.#state = { kind: 'waiting', until: next.until };
        break;
    }
  }

  #failed(now: Instant, failure: Failure): void {
    this.#follow(failure.cause === 'moved' && this.#wanted ? { kind: 'dial' } : this.#wait(now, failure));
  }

  /** The attempt has failed. @returns when the next one is due. */
  #wait(now: Instant, failure: Failure): Next {
    this.#failures += 1;
    const { maxFail = 0 } = this.#options;
    if (maxFail > 0 && this.#failures >= maxFail) {
      this.#wanted = false;
      this.#failure = gaveUp(failure, this.#failures);
      this.#setState('failed', this.#failure);
      return { kind: 'rest' };
    }
    this.#failure = failure;
    this.#setState('failed', failure);
    return { kind: 'wait', until: now + this.#backoff.next(isRefusal(failure)) };
  }

  #setState(state: ConnectionState, failure?: Failure): void {
    if (state === this.#lastState && !failure) return;
    this.#lastState = state;
    this.#outputs.push({ kind: 'state', state, ...(failure ? { failure } : {}) });
  }
}
