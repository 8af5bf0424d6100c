/** One L2TP tunnel of a capture (RFC 2661 sections 5.8 and 7.2), told as the end that asked for it sees it. */
import {
  noAnswerToSccrq,
  noScccn,
  noSccrp,
  notAcknowledged,
  peerSilent,
  peerStopped,
  scccnIgnored,
  secretMissing,
  wrongSecret,
} from '../../protocol/l2tp/failures.ts';
import { StopResult } from '../../protocol/l2tp/result-code.ts';
import { formatEndpoint } from '../../protocol/udp-path.ts';
import type { DecodedMessage, MessageEnd } from '../decode/decoded.ts';
import type { Notes } from '../notes.ts';
import { listOf, namedValue, numberOf, type Speaker, secondsBetween, textOf } from './fields.ts';
import { resultOf } from './l2tp-result.ts';
import { L2tpSession } from './l2tp-session.ts';
import { Outstanding } from './outstanding.ts';

/** Sessions that are followed in a tunnel at a time; the oldest goes. */
const MAX_SESSIONS = 128;

type Phase = 'asked' | 'answered' | 'connected' | 'established' | 'closed';

export class L2tpTunnel {
  readonly #notes: Notes;
  readonly #client: MessageEnd;
  #server: MessageEnd;
  #phase: Phase = 'asked';
  readonly #outstanding: Readonly<Record<Speaker, Outstanding>> = {
    client: new Outstanding(),
    server: new Outstanding(),
  };
  readonly #sessions: L2tpSession[] = [];
  readonly #heard: Record<Speaker, number> = { client: 0, server: 0 };
  #clientChallenged = false;
  #serverChallenged = false;
  #serverResponded = false;
  #serverResponse = '';
  #clientResponse = '';
  #pathError: string | undefined;
  #ended = false;
  wasUp = false;

  constructor(notes: Notes, client: MessageEnd, server: MessageEnd) {
    this.#notes = notes;
    this.#client = client;
    this.#server = server;
  }

  get isOpen(): boolean {
    return this.#phase !== 'closed' && !this.#ended;
  }

  get isEstablished(): boolean {
    return this.#phase === 'established' && !this.#ended;
  }

  serves(server: MessageEnd): boolean {
    return this.#server.address === server.address;
  }

  /** Its client has forgotten it. */
  abandoned(): void {
    this.#ended = true;
  }

  /** The network reported an error to its client. @param error as a socket would name it */
  pathError(error: string): void {
    if (this.#phase === 'asked') this.#pathError = error;
  }

  control(message: DecodedMessage): void {
    const { fields, time, frame } = message;
    const from = this.#speaker(message);
    const name = textOf(fields, 'messageType');
    this.#heard[from] = time;
    const nr = numberOf(fields, 'nr');
    if (nr !== undefined) this.#outstanding[from === 'client' ? 'server' : 'client'].acknowledge(nr);
    const ns = numberOf(fields, 'ns');
    if (name !== 'ZLB' && ns !== undefined) this.#outstanding[from].sent(name, ns, time);
    const avps = listOf(fields, 'avps');
    const verdict = textOf(fields, 'authentication');
    if (verdict !== '') this.#notes.seen('l2tp-tunnel', `${name} at frame ${frame}: ${verdict}`);
    switch (name) {
      case 'SCCRQ':
        this.#clientChallenged ||= namedValue(avps, 'Challenge') !== undefined;
        this.#notes.seen('l2tp-tunnel', `SCCRQ from ${formatEndpoint(message.source)} at frame ${frame}`);
        return;
      case 'SCCRP':
        this.#server = message.source;
        this.#serverChallenged ||= namedValue(avps, 'Challenge') !== undefined;
        this.#serverResponded ||= namedValue(avps, 'Challenge Response') !== undefined;
        this.#serverResponse = verdict;
        if (this.#phase === 'asked') this.#phase = 'answered';
        return;
      case 'SCCCN':
        this.#clientResponse = verdict;
        if (this.#phase === 'answered') this.#phase = 'connected';
        return;
      case 'ICRQ':
      case 'OCRQ':
        this.#call(message, from, name);
        return;
      case 'ZLB':
        this.#acknowledged(frame);
        return;
      case 'StopCCN':
        return;
      default:
        this.#acknowledged(frame);
        this.#sessionOf(message, from)?.control(message, from, name);
    }
  }

  /** A PPP packet of one of its sessions. */
  data(message: DecodedMessage): void {
    const from = this.#speaker(message);
    this.#heard[from] = message.time;
    const session = this.#sessionOf(message, from);
    session?.data(message, from);
    if (session?.isUp === true) this.wasUp = true;
  }

  /** A StopCCN. */
  stopped(message: DecodedMessage, now: number): void {
    if (this.#phase === 'closed') return;
    const from = this.#speaker(message);
    const explained = this.#endSessions(now);
    const result = resultOf(message, 'StopCCN');
    const phase = this.#phase;
    this.#phase = 'closed';
    this.wasUp = false;
    const before = phase !== 'established';
    if (from === 'server') {
      const withSecret = this.#clientChallenged || this.#serverChallenged;
      const told = phase === 'asked' ? 'wait-reply' : before ? 'unproven' : 'established';
      if (!explained) this.#notes.failure(peerStopped(told, this.#server, result, withSecret));
    } else if (phase === 'answered') this.#clientWithdrew(result);
    else if (result?.resultCode === StopResult.generalRequest || result?.resultCode === StopResult.shuttingDown) {
      this.#notes.seen('l2tp-tunnel', `the client closed the tunnel at frame ${message.frame}`);
    } else if (!explained) this.#notes.failure(peerStopped('established', this.#client, result, false));
  }

  /** The capture ends, or another tunnel takes its place. */
  end(now: number): void {
    if (this.#ended) return;
    this.#ended = true;
    const explained = this.#endSessions(now);
    if (this.#phase === 'closed' || explained) return;
    const { client, server } = this.#outstanding;
    const lost = client.lost(now);
    const lostByServer = server.lost(now);
    const silent = secondsBetween(lost?.first ?? now, now);
    switch (this.#phase) {
      case 'asked':
        if (lost !== undefined) this.#notes.failure(noAnswerToSccrq(this.#server, silent, this.#pathError));
        else if (client.acknowledgedSince(now)) this.#notes.failure(noSccrp(this.#server, client.seconds(now)));
        return;
      case 'answered':
        if (lostByServer !== undefined) this.#notes.failure(noScccn(this.#client));
        return;
      case 'connected':
        if (lost !== undefined) {
          const wrong = this.#clientResponse.includes('wrong');
          if (wrong) this.#notes.failure(wrongSecret('SCCCN', this.#client, false));
          else this.#notes.failure(scccnIgnored(this.#server, this.#serverChallenged));
        }
        return;
      default:
    }
    if (lost !== undefined) this.#silence(lost.name, this.#server, now - this.#heard.server);
    else if (lostByServer !== undefined) this.#silence(lostByServer.name, this.#client, now - this.#heard.client);
  }

  #silence(name: string, remote: MessageEnd, silent: number): void {
    this.wasUp = false;
    if (name === 'HELLO') this.#notes.failure(peerSilent(remote, Math.round(silent / 1000)));
    else this.#notes.failure(notAcknowledged(remote, name));
  }

  /** A client that says StopCCN instead of SCCCN does not like the SCCRP. */
  #clientWithdrew(result: ReturnType<typeof resultOf>): void {
    const secret = result?.resultCode === StopResult.notAuthorized || this.#serverResponse.includes('wrong');
    if (!secret) this.#notes.failure(peerStopped('wait-connect', this.#client, result, false));
    else if (this.#clientChallenged) {
      this.#notes.failure(wrongSecret('SCCRQ', this.#server, !this.#serverResponded));
    } else if (this.#serverChallenged) this.#notes.failure(secretMissing('SCCRQ', this.#server));
    else this.#notes.failure(peerStopped('wait-connect', this.#client, result, true));
  }

  /** Whatever comes behind the SCCCN and acknowledges it: the tunnel stands. */
  #acknowledged(frame: number): void {
    if (this.#phase !== 'connected' || this.#outstanding.client.has('SCCCN')) return;
    this.#phase = 'established';
    this.#notes.ok('l2tp-tunnel', `the tunnel stood at frame ${frame}`);
  }

  #call(message: DecodedMessage, from: Speaker, name: 'ICRQ' | 'OCRQ'): void {
    this.#acknowledged(message.frame);
    const assigned = namedValue(listOf(message.fields, 'avps'), 'Assigned Session ID');
    if (typeof assigned !== 'number' || message.fields['retransmission'] === true) return;
    const ends = { client: this.#client, server: this.#server };
    this.#sessions.push(
      new L2tpSession(this.#notes, { name, caller: from, callerId: assigned, ends, at: message.time }),
    );
    if (this.#sessions.length > MAX_SESSIONS) this.#sessions.shift();
  }

  /** The header has the Session ID of the receiver, a CDN that of its sender in an AVP, too. */
  #sessionOf({ fields }: DecodedMessage, from: Speaker): L2tpSession | undefined {
    const sessionId = numberOf(fields, 'sessionId') ?? 0;
    const assigned = namedValue(listOf(fields, 'avps'), 'Assigned Session ID');
    const to = from === 'client' ? 'server' : 'client';
    return this.#sessions.findLast(
      (session) =>
        (sessionId !== 0 && session.ids[to] === sessionId) || (sessionId === 0 && session.ids[from] === assigned),
    );
  }

  #endSessions(now: number): boolean {
    const { client, server } = this.#outstanding;
    for (const session of this.#sessions) session.end(now, client.has('ICRQ') || server.has('OCRQ'));
    return this.#sessions.some((session) => session.hasFailed);
  }

  #speaker({ source }: DecodedMessage): Speaker {
    const sameHost = this.#client.address === this.#server.address;
    const fromClient = source.address === this.#client.address && (!sameHost || source.port === this.#client.port);
    return fromClient ? 'client' : 'server';
  }
}
