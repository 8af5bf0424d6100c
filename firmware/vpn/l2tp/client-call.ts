import { L2tpEndpoint } from '../../protocol/l2tp/endpoint.ts';
import type { CloseCause, L2tpOutput, L2tpPeer, TunnelView } from '../../protocol/l2tp/endpoint-types.ts';
import { CallResult } from '../../protocol/l2tp/result-code.ts';
import type { Failure, Instant, RandomSource } from '../../protocol/machine.ts';
import { earliest } from '../../protocol/ppp/deadlines.ts';
import { PppLink } from '../../protocol/ppp/link.ts';
import type { PppAuthentication, PppOutput } from '../../protocol/ppp/link-types.ts';
import { MIN_IPV6_MTU } from '../../protocol/ppp/network-phase.ts';
import type { UdpEndpoint, UdpPath } from '../../protocol/udp-path.ts';
import { HUNG_UP, hungUpWhileAuthenticating } from './client-failures.ts';
import { type ClientIpv6, ClientIpv6Link } from './client-ipv6.ts';
import type { ClientNetwork, L2tpClientOptions, L2tpClientOutput } from './client-types.ts';
import { closedShape, type LinkShape, openingShape, openShape, type SessionShape } from './session-shape.ts';

/** StopCCN result code 1: general request to clear the control connection (RFC 2661 section 4.4.2). */
const STOP_CLEAR = 1;
/** StopCCN result code 6: requester is being shut down. */
const STOP_SHUTDOWN = 6;

const WAITING = 'the tunnel stands, and the server may call';

export type ClientCallOutput =
  | Extract<
      L2tpClientOutput,
      { kind: 'send' | 'put-session' | 'remove-session' | 'ppp-send' | 'network-up' | 'network-down' | 'ipv6' | 'step' }
    >
  /** Nothing is left of the call but a StopCCN that may be on its way. Once for each `dial`. */
  | { readonly kind: 'over'; readonly failure: Failure };

/** The call of a client: one tunnel, one session, PPP inside. One at a time; earlier ones may linger. Without hands. */
export class ClientCall {
  readonly #options: L2tpClientOptions;
  readonly #random: RandomSource;
  readonly #endpoint: L2tpEndpoint;
  readonly #outputs: ClientCallOutput[] = [];
  /** Of the call that is not over. */
  #tunnelId: number | undefined;
  #ppp: PppLink | undefined;
  #shape: SessionShape | undefined;
  #link: LinkShape | undefined;
  #network: ClientNetwork | undefined;
  #ipv6: ClientIpv6Link | undefined;
  #peer: L2tpPeer | undefined;
  #hangingUp = false;

  constructor(options: L2tpClientOptions, random: RandomSource) {
    this.#options = options;
    this.#random = random;
    this.#endpoint = new L2tpEndpoint(
      {
        hostName: options.hostName,
        // Four retransmissions: a server that is not there is given up after 23 s, and asked again soon.
        retransmit: { attempts: 4 },
        ...(options.hello ? { hello: options.hello } : {}),
        dscp: options.data?.dscp ?? 0,
        outgoingCalls: ({ calledNumber }) => this.#refuseCall(calledNumber),
      },
      random,
    );
  }

  /** Opens a tunnel and a session in it. */
  dial(now: Instant, path: UdpPath): void {
    const { hideAvps, secret, data } = this.#options;
    const tunnelId = this.#endpoint.openTunnel(now, { path, hideAvps, ...(secret === undefined ? {} : { secret }) });
    this.#tunnelId = tunnelId;
    this.#hangingUp = false;
    const line = this.#options.accessLine?.();
    if (this.#options.answers === undefined)
      this.#endpoint.openSession(now, tunnelId, {
        sequencing: data?.sequencing ?? false,
        ...(line === undefined ? {} : { accessLine: line }),
      });
    this.#drain(now);
  }

  /** LCP Terminate-Request, then StopCCN. */
  hangUp(now: Instant): void {
    this.#hangingUp = true;
    // Before PPP has begun there is nobody to terminate it with.
    if (this.#ppp && this.#ppp.view.phase !== 'dead') this.#ppp.close(now, HUNG_UP);
    else if (this.#tunnelId !== undefined) {
      this.#endpoint.closeTunnel(now, this.#tunnelId, { resultCode: STOP_CLEAR });
    }
    this.#drain(now);
  }

  /** StopCCN at once, without waiting for the peer's PPP. @param shutdown the router goes down. */
  end(now: Instant, failure: Failure, shutdown = false): void {
    this.#end(now, failure, shutdown ? STOP_SHUTDOWN : STOP_CLEAR);
    this.#drain(now);
  }

  /** The protected channel is gone: the call is over, nothing is sent, and nothing lingers. */
  bearerGone(now: Instant, bearer: number, failure: Failure): void {
    this.#endpoint.closeBearer(now, bearer, failure);
    this.#drain(now);
  }

  /** A control datagram. */
  receive(now: Instant, datagram: Uint8Array, path: UdpPath): void {
    this.#endpoint.receive(now, datagram, path);
    this.#drain(now);
  }

  /** A bare PPP frame. */
  receiveFrame(now: Instant, frame: Uint8Array): void {
    if (this.#ipv6?.receive(now, frame) === true) this.#ppp?.dataReceived(now);
    else this.#ppp?.receive(now, frame);
    this.#drain(now);
  }

  pathError(now: Instant, remote: UdpEndpoint, code: string): void {
    this.#endpoint.pathError(now, remote, code);
    this.#drain(now);
  }

  /** User packets came in: the peer lives. */
  dataReceived(now: Instant): void {
    if (this.#tunnelId === undefined) return;
    this.#endpoint.dataReceived(now, this.#tunnelId);
    this.#ppp?.dataReceived(now);
    this.#drain(now);
  }

  /** No call, and nothing unacknowledged of earlier ones. */
  get idle(): boolean {
    return this.#tunnelId === undefined && this.#endpoint.idle;
  }

  get tunnel(): TunnelView | undefined {
    return this.#tunnelId === undefined ? undefined : this.#endpoint.tunnel(this.#tunnelId);
  }

  get network(): ClientNetwork | undefined {
    return this.#network;
  }

  /** While user packets of IPv6 flow. */
  get ipv6(): ClientIpv6 | undefined {
    return this.#network === undefined ? undefined : this.#ipv6?.state;
  }

  get authentication(): PppAuthentication | undefined {
    return this.#ppp?.view.authentication;
  }

  get peer(): L2tpPeer | undefined {
    return this.#peer;
  }

  tick(now: Instant): void {
    this.#endpoint.tick(now);
    this.#ppp?.tick(now);
    this.#ipv6?.tick(now);
    this.#drain(now);
  }

  nextDeadline(): Instant | undefined {
    return earliest(this.#endpoint.nextDeadline(), this.#ppp?.nextDeadline(), this.#ipv6?.nextDeadline());
  }

  poll(): ClientCallOutput | undefined {
    return this.#outputs.shift();
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
      if (ppp) {
        this.#onPpp(now, ppp);
        continue;
      }
      const ipv6 = this.#ipv6?.poll();
      if (!ipv6) return;
      if (ipv6.kind === 'send') this.#outputs.push({ kind: 'ppp-send', frame: ipv6.frame });
      else this.#tellIpv6();
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
    // A tunnel that only lingers to answer retransmissions has nothing to say to the present call.
    if (output.tunnelId !== this.#tunnelId) return;
    switch (output.kind) {
      case 'tunnel-up':
        this.#peer = output.peer;
        if (this.#options.answers !== undefined) this.#outputs.push({ kind: 'step', step: 'waiting', detail: WAITING });
        break;
      case 'tunnel-path':
        if (this.#shape) this.#putSession({ ...this.#shape, path: output.path });
        break;
      case 'session-opening':
        this.#openLink(output);
        break;
      case 'call-requested':
        this.#endpoint.answerCall(now, output.tunnelId, output.sessionId, {
          sequencing: this.#options.data?.sequencing ?? false,
        });
        break;
      case 'session-up':
        if (this.#shape && output.sequencing) this.#putSession({ ...this.#shape, sequencing: true });
        this.#ppp?.start(now);
        break;
      case 'session-down':
        if (this.#waitsOn()) this.#release();
        else this.#end(now, this.#explain(output), STOP_CLEAR);
        break;
      case 'tunnel-down':
        this.#end(now, this.#explain(output), STOP_CLEAR);
        break;
      default:
        // SLI and WEN speak of an asynchronous line, which a voluntary tunnel has not.
        break;
    }
  }

  #explain({ failure, byPeer }: Extract<L2tpOutput, { kind: 'session-down' | 'tunnel-down' }>): Failure {
    if (!byPeer || this.#ppp?.view.phase !== 'authenticate') return failure;
    return hungUpWhileAuthenticating(this.#options.user, failure.reason);
  }

  #openLink(opening: Extract<L2tpOutput, { kind: 'session-opening' }>): void {
    const { user, password, authentication, mru, ipv6 } = this.#options;
    this.#ppp = new PppLink(
      {
        mru,
        mtu: mru,
        authenticatee: { user, password, methods: authentication },
        ipcp: { role: 'client', requestDns: true },
        ...(ipv6 === true ? { ipv6cp: {} } : {}),
      },
      this.#random,
    );
    this.#putSession(openingShape(opening, this.#options.data ?? {}));
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
      case 'notice':
        this.#outputs.push({ kind: 'step', step: `${output.protocol} notice`, detail: output.text });
        break;
      case 'link-up':
        this.#link = output;
        this.#judgeWidth(output.mtu);
        break;
      case 'network-up':
        this.#networkUp(now, output);
        break;
      case 'network-down':
        this.#networkDown();
        if (this.#shape) this.#putSession(closedShape(this.#shape));
        break;
      case 'ipv6-up':
        this.#ipv6Up(now, output);
        break;
      case 'ipv6-down':
        this.#ipv6Down();
        break;
      case 'down':
        if (this.#waitsOn()) this.#endCall(now, output.failure);
        else this.#end(now, output.failure, STOP_CLEAR);
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
      this.#end(now, refusal, STOP_CLEAR);
      return;
    }
    this.#network = network;
    this.#outputs.push({ kind: 'network-up', ...network });
    this.#tellIpv6();
    this.#openSession();
  }

  /** Opens the session for what is up, both ways: all there is behind a server is behind it. */
  #openSession(): void {
    if (!this.#shape || !this.#link || !this.#network) return;
    const everything = ['0.0.0.0/0', ...(this.#ipv6 ? ['::/0'] : [])];
    this.#putSession(openShape(this.#shape, this.#link, { destinations: everything, sources: everything }));
  }

  #judgeWidth(mtu: number): void {
    if (this.#options.ipv6 !== true || mtu >= MIN_IPV6_MTU) return;
    const detail = `the link carries ${mtu} octets, and IPv6 needs ${MIN_IPV6_MTU}: enlarge the MRU at both ends`;
    this.#outputs.push({ kind: 'step', step: 'IPv6', detail });
  }

  #ipv6Up(now: Instant, up: Extract<PppOutput, { kind: 'ipv6-up' }>): void {
    if (!this.#link) return;
    const { reviewIpv6: review } = this.#options;
    this.#ipv6 = new ClientIpv6Link(up, this.#link.mtu, {
      ...(review ? { review } : {}),
      refused: ({ step, reason }) => this.#outputs.push({ kind: 'step', step, detail: reason }),
    });
    this.#ipv6.start(now);
    this.#tellIpv6();
    this.#openSession();
  }

  #ipv6Down(): void {
    if (!this.#ipv6) return;
    this.#ipv6 = undefined;
    if (!this.#network) return;
    this.#outputs.push({ kind: 'ipv6' });
    this.#openSession();
  }

  /** Not before IPv4 is up, which makes the interface. */
  #tellIpv6(): void {
    if (this.#network && this.#ipv6) this.#outputs.push({ kind: 'ipv6', ipv6: this.#ipv6.state });
  }

  #networkDown(): void {
    if (!this.#network) return;
    this.#network = undefined;
    this.#outputs.push({ kind: 'network-down' });
  }

  /** Why the server cannot have this number called; nothing: it can. */
  #refuseCall(calledNumber: string): CloseCause | undefined {
    const { answers } = this.#options;
    if (answers === undefined)
      return { resultCode: CallResult.noFacilitiesEver, errorCode: 0, message: 'this client calls' };
    if (calledNumber !== answers) return { resultCode: CallResult.invalidDestination, message: 'no such number here' };
    return this.#ppp === undefined ? undefined : { resultCode: CallResult.busy, message: 'there is a call already' };
  }

  /** Whether the end of a call is not the end of the tunnel, by which the next one comes. */
  #waitsOn(): boolean {
    return this.#options.answers !== undefined && !this.#hangingUp;
  }

  /** PPP has ended, and the session with it. */
  #endCall(now: Instant, failure: Failure): void {
    const tunnelId = this.#tunnelId;
    const session = this.#shape?.localSessionId;
    this.#release();
    if (tunnelId === undefined || session === undefined) return;
    const message = `${failure.step}: ${failure.reason}`.slice(0, 200);
    this.#endpoint.closeSession(now, tunnelId, session, { resultCode: CallResult.administrative, message });
  }

  /** What belongs to a call goes; the tunnel stays for the next one. */
  #release(): void {
    if (this.#ppp === undefined && this.#shape === undefined) return;
    this.#networkDown();
    this.#ppp = undefined;
    if (this.#shape) this.#outputs.push({ kind: 'remove-session' });
    this.#shape = undefined;
    this.#link = undefined;
    this.#outputs.push({ kind: 'step', step: 'waiting', detail: WAITING });
  }

  #putSession(shape: SessionShape): void {
    this.#shape = shape;
    this.#outputs.push({ kind: 'put-session', shape });
  }

  /** Everything of the call goes, in the order in which it came, backwards. */
  #end(now: Instant, failure: Failure, resultCode: number): void {
    const tunnelId = this.#tunnelId;
    if (tunnelId === undefined) return;
    this.#tunnelId = undefined;
    this.#ipv6 = undefined;
    this.#networkDown();
    // What PPP still had to say is void: the StopCCN below says it all.
    this.#ppp = undefined;
    if (this.#shape) this.#outputs.push({ kind: 'remove-session' });
    this.#shape = undefined;
    this.#link = undefined;
    this.#peer = undefined;
    this.#endpoint.closeTunnel(now, tunnelId, { resultCode });
    this.#outputs.push({ kind: 'over', failure });
  }
}
