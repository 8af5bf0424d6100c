/** One PPP link of a capture, followed from LCP to the network layer (RFC 1661 section 3). */
import type { Failure } from '../../protocol/machine.ts';
import { Ipcp } from '../../protocol/ppp/ipcp.ts';
import { Ipv6cp } from '../../protocol/ppp/ipv6cp.ts';
import { authenticationRejected, terminatedWhileAuthenticating } from '../../protocol/ppp/link-failures.ts';
import { PPP_CHAP, PPP_EAP, PPP_PAP } from '../../protocol/ppp/protocol-numbers.ts';
import type { DecodedMessage, Fields } from '../decode/decoded.ts';
import type { Notes } from '../notes.ts';
import { listOf, namedValue, type Speaker, secondsBetween, textOf } from './fields.ts';
import { PppNegotiation } from './ppp-negotiation.ts';
import { PppProof } from './ppp-proof.ts';

/** Without an answer for so long, or asked so often, nothing is taken for slow any more: ms, times. */
const PATIENCE_MS = 3000;
const PATIENCE_TIMES = 3;

const REJECTED_AUTHENTICATION: ReadonlyMap<string, number> = new Map([
  ['PAP', PPP_PAP],
  ['CHAP', PPP_CHAP],
  ['EAP', PPP_EAP],
]);

export class PppLink {
  readonly #notes: Notes;
  readonly #lcp = new PppNegotiation();
  readonly #ipcp = new PppNegotiation();
  readonly #ipv6cp = new PppNegotiation();
  readonly #proof: PppProof;
  /** Echo-Requests since the other end was last heard. */
  readonly #echoes: Record<Speaker, number> = { client: 0, server: 0 };
  #mppe = false;
  #ccpRejected = false;
  #lcpOpenSince: number | undefined;
  #provedAt: number | undefined;
  #over = false;
  #failed = false;

  constructor(notes: Notes) {
    this.#notes = notes;
    this.#proof = new PppProof(notes);
  }

  /** Whether user packets can flow. */
  get isUp(): boolean {
    return !this.#over && (this.#ipcp.open || this.#ipv6cp.open);
  }

  /** Whether its end has been explained. */
  get hasFailed(): boolean {
    return this.#failed || this.#proof.failed;
  }

  /** The user whose proof is waiting for a verdict. */
  get proving(): string | undefined {
    return this.#proof.pendingUser;
  }

  receive(message: DecodedMessage, from: Speaker): void {
    if (this.#over) return;
    this.#echoes[from === 'client' ? 'server' : 'client'] = 0;
    switch (message.protocol) {
      case 'ppp-lcp':
        this.#lcpPacket(message, from);
        return;
      case 'ppp-pap':
      case 'ppp-chap':
      case 'ppp-eap':
        if (this.#proof.receive(message)) this.#provedAt = message.time;
        return;
      case 'ppp-ipcp':
        this.#ipcpPacket(message, from);
        return;
      case 'ppp-ipv6cp':
        this.#ipv6cp.receive(message, from);
        if (this.#ipv6cp.justOpened) this.#notes.ok('ipv6cp', `IPv6CP opened at frame ${message.frame}`);
        return;
      case 'ppp-ccp':
        if (textOf(message.fields, 'code') === 'Configure-Request') {
          this.#mppe ||= listOf(message.fields, 'options').some(({ name }) => name === 'MPPE');
        }
        return;
      default:
    }
  }

  /** The session below it ends, or the capture does. */
  end(now: number): void {
    if (this.#over) return;
    this.#over = true;
    if (this.hasFailed) return;
    if (!this.#lcp.open) this.#lcpEnd(now);
    else if (!this.#proof.complete) this.#proof.end(now);
    else if (!this.#ipcp.open && !this.#ipv6cp.open) this.#ipcpEnd(now);
    const silent = this.#echoes.client >= PATIENCE_TIMES || this.#echoes.server >= PATIENCE_TIMES;
    if (silent && !this.hasFailed) {
      this.#sign('echo-lost', `${Math.max(this.#echoes.client, this.#echoes.server)} Echo-Requests have no reply`);
    }
  }

  #sign(id: string, seen: string): void {
    this.#failed = true;
    this.#notes.sign(id, seen);
  }

  #failure(failure: Failure): void {
    this.#failed = true;
    this.#notes.failure(failure);
  }

  #lcpPacket(message: DecodedMessage, from: Speaker): void {
    const { fields, frame, time } = message;
    const code = textOf(fields, 'code');
    if (code === 'Echo-Request') this.#echoes[from] += 1;
    if (code === 'Protocol-Reject') this.#protocolReject(textOf(fields, 'rejectedProtocol'));
    if (code === 'Terminate-Request') this.#terminate(fields, from, frame);
    if (!code.startsWith('Configure-')) return;
    this.#lcp.receive(message, from);
    if (code === 'Configure-Request' && this.#proof.complete && !this.#lcp.open) this.#proof.renegotiated();
    this.#authenticationOption(message, from);
    if (!this.#lcp.justOpened) return;
    this.#lcpOpenSince = time;
    this.#notes.ok('lcp', `LCP opened at frame ${frame}`);
    if (!this.#proof.demanded) this.#notes.ok('ppp-authentication', 'neither end asks for a proof');
  }

  #authenticationOption({ fields }: DecodedMessage, from: Speaker): void {
    const code = textOf(fields, 'code');
    const option = listOf(fields, 'options').find(({ name }) => name === 'Authentication-Protocol');
    if (code === 'Configure-Request') this.#proof.demand(from, option === undefined ? undefined : meaningOf(option));
    if (option === undefined || code === 'Configure-Request' || code === 'Configure-Ack') return;
    this.#proof.refuse(from, code === 'Configure-Nak' ? meaningOf(option) : undefined);
  }

  #protocolReject(rejected: string): void {
    if (rejected === 'CCP') this.#ccpRejected = true;
    const authentication = REJECTED_AUTHENTICATION.get(rejected);
    if (authentication !== undefined) this.#failure(authenticationRejected(authentication));
    else if (rejected === 'IPCP') this.#failure(Ipcp.rejectedFailure());
    // IPv4 goes on without it.
    else if (rejected === 'IPV6CP') this.#notes.failure(Ipv6cp.rejectedFailure());
  }

  #terminate(fields: Fields, from: Speaker, frame: number): void {
    if (this.hasFailed) return;
    const said = textOf(fields, 'data');
    const words = said === '' ? '' : `: "${said}"`;
    const who = `the ${from} closed the link at frame ${frame}${words}`;
    if (/idle/i.test(said)) this.#sign('idle-time-out', who);
    else if (this.#proof.pendingUser !== undefined) {
      const closed = { step: 'terminated', reason: `the peer closed the link${words}`, remedy: '' };
      this.#failure(terminatedWhileAuthenticating(this.#proof.pendingUser, closed));
    } else if (this.#lcp.open && this.#proof.complete && !this.isUp) {
      if (this.#mppe && (this.#ccpRejected || /MPPE|encrypt/i.test(said))) this.#sign('mppe-demanded', who);
      else if (/pool|address/i.test(said)) this.#sign('pool-empty', who);
      else this.#sign('ipcp-no-address', `${who}, before an address was given`);
    } else if (this.isUp) {
      if (from === 'server') this.#sign('link-closed', who);
      else this.#notes.seen('traffic', who);
    }
  }

  #ipcpPacket(message: DecodedMessage, from: Speaker): void {
    const { fields, frame } = message;
    const code = textOf(fields, 'code');
    this.#ipcp.receive(message, from);
    const address = namedValue(listOf(fields, 'options'), 'IP-Address');
    const none = (code === 'Configure-Nak' && address === '0.0.0.0') || code === 'Configure-Reject';
    if (none && from === 'server' && address !== undefined && !this.#failed) {
      this.#sign('ipcp-no-address', `the server answered the wish for an address with ${code} at frame ${frame}`);
    }
    if (code === 'Terminate-Request' && !this.#ipcp.open && !this.#failed) {
      this.#sign('ipcp-no-address', `the ${from} closed IPCP at frame ${frame}, before an address was given`);
    }
    if (!this.#ipcp.justOpened) return;
    const { client = '', server = '' } = this.#ipcp.lastValue('IP-Address');
    const ends = [client, server].filter((end) => end !== '').join(' and ');
    this.#notes.ok('ipcp', `IPCP opened at frame ${frame}${ends === '' ? '' : `, with ${ends}`}`);
  }

  #lcpEnd(now: number): void {
    const { client, server } = this.#lcp.sides;
    const last = Math.max(client.requests, server.requests);
    if (this.#lcp.loops >= 2) {
      this.#sign('lcp-loop', `both ends ask with the same Magic-Number, ${this.#lcp.loops} times`);
    } else if (this.#proof.refused) this.#proof.end(now);
    else if (client.refusals('MRU') >= PATIENCE_TIMES || server.refusals('MRU') >= PATIENCE_TIMES) {
      const times = Math.max(client.refusals('MRU'), server.refusals('MRU'));
      this.#sign('lcp-mru', `the MRU was refused ${times} times, and asked for again`);
    } else if (last < PATIENCE_TIMES) return;
    else if (client.packets === 0 || server.packets === 0) {
      const mute = client.packets === 0 ? 'client' : 'server';
      this.#sign('lcp-no-answer', `${last} LCP Configure-Requests, and nothing of PPP from the ${mute}`);
    } else if (!client.answered || !server.answered) {
      const deaf = client.answered ? 'client' : 'server';
      this.#sign('lcp-deaf', `both ends send LCP, and the ${deaf} answers none of ${last} Configure-Requests`);
    } else this.#sign('lcp-stuck', `${last} LCP Configure-Requests, and the two ends never agreed`);
  }

  #ipcpEnd(now: number): void {
    const since = this.#provedAt ?? this.#lcpOpenSince ?? now;
    const { client, server } = this.#ipcp.sides;
    const asked = Math.max(client.requests, server.requests);
    if (now - since < PATIENCE_MS && asked < PATIENCE_TIMES) return;
    const seconds = secondsBetween(since, now);
    if (client.packets === 0 || server.packets === 0) {
      const mute = server.packets === 0 ? 'server' : 'client';
      this.#sign('ipcp-silent', `the link stood for ${seconds} s, and nothing of IPCP came from the ${mute}`);
    } else {
      const naks = client.refusals('IP-Address') + server.refusals('IP-Address');
      this.#sign('ipcp-dispute', `${asked} IPCP Configure-Requests and ${naks} refused addresses within ${seconds} s`);
    }
  }
}

function meaningOf(option: Fields): string {
  const meaning = textOf(option, 'meaning');
  return meaning === '' ? String(option['value']) : meaning;
}
