/**
 * Discovery of PPPoE as its client (RFC 2516 section 5, RFC 4638): finds an access concentrator, gets a session from it, and
 * says when that has ended it. One session at a time. Without hands; octets in and out stand behind the Ethernet header.
 */
import { DecodeError, utf8Bytes } from '../bytes.ts';
import type { Failure, Instant, Machine, RandomSource } from '../machine.ts';
import { printable } from '../printable.ts';
import { nobodyOffered, noneSuited, noSessionId, notConfirmed, refusal, terminated } from './failures.ts';
import {
  type DiscoveryPacket,
  decodeDiscovery,
  encodeDiscovery,
  encodePadt,
  PADI,
  PADO,
  PADR,
  PADS,
  PADT,
  PPPOE_MRU,
} from './packet.ts';
import {
  type PppoeTag,
  TAG_AC_COOKIE,
  TAG_AC_NAME,
  TAG_HOST_UNIQ,
  TAG_PPP_MAX_PAYLOAD,
  TAG_RELAY_SESSION_ID,
  TAG_SERVICE_NAME,
  tagValue,
} from './tags.ts';

export interface PppoeDiscoveryOptions {
  /** Of the service that is wanted, 1..64 octets of UTF-8. Absent: any. */
  readonly serviceName?: string;
  /** AC-Name of the only concentrator that is wanted. Absent: the first that offers. */
  readonly accessConcentrator?: string;
  /** Largest PPP information field that this side can carry, octets; above 1492 it is asked for (RFC 4638). Default 1492. */
  readonly maxPayload?: number;
}

/** A session that stands. */
export interface PppoeSession {
  /** Six octets. */
  readonly peerMac: Uint8Array;
  /** 1..65534 */
  readonly sessionId: number;
  /** AC-Name, printable, in double quotes; its MAC address where it has none. */
  readonly concentrator: string;
  /** Largest PPP information field, octets: 1492, or what both sides can carry. */
  readonly maxPayload: number;
}

export type PppoeDiscoveryOutput =
  | { readonly kind: 'send'; readonly destination: Uint8Array; readonly packet: Uint8Array }
  | { readonly kind: 'step'; readonly direction: 'sent' | 'received'; readonly step: string; readonly detail?: string }
  | { readonly kind: 'up'; readonly session: PppoeSession }
  /** There will be no session, or the other side has ended the one that stood. {@link PppoeDiscovery.start} may follow. */
  | { readonly kind: 'over'; readonly failure: Failure };

export const BROADCAST_MAC: Uint8Array = new Uint8Array(6).fill(0xff);

/** Waits for an answer, ms; each is doubled once more (RFC 2516 section 8), and lengthened by up to a quarter. */
const FIRST_WAIT_MS = 1000;
/** Packets of each kind before it is given up: some 8 s. */
const ATTEMPTS = 3;
/** Octets of Host-Uniq: nobody else's by chance, and no longer than simple concentrators take. */
const HOST_UNIQ_OCTETS = 8;
/** Offers that did not suit and are told of. */
const MAX_GRIEVANCES = 4;
/** Reserved (RFC 2516 section 4). */
const LAST_SESSION_ID = 0xfffe;
/** Of an AC-Cookie and a Relay-Session-Id that are given back, octets. */
const MAX_GIVEN_BACK = 1024;

interface Offer {
  readonly mac: Uint8Array;
  readonly concentrator: string;
  /** AC-Cookie and Relay-Session-Id, to be given back as they came. */
  readonly back: readonly PppoeTag[];
}

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'asking'; readonly sent: number; readonly since: Instant; readonly due: Instant }
  | {
      readonly kind: 'requesting';
      readonly sent: number;
      readonly since: Instant;
      readonly due: Instant;
      readonly offer: Offer;
    }
  | { readonly kind: 'up'; readonly session: PppoeSession };

export class PppoeDiscovery implements Machine<PppoeDiscoveryOutput> {
  readonly #options: PppoeDiscoveryOptions;
  readonly #random: RandomSource;
  readonly #outputs: PppoeDiscoveryOutput[] = [];
  #state: State = { kind: 'idle' };
  /** Of the present attempt, or the last one. */
  #hostUniq: Uint8Array = new Uint8Array();
  #grievances: string[] = [];
  /** What an offer with an error said, when there was nothing else. */
  #refusal: Failure | undefined;

  constructor(options: PppoeDiscoveryOptions, random: RandomSource) {
    this.#options = options;
    this.#random = random;
  }

  get session(): PppoeSession | undefined {
    return this.#state.kind === 'up' ? this.#state.session : undefined;
  }

  /** Looks for a concentrator, unless that is being done or a session stands. */
  start(now: Instant): void {
    if (this.#state.kind !== 'idle') return;
    this.#hostUniq = this.#random.bytes(HOST_UNIQ_OCTETS);
    this.#grievances = [];
    this.#refusal = undefined;
    this.#sendPadi(now, 0, now);
  }

  /** Gives up, or ends the session by a PADT. Nothing is reported. */
  stop(): void {
    if (this.#state.kind === 'up') this.terminate(this.#state.session.peerMac, this.#state.session.sessionId);
    this.#state = { kind: 'idle' };
  }

  /** Ends a session that is none of ours, or not any more (RFC 2516 section 5.5). */
  terminate(peerMac: Uint8Array, sessionId: number): void {
    this.#send(peerMac, encodePadt(sessionId), 'PADT', `of session ${sessionId}`);
  }

  /** What a frame of type 0x8863 held, from whoever sent it. Any octets will do. */
  receive(now: Instant, sourceMac: Uint8Array, bytes: Uint8Array): void {
    let packet: DiscoveryPacket;
    try {
      packet = decodeDiscovery(bytes);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      return;
    }
    if (packet.code === PADO) this.#offered(now, sourceMac, packet);
    else if (packet.code === PADS) this.#confirmed(sourceMac, packet);
    else if (packet.code === PADT) this.#terminated(sourceMac, packet);
  }

  tick(now: Instant): void {
    const state = this.#state;
    if ((state.kind !== 'asking' && state.kind !== 'requesting') || now < state.due) return;
    if (state.sent < ATTEMPTS) {
      if (state.kind === 'asking') this.#sendPadi(state.since, state.sent, now);
      else this.#sendPadr(state.since, state.sent, now, state.offer);
      return;
    }
    const seconds = Math.round((now - state.since) / 1000);
    if (state.kind === 'requesting') this.#over(notConfirmed(state.offer.concentrator, seconds));
    else if (this.#grievances.length > 0) this.#over(noneSuited(this.#grievances));
    else this.#over(this.#refusal ?? nobodyOffered(seconds));
  }

  nextDeadline(): Instant | undefined {
    return 'due' in this.#state ? this.#state.due : undefined;
  }

  poll(): PppoeDiscoveryOutput | undefined {
    return this.#outputs.shift();
  }

  #sendPadi(since: Instant, sent: number, now: Instant): void {
    const packet = encodeDiscovery({ code: PADI, sessionId: 0, tags: this.#request() });
    this.#state = { kind: 'asking', sent: sent + 1, since, due: now + this.#wait(sent) };
    this.#send(BROADCAST_MAC, packet, 'PADI', this.#options.serviceName);
  }

  #sendPadr(since: Instant, sent: number, now: Instant, offer: Offer): void {
    const packet = encodeDiscovery({ code: PADR, sessionId: 0, tags: [...this.#request(), ...offer.back] });
    this.#state = { kind: 'requesting', sent: sent + 1, since, due: now + this.#wait(sent), offer };
    this.#send(offer.mac, packet, 'PADR', `to ${offer.concentrator}`);
  }

  /** The tags of PADI and PADR alike. */
  #request(): PppoeTag[] {
    const { serviceName = '', maxPayload = PPPOE_MRU } = this.#options;
    const tags: PppoeTag[] = [
      { type: TAG_SERVICE_NAME, value: utf8Bytes(serviceName) },
      { type: TAG_HOST_UNIQ, value: this.#hostUniq },
    ];
    if (maxPayload > PPPOE_MRU) {
      tags.push({ type: TAG_PPP_MAX_PAYLOAD, value: Uint8Array.of(maxPayload >>> 8, maxPayload & 0xff) });
    }
    return tags;
  }

  #wait(sent: number): number {
    const [octet = 0] = this.#random.bytes(1);
    return FIRST_WAIT_MS * 2 ** sent * (1 + octet / 1024);
  }

  #offered(now: Instant, mac: Uint8Array, { tags }: DiscoveryPacket): void {
    if (this.#state.kind !== 'asking' || !this.#isOurs(tags)) return;
    const concentrator = nameOf(mac, tags);
    this.#received('PADO', `from ${concentrator}`);
    const failure = refusal('PADO', concentrator, tags);
    if (failure !== undefined) {
      this.#refusal = failure;
      return;
    }
    const grievance = this.#grievance(concentrator, tags);
    if (grievance !== undefined) {
      if (this.#grievances.length < MAX_GRIEVANCES && !this.#grievances.includes(grievance)) {
        this.#grievances.push(grievance);
      }
      return;
    }
    const back = [TAG_AC_COOKIE, TAG_RELAY_SESSION_ID].flatMap((type) => {
      const value = tagValue(tags, type);
      // Copies: the octets of a frame may be reused.
      return value === undefined || value.length > MAX_GIVEN_BACK ? [] : [{ type, value: value.slice() }];
    });
    this.#sendPadr(now, 0, now, { mac: mac.slice(), concentrator, back });
  }

  /** Why the offer is not wanted, if so. */
  #grievance(concentrator: string, tags: readonly PppoeTag[]): string | undefined {
    const { accessConcentrator: wanted, serviceName } = this.#options;
    if (wanted !== undefined && !isText(tagValue(tags, TAG_AC_NAME), wanted)) {
      return `${concentrator} is not the access concentrator "${wanted}"`;
    }
    if (serviceName === undefined) return undefined;
    const services = tags.filter(({ type }) => type === TAG_SERVICE_NAME).map(({ value }) => value);
    // One without a name stands for any service.
    if (services.some((value) => value.length === 0 || isText(value, serviceName))) return undefined;
    return `${concentrator} does not offer the service "${serviceName}"`;
  }

  #confirmed(mac: Uint8Array, { sessionId, tags }: DiscoveryPacket): void {
    if (!this.#isOurs(tags)) return;
    const state = this.#state;
    const isNumber = sessionId > 0 && sessionId <= LAST_SESSION_ID;
    if (state.kind !== 'requesting' || !isSame(mac, state.offer.mac)) {
      // Nobody waits for it: too late, or the answer to a PADR that was repeated, for which there is another session.
      const isKnown =
        state.kind === 'up' && state.session.sessionId === sessionId && isSame(mac, state.session.peerMac);
      if (isNumber && !isKnown) this.terminate(mac, sessionId);
      return;
    }
    const { concentrator } = state.offer;
    this.#received('PADS', isNumber ? `session ${sessionId}` : undefined);
    const failure = refusal('PADS', concentrator, tags) ?? (isNumber ? undefined : noSessionId(concentrator));
    if (failure !== undefined) {
      if (isNumber) this.terminate(mac, sessionId);
      this.#over(failure);
      return;
    }
    const session = { peerMac: state.offer.mac, sessionId, concentrator, maxPayload: this.#agreedPayload(tags) };
    this.#state = { kind: 'up', session };
    this.#outputs.push({ kind: 'up', session });
  }

  /** RFC 4638 section 4: more than 1492 only where the concentrator says the same. */
  #agreedPayload(tags: readonly PppoeTag[]): number {
    const { maxPayload = PPPOE_MRU } = this.#options;
    const [high, low] = tagValue(tags, TAG_PPP_MAX_PAYLOAD) ?? [];
    if (maxPayload <= PPPOE_MRU || high === undefined || low === undefined) return Math.min(maxPayload, PPPOE_MRU);
    return Math.max(PPPOE_MRU, Math.min(maxPayload, (high << 8) | low));
  }

  #terminated(mac: Uint8Array, { sessionId, tags }: DiscoveryPacket): void {
    const state = this.#state;
    if (state.kind !== 'up' || state.session.sessionId !== sessionId || !isSame(mac, state.session.peerMac)) return;
    this.#received('PADT', `of session ${sessionId}`);
    this.#over(terminated(state.session.concentrator, tags));
  }

  /** Whether it answers what this side sent last. */
  #isOurs(tags: readonly PppoeTag[]): boolean {
    const value = tagValue(tags, TAG_HOST_UNIQ);
    return this.#hostUniq.length > 0 && value !== undefined && isSame(value, this.#hostUniq);
  }

  #over(failure: Failure): void {
    this.#state = { kind: 'idle' };
    this.#outputs.push({ kind: 'over', failure });
  }

  #send(destination: Uint8Array, packet: Uint8Array, step: string, detail: string | undefined): void {
    this.#outputs.push({ kind: 'step', direction: 'sent', step, ...(detail === undefined ? {} : { detail }) });
    this.#outputs.push({ kind: 'send', destination, packet });
  }

  #received(step: string, detail: string | undefined): void {
    this.#outputs.push({ kind: 'step', direction: 'received', step, ...(detail === undefined ? {} : { detail }) });
  }
}

/** AC-Name in double quotes, or the MAC address of a concentrator without one. */
function nameOf(mac: Uint8Array, tags: readonly PppoeTag[]): string {
  const name = tagValue(tags, TAG_AC_NAME);
  return name === undefined || name.length === 0 ? macText(mac) : `"${printable(name)}"`;
}

/** `02:00:00:00:00:01`. */
export function macText(mac: Uint8Array): string {
  return Array.from(mac, (octet) => octet.toString(16).padStart(2, '0')).join(':');
}

function isText(value: Uint8Array | undefined, text: string): boolean {
  return value !== undefined && isSame(value, utf8Bytes(text));
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((octet, index) => octet === b[index]);
}
