/** The control connection's state machine, as originator and as recipient (RFC 2661 section 7.2). */
import type { Failure, Instant, RandomSource } from '../machine.ts';
import { samePeer, type UdpPath } from '../udp-path.ts';
import type { ControlChannel } from './control-channel.ts';
import { type AvpFields, encodeControlMessage } from './control-message.ts';
import { type EndpointSettings, fullCycle } from './endpoint-settings.ts';
import type { CloseCause, L2tpCounters, L2tpOutput, L2tpPeer } from './endpoint-types.ts';
import {
  badMessage,
  noAnswerToSccrq,
  noScccn,
  noSccrp,
  notAcknowledged,
  outOfTurn,
  peerSilent,
  peerStopped,
  type StopPhase,
  scccnIgnored,
  tieLost,
  weStopped,
} from './failures.ts';
import type { MessageName } from './message-table.ts';
import { sameHost } from './peer-key.ts';
import { resultOf, StopResult } from './result-code.ts';
import { findTransition } from './transition-table.ts';
import { CHALLENGE_LENGTH } from './tunnel-authentication.ts';
import { introduction, judgeScccn, judgeSccrp, type Proof, peerOf, proofFor, type Refusal } from './tunnel-setup.ts';
import { CONTROL_CONNECTION, type ControlConnectionEvent } from './tunnel-states.ts';

export interface TunnelOptions {
  readonly localId: number;
  readonly path: UdpPath;
  readonly secret?: Uint8Array;
  readonly hideAvps: boolean;
  readonly tieBreaker?: bigint;
  readonly followReplyPort: boolean;
}

/** What the control connection needs of its tunnel. */
export interface ConnectionHost {
  readonly settings: EndpointSettings;
  readonly random: RandomSource;
  readonly counters: L2tpCounters;
  emit(output: L2tpOutput): void;
  /** Sessions may be opened. */
  established(now: Instant): void;
  /** Sessions are gone. */
  down(failure: Failure, byPeer: boolean): void;
}

type State =
  | { readonly kind: 'idle' | 'established' | 'gone' }
  | { readonly kind: 'wait-reply' | 'wait-connect' | 'closing'; readonly until: Instant };

/** Why and how the connection ends. */
interface Ending {
  /** For the StopCCN, where one is sent. */
  readonly cause?: CloseCause;
  readonly failure: Failure;
  readonly byPeer: boolean;
}

export class ControlConnection {
  path: UdpPath;
  /** A session's message came: the peer took our SCCCN for good. */
  proven = false;

  readonly #host: ConnectionHost;
  readonly #options: TunnelOptions;
  readonly #channel: ControlChannel<unknown>;
  readonly #proof: Proof;
  readonly #openedAt: Instant;
  #state: State = { kind: 'idle' };
  #incoming = false;
  #heard = false;
  #peer: L2tpPeer | undefined;
  #peerFraming: number | undefined;
  #pathError: string | undefined;

  constructor(now: Instant, host: ConnectionHost, channel: ControlChannel<unknown>, options: TunnelOptions) {
    this.path = options.path;
    this.#host = host;
    this.#channel = channel;
    this.#options = options;
    this.#openedAt = now;
    const { secret } = options;
    this.#proof = secret === undefined ? {} : { secret, challenge: host.random.bytes(CHALLENGE_LENGTH) };
  }

  get state(): State['kind'] {
    return this.#state.kind;
  }

  /** When the present state has lasted long enough. */
  get until(): Instant | undefined {
    return 'until' in this.#state ? this.#state.until : undefined;
  }

  /** The peer is the originator. */
  get incoming(): boolean {
    return this.#incoming;
  }

  /** Anything at all came from the peer. */
  get heard(): boolean {
    return this.#heard;
  }

  get peer(): L2tpPeer | undefined {
    return this.#peer;
  }

  /** Framing Capabilities AVP of the peer. */
  get peerFraming(): number | undefined {
    return this.#peerFraming;
  }

  /** We are the originator. */
  open(now: Instant): void {
    this.#step(now, 'local open', {});
  }

  /** The peer is the originator, and its SCCRQ was found acceptable. */
  accept(now: Instant, sccrq: AvpFields): void {
    this.#incoming = true;
    this.#channel.attempts = this.#host.settings.accept?.replyAttempts ?? this.#channel.attempts;
    this.#step(now, 'SCCRQ', sccrq);
  }

  /** Whether a control message that came this way may belong to this connection (sections 5.3 and 8.1). */
  accepts(path: UdpPath): boolean {
    if (samePeer(path, this.path)) return true;
    return this.#state.kind === 'wait-reply' && this.#options.followReplyPort && sameHost(path, this.path);
  }

  noteHeard(): void {
    this.#heard = true;
  }

  /** The same peer sends from another address, which only a protected channel can vouch for: a NAT remapped it. */
  noteMove({ remote }: UdpPath): void {
    const known = this.path.remote;
    if (this.#state.kind !== 'established' || remote.port !== known.port || remote.address === known.address) return;
    this.path = { ...this.path, remote };
    this.#host.emit({ kind: 'tunnel-path', tunnelId: this.#options.localId, path: this.path });
  }

  /** For the words, should nobody answer. @param code errno name. */
  notePathError(code: string): void {
    this.#pathError = code;
  }

  /** A message about the tunnel, nothing wrong with it. @param path the way that it came. */
  receive(now: Instant, name: MessageName, fields: AvpFields, path: UdpPath): void {
    if (this.#state.kind === 'closing') this.#receiveWhileClosing(name, fields);
    else if (name === 'StopCCN') this.#stopped(now, fields, path);
    else if (name === 'SCCRP' && this.#state.kind === 'wait-reply') this.#replied(now, fields, path);
    else if (name === 'SCCCN' && this.#state.kind === 'wait-connect') this.#connected(now, fields);
    else if (name === 'SCCRQ' || name === 'SCCRP' || name === 'SCCCN') this.#step(now, name, fields);
  }

  /** A message that must end the tunnel. @param step its name. */
  invalid(now: Instant, step: string, cause: CloseCause): void {
    const failure = badMessage(step, this.path.remote, cause.message ?? '');
    this.#step(now, 'invalid message', {}, { cause, failure, byPeer: false });
  }

  close(now: Instant, cause: CloseCause): void {
    this.#step(now, 'local close', {}, { cause, failure: weStopped(cause), byPeer: false });
  }

  /** The peer's SCCRQ won the tie: ours is discarded without a word to the peer (section 4.4.3). */
  loseTie(now: Instant): void {
    this.#step(now, 'SCCRQ, lose tie-breaker', {}, { failure: tieLost(this.path.remote), byPeer: true });
  }

  /** Nobody answers, or the time of lingering is over. @param silentSince when the peer was last heard. */
  giveUp(now: Instant, silentSince: Instant): void {
    if (this.#state.kind === 'closing') this.forget();
    else this.fail(now, this.#whyGivenUp(now, silentSince));
  }

  /** The end without a word to the peer. */
  fail(now: Instant, failure: Failure): void {
    this.#step(now, 'no answer', {}, { failure, byPeer: false });
  }

  /** The end of lingering. */
  forget(): void {
    this.#state = { kind: 'gone' };
  }

  /** Queues a message. @param localSessionId for the trace; 0 for one about the tunnel. */
  send(name: MessageName, fields: AvpFields, localSessionId: number, peerSessionId: number): void {
    const { secret, hideAvps } = this.#options;
    const mayHide = hideAvps && this.#state.kind === 'established';
    const hiding = mayHide && secret !== undefined ? { secret, random: this.#host.random } : undefined;
    const header = { tunnelId: 0, sessionId: peerSessionId, ns: 0, nr: 0 };
    const datagram = encodeControlMessage(header, name, fields, hiding);
    this.#channel.send({ datagram, name, sessionId: localSessionId });
  }

  #replied(now: Instant, fields: AvpFields, path: UdpPath): void {
    const moved = this.#follow(path);
    this.#channel.peerTunnelId = fields.assignedTunnelId ?? 0;
    const refusal = judgeSccrp(fields, this.#proof, this.path.remote);
    if (refusal) {
      this.#refuse(now, 'SCCRP, not acceptable', refusal);
      return;
    }
    if (moved) this.#host.emit({ kind: 'tunnel-path', tunnelId: this.#options.localId, path: this.path });
    this.#step(now, 'SCCRP', fields);
  }

  #connected(now: Instant, fields: AvpFields): void {
    const refusal = judgeScccn(fields, this.#proof, this.path.remote);
    if (refusal) this.#refuse(now, 'SCCCN, not acceptable', refusal);
    else this.#step(now, 'SCCCN', fields);
  }

  #stopped(now: Instant, fields: AvpFields, path: UdpPath): void {
    if (this.#state.kind === 'wait-reply') {
      // So that the acknowledgement finds its way, though there never was an SCCRP.
      this.#follow(path);
      this.#channel.peerTunnelId = fields.assignedTunnelId ?? 0;
    }
    const withSecret = this.#proof.secret !== undefined;
    const failure = peerStopped(this.#stopPhase(), this.path.remote, fields.resultCode, withSecret);
    this.#step(now, 'StopCCN', fields, { failure, byPeer: true });
  }

  #stopPhase(): StopPhase {
    if (this.#state.kind === 'wait-reply' || this.#state.kind === 'wait-connect') return this.#state.kind;
    return this.proven || this.#incoming ? 'established' : 'unproven';
  }

  /** Only what helps the peer to clean up, too. */
  #receiveWhileClosing(name: MessageName, fields: AvpFields): void {
    if (name === 'SCCRP' && this.#channel.peerTunnelId === 0) {
      this.#channel.peerTunnelId = fields.assignedTunnelId ?? 0;
    }
    if (name === 'StopCCN') this.#channel.discardOutstanding();
  }

  /** Takes the end from which the peer answers (section 8.1). @returns whether it is another one than before. */
  #follow(path: UdpPath): boolean {
    if (samePeer(path, this.path)) return false;
    this.path = { ...this.path, remote: path.remote };
    return true;
  }

  #refuse(now: Instant, event: ControlConnectionEvent, { cause, failure, authentication }: Refusal): void {
    if (authentication) this.#host.counters.authenticationFailed += 1;
    this.#step(now, event, {}, { cause, failure, byPeer: false });
  }

  #step(now: Instant, event: ControlConnectionEvent, fields: AvpFields, given?: Ending): void {
    const row = findTransition(CONTROL_CONNECTION, this.#state.kind, event);
    if (row === undefined) return;
    const { settings } = this.#host;
    const { localId, tieBreaker } = this.#options;
    const patience = now + fullCycle(settings.retransmit, this.#channel.attempts);
    const lingering: State = { kind: 'closing', until: now + settings.lingerMs };
    const ending = given ?? this.#outOfTurn(event);
    switch (row.action) {
      case 'send SCCRQ':
        this.#state = { kind: 'wait-reply', until: patience };
        this.#sendForTunnel('SCCRQ', {
          ...introduction(settings, localId, this.#proof.challenge),
          ...(tieBreaker === undefined ? {} : { tieBreaker }),
        });
        break;
      case 'send SCCRP':
        this.#state = { kind: 'wait-connect', until: patience };
        this.#meet(fields);
        this.#sendForTunnel('SCCRP', {
          ...introduction(settings, localId, this.#proof.challenge),
          ...proofFor('SCCRP', fields, this.#proof.secret),
        });
        break;
      case 'send SCCCN, open sessions':
        this.#meet(fields);
        this.#sendForTunnel('SCCCN', proofFor('SCCCN', fields, this.#proof.secret));
        this.#established(now);
        break;
      case 'open sessions':
        this.#channel.attempts = settings.retransmit.attempts;
        this.#established(now);
        break;
      case 'send StopCCN, clean up':
        // What waits behind the window is of no use any more; and an SCCRQ that nobody has answered must not bring a
        // server to make a tunnel after all.
        if (this.#heard) this.#channel.discardWaiting();
        else this.#channel.discardOutstanding();
        this.#sendStop(ending);
        this.#cleanUp(lingering, ending);
        break;
      case 'clean up':
        this.#channel.discardOutstanding();
        this.#cleanUp(row.to === 'gone' ? { kind: 'gone' } : lingering, ending);
        break;
    }
  }

  #sendStop({ cause }: Ending): void {
    const result = resultOf(cause ?? { resultCode: StopResult.generalRequest });
    this.#sendForTunnel('StopCCN', { assignedTunnelId: this.#options.localId, resultCode: result });
  }

  #sendForTunnel(name: MessageName, fields: AvpFields): void {
    this.send(name, fields, 0, 0);
  }

  #meet(fields: AvpFields): void {
    this.#channel.peerTunnelId = fields.assignedTunnelId ?? 0;
    this.#peer = peerOf(fields);
    this.#peerFraming = fields.framingCapabilities;
    this.#channel.setPeerWindow(this.#peer.receiveWindow);
  }

  #established(now: Instant): void {
    this.#state = { kind: 'established' };
    this.#host.emit({
      kind: 'tunnel-up',
      tunnelId: this.#options.localId,
      peerTunnelId: this.#channel.peerTunnelId,
      path: this.path,
      peer: this.#peer ?? peerOf({}),
      incoming: this.#incoming,
    });
    this.#host.established(now);
  }

  #cleanUp(state: State, { failure, byPeer }: Ending): void {
    this.#state = state;
    this.#host.down(failure, byPeer);
    this.#host.emit({ kind: 'tunnel-down', tunnelId: this.#options.localId, failure, byPeer });
  }

  #outOfTurn(event: string): Ending {
    const cause = { resultCode: StopResult.stateMachineError, errorCode: 0, message: `${event} out of turn` };
    return { cause, failure: outOfTurn(event, this.path.remote), byPeer: false };
  }

  #whyGivenUp(now: Instant, silentSince: Instant): Failure {
    const { remote } = this.path;
    const oldest = this.#channel.oldest?.name;
    const seconds = Math.round((now - this.#openedAt) / 1000);
    if (this.#state.kind === 'wait-connect') return noScccn(remote);
    if (this.#state.kind === 'wait-reply') {
      return oldest === 'SCCRQ' ? noAnswerToSccrq(remote, seconds, this.#pathError) : noSccrp(remote, seconds);
    }
    if (oldest === 'SCCCN') return scccnIgnored(remote, this.#proof.secret !== undefined);
    if (this.#channel.failed) return notAcknowledged(remote, oldest ?? 'HELLO');
    return peerSilent(remote, Math.round((now - silentSince) / 1000));
  }
}
