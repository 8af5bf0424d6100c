/** L2TPv2 messages: control messages are told AVP by AVP, data messages by the PPP inside (RFC 2661). */
import { createHash } from 'node:crypto';
import type { AvpKey } from '../../protocol/l2tp/avp-table.ts';
import type { AvpValue, ResultCode } from '../../protocol/l2tp/avp-value.ts';
import { findMessage } from '../../protocol/l2tp/message-table.ts';
import { describeResult } from '../../protocol/l2tp/result-code.ts';
import { isRightResponse, type ResponseBearer } from '../../protocol/l2tp/tunnel-authentication.ts';
import type { DecodeOptions } from './decode-options.ts';
import type { DecodedBody, DecodeFault, Fields, MessagePlace } from './decoded.ts';
import { FieldError, FieldReader, type Octets } from './field-reader.ts';
import { isClosed, type ReadAvps, readAvps } from './l2tp-avps.ts';
import { type L2tpHeader, readL2tpHeader, versionOf } from './l2tp-header.ts';
import { isL2tpv3Data, l2tpv3Body } from './l2tp-v3.ts';
import type { PppDecoder } from './ppp-decoder.ts';
import type { Surroundings } from './surroundings.ts';
import { type Bound, type EndIndex, other, sawBefore, TunnelTable } from './tunnels.ts';

const VERSION_L2F = 1;
const VERSION_2 = 2;
const VERSION_3 = 3;

/** What earlier messages of the capture say about a message. */
interface Context {
  readonly retransmission: boolean;
  /** The verdict on its Challenge Response, where it has one that can be judged. */
  readonly authentication?: string;
}

export class L2tpDecoder {
  readonly #all: boolean;
  readonly #secrets: readonly Uint8Array[];
  readonly #ppp: PppDecoder;
  readonly #tunnels = new TunnelTable();

  constructor(options: DecodeOptions, ppp: PppDecoder) {
    this.#all = options.all ?? false;
    this.#secrets = options.secrets ?? [];
    this.#ppp = ppp;
  }

  /** Whether a datagram on any port belongs to a tunnel that was seen. */
  isKnown(place: MessagePlace, link: string, payload: Octets): boolean {
    if (versionOf(payload) !== VERSION_2) return false;
    try {
      const { tunnelId } = readL2tpHeader(payload);
      return tunnelId !== 0 && this.#tunnels.find(place, link, tunnelId) !== undefined;
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      return false;
    }
  }

  /** Tells of one UDP payload. */
  decode(message: Octets, surroundings: Surroundings): void {
    const version = versionOf(message);
    if (version === VERSION_3) {
      if (this.#all || !isL2tpv3Data(message)) surroundings.emit(l2tpv3Body(message));
      return;
    }
    if (version !== VERSION_2) {
      surroundings.emit(foreign(message, version));
      return;
    }
    let header: L2tpHeader;
    try {
      header = readL2tpHeader(message);
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      const { fault } = error;
      const summary = `malformed L2TP message: ${fault.field}: ${fault.reason}`;
      surroundings.emit({ protocol: 'l2tp', summary, fields: {}, error: fault });
      return;
    }
    if (header.control) surroundings.emit(this.#control(header, message, surroundings));
    else this.#data(header, surroundings);
  }

  #control(header: L2tpHeader, message: Octets, { place, link }: Surroundings): DecodedBody {
    const { tunnelId, sessionId, ns, nr, offsetSize, payload } = header;
    const where = `tunnel ${tunnelId} session ${sessionId} Ns ${ns ?? 'missing'} Nr ${nr ?? 'missing'}`;
    const numbers = { tunnelId, sessionId, ...(ns === undefined || nr === undefined ? {} : { ns, nr }) };
    if (payload.bytes.length + payload.missing === 0) {
      return withFault('ZLB', where, { messageType: 'ZLB', ...numbers, avps: [] }, bitsFault(header));
    }
    const read = readAvps(new FieldReader(payload, header.length), this.#secrets);
    const fault = bitsFault(header) ?? typeFault(read, header.length) ?? read.fault;
    const name = nameOf(read);
    const context = this.#context(name, header, read.values, message, place, link);
    const fields: Fields = {
      messageType: name,
      ...numbers,
      ...(offsetSize === undefined ? {} : { offsetSize }),
      avps: read.list,
      ...(context.retransmission ? { retransmission: true } : {}),
      ...(context.authentication === undefined ? {} : { authentication: context.authentication }),
    };
    const notes = [resultText(name, read.values), context.authentication, hiddenText(read, this.#secrets.length > 0)];
    if (context.retransmission) notes.push('retransmission');
    const said = notes.filter((note) => note !== undefined).join('; ');
    return withFault(name, said === '' ? where : `${where}: ${said}`, fields, fault);
  }

  /** Follows tunnels and sessions as their messages go by. */
  #context(
    name: string,
    header: L2tpHeader,
    values: ReadonlyMap<AvpKey, AvpValue>,
    message: Octets,
    place: MessagePlace,
    link: string,
  ): Context {
    const assignedTunnel = numberOf(values, 'assignedTunnelId');
    let bound: Bound;
    if (name === 'SCCRQ' && header.tunnelId === 0) {
      const request = createHash('sha1').update(message.bytes).digest('base64');
      const { tunnel, again } = this.#tunnels.request(place, link, assignedTunnel ?? 0, request);
      if (again) return { retransmission: true };
      bound = { tunnel, receiver: 1 };
    } else {
      bound = this.#tunnels.findOrBegin(place, link, header.tunnelId);
    }
    const { tunnel, receiver } = bound;
    const retransmission = header.ns !== undefined && sawBefore(tunnel.ends[receiver], header.ns);
    if (name === 'SCCRP' && assignedTunnel !== undefined) this.#tunnels.assign(place, link, bound, assignedTunnel);
    const challenge = values.get('challenge');
    if (challenge instanceof Uint8Array) tunnel.ends[other(receiver)].challenge = challenge.slice();
    const assignedSession = numberOf(values, 'assignedSessionId');
    if (assignedSession !== undefined && name !== 'CDN' && !retransmission) {
      this.#tunnels.assignSession(bound, header.sessionId, assignedSession);
    }
    const authentication = this.#judge(name, values.get('challengeResponse'), bound, receiver);
    return { retransmission, ...(authentication === undefined ? {} : { authentication }) };
  }

  /** A Challenge Response answers the challenge of the end that it goes to (RFC 2661 section 5.1.1). */
  #judge(name: string, response: AvpValue | undefined, { tunnel }: Bound, receiver: EndIndex): string | undefined {
    if (!(response instanceof Uint8Array) || this.#secrets.length === 0) return undefined;
    if (name !== 'SCCRP' && name !== 'SCCCN') return undefined;
    const bearer: ResponseBearer = name;
    const { challenge } = tunnel.ends[receiver];
    if (challenge === undefined) return 'challenge response: its challenge is not in the capture';
    const right = this.#secrets.some((secret) => isRightResponse(response, bearer, secret, challenge));
    return right ? 'challenge response: correct' : 'challenge response: wrong for this secret';
  }

  #data(header: L2tpHeader, surroundings: Surroundings): void {
    const { tunnelId, sessionId, ns, nr, priority, offsetSize, payload } = header;
    const bound = this.#tunnels.find(surroundings.place, surroundings.link, tunnelId);
    const session = bound === undefined ? undefined : this.#tunnels.session(bound, sessionId);
    const fields: Fields = {
      tunnelId,
      sessionId,
      ...(ns === undefined || nr === undefined ? {} : { ns, nr }),
      ...(priority ? { priority } : {}),
      ...(offsetSize === undefined ? {} : { offsetSize }),
    };
    const known = session === undefined || bound === undefined ? {} : { direction: bound.receiver };
    const name = session === undefined ? '' : `L2TP session ${session}`;
    this.#ppp.decode(payload, surroundings, { session: name, ...known, fields });
  }
}

function withFault(name: string, said: string, fields: Fields, error: DecodeFault | undefined): DecodedBody {
  if (error === undefined) return { protocol: 'l2tp', summary: `${name} ${said}`, fields };
  const summary = `${name} ${said}: malformed: ${error.field}: ${error.reason}`;
  return { protocol: 'l2tp', summary, fields, error };
}

/** A control message must have Length, Ns and Nr, and no offset (RFC 2661 section 3.1). */
function bitsFault({ announced, ns, offsetSize }: L2tpHeader): DecodeFault | undefined {
  if (!announced) return { offset: 0, field: 'L bit', reason: 'a control message without Length' };
  if (ns === undefined) return { offset: 0, field: 'S bit', reason: 'a control message without Ns and Nr' };
  if (offsetSize !== undefined) return { offset: 0, field: 'O bit', reason: 'a control message with an offset' };
  return undefined;
}

function typeFault({ values, fault }: ReadAvps, offset: number): DecodeFault | undefined {
  if (values.has('messageType') || fault !== undefined) return undefined;
  return { offset, field: 'Message Type', reason: 'a control message without a Message Type AVP' };
}

function nameOf({ values }: ReadAvps): string {
  const type = values.get('messageType');
  if (typeof type !== 'number') return 'message without a type';
  return findMessage(type) ?? `message type ${type}`;
}

function resultText(name: string, values: ReadonlyMap<AvpKey, AvpValue>): string | undefined {
  if (name !== 'StopCCN' && name !== 'CDN') return undefined;
  const result = values.get('resultCode');
  return isResult(result) ? describeResult(name, result) : undefined;
}

/** What could not be read for want of the right secret. */
function hiddenText({ list }: ReadAvps, haveSecret: boolean): string | undefined {
  const hidden = list.filter(isClosed).length;
  if (hidden === 0) return undefined;
  const what = hidden === 1 ? '1 hidden AVP' : `${hidden} hidden AVPs`;
  return haveSecret ? `${what}, not readable with this secret` : `${what}: give --secret`;
}

function isResult(value: AvpValue | undefined): value is ResultCode {
  return typeof value === 'object' && 'resultCode' in value;
}

function numberOf(values: ReadonlyMap<AvpKey, AvpValue>, key: AvpKey): number | undefined {
  const value = values.get(key);
  return typeof value === 'number' ? value : undefined;
}

/** What else comes to port 1701. */
function foreign(message: Octets, version: number): DecodedBody {
  if (version === VERSION_L2F) return { protocol: 'l2f', summary: 'L2F (version 1), which is not decoded', fields: {} };
  const short = message.bytes.length < 2;
  const reason = short ? 'the datagram is too short for a header' : `version ${version}, and not 2`;
  const error = { offset: short ? 0 : 1, field: 'Ver', reason };
  return { protocol: 'l2tp', summary: `malformed L2TP message: ${reason}`, fields: {}, error };
}
