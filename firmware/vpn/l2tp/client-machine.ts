import { L2tpEndpoint } from '../../protocol/l2tp/endpoint.ts';
import type { L2tpOutput, L2tpPeer, TunnelView } from '../../protocol/l2tp/endpoint-types.ts';
import type { Failure, Instant, Machine, RandomSource } from '../../protocol/machine.ts';
import { PppLink } from '../../protocol/ppp/link.ts';
import type { PppAuthentication, PppOutput } from '../../protocol/ppp/link-types.ts';
import type { UdpEndpoint, UdpPath } from '../../protocol/udp-path.ts';
import { Backoff } from '../backoff.ts';
import type { ConnectionState } from '../steps.ts';
import type { ClientNetwork, L2tpClientOptions, L2tpClientOutput } from './client-types.ts';
import { closedShape, type LinkShape, openingShape, openShape, type SessionShape } from './session-shape.ts';

type State =
  /** Nobody wants the connection. */
  | { readonly kind: 'idle' }
  /** The last attempt failed; the next one is due. */
  | { readonly kind: 'waiting'; readonly until: Instant }
  | { readonly kind: 'resolving' }
  /** A tunnel is there or being set up. */
  | { readonly kind: 'dialled'; readonly tunnelId: number; readonly sessionId: number; readonly ending: boolean };

/** The user hung up; not a failure, but it has the shape of one. */
const HUNG_UP: Failure = { step: 'disconnect', reason: 'disconnected on request', remedy: 'connect again when wanted' };

/** StopCCN result code 1: general request to clear the control connection (RFC 2661 section 4.4.2). */
const STOP_CLEAR = 1;
/** StopCCN result code 6: requester is being shut down. */
const STOP_SHUTDOWN = 6;

/** Steps at which the other side answered and said no: insisting quickly helps nobody. */
const REFUSALS = new Set(['authentication', 'StopCCN', 'CDN', 'IPCP', 'SCCRP', 'SCCCN']);

/** How long a connection must have stood for the next failure to count as the first one, ms. */
const STABLE_MS = 10_000;

/**
 * One L2TP client (a LAC with a voluntary tunnel): resolves, dials, runs PPP inside, and redials for ever with
 * jittered back-off until told to disconnect. Without hands: the driver in `client.ts` gives it a socket and a clock.
 */
export class L2tpClientMachine implements Machine<L2tpClientOutput> {
  readonly #options: L2tpClientOptions;
  readonly #random: RandomSource;
  readonly #endpoint: L2tpEndpoint;
  readonly #backoff: Backoff;
  readonly #outputs: L2tpClientOutput[] = [];
  #wanted = false;
  #shutdown = false;
  #state: State = { kind: 'idle' };
  #attempt = 0;
  #ppp: PppLink | undefined;
  #shape: SessionShape | undefined;
  #link: LinkShape | undefined;
  #network: ClientNetwork | undefined;
  /** When the present attempt first had its network. */
  #upSince: Instant | undefined;
  #peer: L2tpPeer | undefined;
  #lastState: ConnectionState = 'down';
  #failure: Failure | undefined;

  constructor(options: L2tpClientOptions, random: RandomSource) {
    this.#options = options;
    this.#random = random;
    this.#backoff = new Backoff(random);
    this.#endpoint = new L2tpEndpoint(
      {
        hostName: options.hostName,
        // Four retransmissions: a server that is not there is given up after 23 s, and asked again soon.
        retransmit: { attempts: 4 },
        ...(options.hello ? { hello: options.hello } : {}),
      },
      random,
    );
  }

  /** Dials now, also out of a back-off; harmless while dialling or up. While hanging up: dials once that is done. */
  connect(now: Instant): void {
    if (this.#shutdown) return;
    this.#wanted = true;
    if (this.#state.kind === 'idle' || this.#state.kind === 'waiting') this.#dial();
    else if (this.#ending) this.#setState('connecting');
    this.#drain(now);
  }

  /** Hangs up: LCP Terminate-Request, CDN, StopCCN; nothing is dialled until `connect`. */
  disconnect(now: Instant): void {
    this.#wanted = false;
    this.#failure = undefined;
    this.#setState('down');
    if (this.#state.kind === 'dialled') {
      this.#state = { ...this.#state, ending: true };
      // Before PPP has begun there is nobody to terminate it with.
      if (this.#ppp && this.#ppp.view.phase !== 'dead') this.#ppp.close(now, HUNG_UP);
      else this.#endpoint.closeTunnel(now, this.#state.tunnelId, { resultCode: STOP_CLEAR });
    } else {
      this.#state = { kind: 'idle' };
      this.#outputs.push({ kind: 'ended' });
    }
    this.#drain(now);
  }

  /** The router goes down: as `disconnect`, but at once, without waiting for the peer's PPP. */
  shutdown(now: Instant): void {
    this.#wanted = false;
    this.#shutdown = true;
    this.#failure = undefined;
    this.#setState('down');
    if (this.#state.kind === 'dialled') {
      this.#end(now, HUNG_UP);
    } else {
      this.#state = { kind: 'idle' };
      this.#outputs.push({ kind: 'ended' });
    }
    this.#drain(now);
  }

  /** The server's addresses, in the order in which they shall be tried. */
  resolved(now: Instant, addresses: readonly string[]): void {
    if (this.#state.kind !== 'resolving') return;
    const address = addresses[this.#attempt % Math.max(addresses.length, 1)];
    if (address === undefined) {
      this.resolveFailed(now, {
        step: 'resolve',
        reason: `${this.#options.server} has no address`,
        remedy: 'check the name of the server',
      });
      return;
    }
    this.#attempt += 1;
    const remote = { address, port: this.#options.port };
    const local = { address: address.includes(':') ? '::' : '0.0.0.0', port: 0 };
    const tunnelId = this.#endpoint.openTunnel(now, {
      path: { remote, local },
      hideAvps: this.#options.hideAvps,
      ...(this.#options.secret === undefined ? {} : { secret: this.#options.secret }),
    });
    const sessionId = this.#endpoint.openSession(now, tunnelId);
    this.#state = { kind: 'dialled', tunnelId, sessionId, ending: false };
    this.#drain(now);
  }

  /** The name could not be resolved, and no earlier address is known. */
  resolveFailed(now: Instant, failure: Failure): void {
    if (this.#state.kind !== 'resolving') return;
    this.#failed(now, failure);
    this.#drain(now);
  }

  /** A control datagram of this client's socket. */
  receive(now: Instant, datagram: Uint8Array, path: UdpPath): void {
    this.#endpoint.receive(now, datagram, path);
    this.#drain(now);
  }

  /** A bare PPP frame of the session. */
  receiveFrame(now: Instant, frame: Uint8Array): void {
    this.#ppp?.receive(now, frame);
    this.#drain(now);
  }

  /** The socket reported an error on a path. */
  pathError(now: Instant, remote: UdpEndpoint, code: string): void {
    this.#endpoint.pathError(now, remote, code);
    this.#drain(now);
  }

  /** User packets came in: the peer lives. */
  dataReceived(now: Instant): void {
    if (this.#state.kind !== 'dialled') return;
    this.#endpoint.dataReceived(now, this.#state.tunnelId);
    this.#ppp?.dataReceived(now);
    this.#drain(now);
  }

  /** Something outside the protocols failed (no TUN, no route): ends the attempt with that reason. */
  fail(now: Instant, failure: Failure): void {
    if (this.#state.kind === 'dialled') this.#end(now, failure);
    this.#drain(now);
  }

  /** `resolved` or `resolveFailed` is waited for. */
  get resolving(): boolean {
    return this.#state.kind === 'resolving';
  }

  /** Nothing more will be sent unless asked: the driver may close the socket. */
  get quiet(): boolean {
    return this.#state.kind === 'idle' && this.#endpoint.idle;
  }

  /** As configured: address or name. */
  get server(): string {
    return this.#options.server;
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
    return this.#state.kind === 'dialled' ? this.#endpoint.tunnel(this.#state.tunnelId) : undefined;
  }

  get network(): ClientNetwork | undefined {
    return this.#network;
  }

  /** The method by which we proved ourselves, once done. */
  get authentication(): PppAuthentication | undefined {
    return this.#ppp?.view.authentication;
  }

  get peer(): L2tpPeer | undefined {
    return this.#peer;
  }

  tick(now: Instant): void {
    this.#endpoint.tick(now);
    this.#ppp?.tick(now);
    if (this.#state.kind === 'waiting' && now >= this.#state.until) this.#dial();
    this.#drain(now);
  }

  nextDeadline(): Instant | undefined {
    const candidates = [
      this.#endpoint.nextDeadline(),
      this.#ppp?.nextDeadline(),
      this.#state.kind === 'waiting' ? this.#state.until : undefined,
    ].filter((deadline) => deadline !== undefined);
    return candidates.length === 0 ? undefined : Math.min(...candidates);
  }

  poll(): L2tpClientOutput | undefined {
    return this.#outputs.shift();
  }

  #dial(): void {
    this.#state = { kind: 'resolving' };
    this.#setState('connecting');
    this.#outputs.push({ kind: 'resolve', name: this.#options.server });
  }

  /** Takes what the two inner machines want done, until neither has more. */
  #drain(now: Instant): void {
    for (;;) {
      const l2tp = this.#endpoint.poll();
      if (l2tp) {
        this.#onL2tp(now, l2tp);
        continue;
      }
      const ppp = this.#ppp?.poll();
      if (!ppp) return;
      this.#onPpp(now, ppp);
    }
  }

  #onL2tp(now: Instant, output: L2tpOutput): void {
    if (output.kind === 'send') {
      this.#outputs.push(output);
      return;
    }
    if (output.kind === 'trace') {
      this.#outputs.push({ kind: 'step', direction: output.direction, step: output.message });
      return;
    }
    // A tunnel that only lingers to answer retransmissions has nothing to say to the present attempt.
    if (this.#state.kind !== 'dialled' || output.tunnelId !== this.#state.tunnelId) return;
    switch (output.kind) {
      case 'tunnel-up':
        this.#peer = output.peer;
        break;
      case 'tunnel-path':
        if (this.#shape) this.#putSession({ ...this.#shape, path: output.path });
        break;
      case 'session-opening':
        this.#openLink(output);
        break;
      case 'session-up':
        if (this.#shape && output.sequencing) this.#putSession({ ...this.#shape, sequencing: true });
        this.#ppp?.start(now);
        break;
      case 'session-down':
      case 'tunnel-down':
        this.#end(now, this.#explain(output));
        break;
      default:
        // SLI and WEN speak of an asynchronous line, which a voluntary tunnel has not.
        break;
    }
  }

  /** Many servers hang up on a wrong password without a PPP word; then the moment at which they do so is what tells. */
  #explain({ failure, byPeer }: Extract<L2tpOutput, { kind: 'session-down' | 'tunnel-down' }>): Failure {
    if (!byPeer || this.#ppp?.view.phase !== 'authenticate') return failure;
    return {
      step: 'authentication',
      reason: `the server hung up while user ${this.#options.user} was being authenticated: ${failure.reason}`,
      remedy: 'check the user name and password',
    };
  }

  #openLink(opening: Extract<L2tpOutput, { kind: 'session-opening' }>): void {
    const { user, password, authentication, mru } = this.#options;
    this.#ppp = new PppLink(
      {
        mru,
        mtu: mru,
        authenticatee: { user, password, methods: authentication },
        ipcp: { role: 'client', requestDns: true },
      },
      this.#random,
    );
    this.#putSession(openingShape(opening));
  }

  #onPpp(now: Instant, output: PppOutput): void {
    switch (output.kind) {
      case 'send':
        this.#outputs.push({ kind: 'ppp-send', frame: output.frame });
        break;
      case 'trace':
        this.#outputs.push({
          kind: 'step',
          direction: output.direction,
          step: `${output.protocol} ${output.message}`,
        });
        break;
      case 'link-up':
        this.#link = output;
        break;
      case 'network-up':
        this.#networkUp(now, output);
        break;
      case 'network-down':
        this.#networkDown();
        // Either IPCP is negotiated anew, or an end is under way that will say so itself.
        if (this.#wanted && !this.#ending) this.#setState('connecting');
        if (this.#shape) this.#putSession(closedShape(this.#shape));
        break;
      case 'down':
        this.#end(now, output.failure);
        break;
      default:
        break;
    }
  }

  #networkUp(now: Instant, up: Extract<PppOutput, { kind: 'network-up' }>): void {
    if (!this.#shape || !this.#link) return;
    const { localAddress, peerAddress, dns } = up;
    const network = { localAddress, peerAddress, dns, mtu: this.#link.mtu };
    const refusal = this.#options.reviewAssignment?.(network);
    if (refusal) {
      this.#end(now, refusal);
      return;
    }
    this.#network = network;
    this.#upSince ??= now;
    this.#failure = undefined;
    const everything = ['0.0.0.0/0'];
    this.#outputs.push({ kind: 'network-up', ...network });
    this.#putSession(openShape(this.#shape, this.#link, { destinations: everything, sources: everything }));
    if (this.#wanted) this.#setState('up');
  }

  #networkDown(): void {
    if (!this.#network) return;
    this.#network = undefined;
    this.#outputs.push({ kind: 'network-down' });
  }

  /** A tunnel is there that is being hung up. */
  get #ending(): boolean {
    return this.#state.kind === 'dialled' && this.#state.ending;
  }

  #putSession(shape: SessionShape): void {
    this.#shape = shape;
    this.#outputs.push({ kind: 'put-session', shape });
  }

  /** The attempt, or the connection, is over: everything of it goes, in the order in which it came, backwards. */
  #end(now: Instant, failure: Failure): void {
    if (this.#state.kind !== 'dialled') return;
    const { tunnelId, ending } = this.#state;
    this.#state = { kind: 'idle' };
    this.#networkDown();
    // What PPP still had to say is void: the StopCCN below says it all.
    this.#ppp = undefined;
    if (this.#shape) this.#outputs.push({ kind: 'remove-session' });
    this.#shape = undefined;
    this.#link = undefined;
    this.#peer = undefined;
    if (this.#endpoint.tunnel(tunnelId)) {
      this.#endpoint.closeTunnel(now, tunnelId, { resultCode: this.#shutdown ? STOP_SHUTDOWN : STOP_CLEAR });
    }
    // A server that takes every call and drops it soon after must not be called twice a second.
    if (this.#upSince !== undefined && now - this.#upSince >= STABLE_MS) this.#backoff.reset();
    this.#upSince = undefined;
    if (!this.#wanted) this.#outputs.push({ kind: 'ended' });
    else if (ending) this.#dial();
    else this.#failed(now, failure);
  }

  #failed(now: Instant, failure: Failure): void {
    this.#failure = failure;
    this.#state = { kind: 'waiting', until: now + this.#backoff.next(REFUSALS.has(failure.step)) };
    this.#setState('failed', failure);
  }

  #setState(state: ConnectionState, failure?: Failure): void {
    if (state === this.#lastState && !failure) return;
    this.#lastState = state;
    this.#outputs.push({ kind: 'state', state, ...(failure ? { failure } : {}) });
  }
}
