/** Messages of IKEv2: header, payloads, and with keys what is encrypted; fragments are put together (RFC 7383). */
import { hex } from '../../../protocol/bytes.ts';
import { HEADER_OCTETS } from '../../../protocol/ike/message-header.ts';
import type { Opened } from '../../../protocol/ike/v2/encrypted.ts';
import { Reassembly } from '../../../protocol/ike/v2/fragmentation.ts';
import { FLAG, NOTIFY } from '../../../protocol/ike/v2/numbers.ts';
import { ENCRYPTED } from '../../../protocol/ike/v2/payload.ts';
import { BoundedMap } from '../bounded-map.ts';
import type { DecodedBody, DecodeFault, FieldValue, MessagePlace } from '../decoded.ts';
import { FieldError, FieldReader, whole } from '../field-reader.ts';
import type { Ikev2Keys } from '../keys/decode-keys.ts';
import { type Chain, type Describe, type Out, type PayloadHeader, readChain } from './chain.ts';
import { openEncrypted } from './encrypted-v2.ts';
import type { MessageHeader } from './header.ts';
import { nameOf } from './names.ts';
import { isHashOf, type NatHashes, natWords } from './nat-detection.ts';
import { EXCHANGE_NAMES, PAYLOAD_NAMES } from './registry-v2.ts';
import { describePayload } from './v2-payloads.ts';

const CRITICAL = 0x80;

/** IKE SAs of which fragments are collected at one time; the oldest goes. */
const MAX_REASSEMBLIES = 1024;

/** One message, or what fragments were put together to. */
interface Message {
  /** As far as it counts: without what may trail behind it. */
  readonly octets: Uint8Array;
  readonly header: MessageHeader;
  readonly place: MessagePlace;
  readonly keys: Ikev2Keys | undefined;
  readonly hashes: NatHashes;
  /** What fragments made: it is told behind the message. */
  whole: Opened | undefined;
}

export class Ikev2Decoder {
  readonly #keys: ReadonlyMap<string, Ikev2Keys>;
  /** By SPIs and sender. */
  readonly #reassemblies = new BoundedMap<string, Reassembly>(MAX_REASSEMBLIES);

  constructor(keys: readonly Ikev2Keys[]) {
    this.#keys = new Map(keys.map((one) => [hex(one.spiI) + hex(one.spiR), one]));
  }

  /** @param octets of the message, which begins with `header`, as long as that says. Never throws. */
  decode(octets: Uint8Array, header: MessageHeader, place: MessagePlace): readonly DecodedBody[] {
    const keys = this.#keys.get(hex(header.spiI) + hex(header.spiR));
    const message: Message = { octets, header, place, keys, hashes: { source: [], destination: [] }, whole: undefined };
    const reader = new FieldReader(whole(octets.subarray(HEADER_OCTETS)), HEADER_OCTETS);
    const chain = readChain(header.nextPayload, reader, this.#describe(message), isEncrypted);
    const body = bodyOf(message, chain);
    return message.whole === undefined ? [body] : [body, this.#reassembled(message, message.whole)];
  }

  #describe(message: Message): Describe {
    return (payload, body, out) => {
      out['type'] = payload.type;
      out['name'] = nameOf(PAYLOAD_NAMES, payload.type, 'payload');
      if ((payload.flags & CRITICAL) !== 0) out['critical'] = true;
      out['length'] = payload.length;
      if (isEncrypted(payload.type)) this.#encrypted(message, payload, body, out);
      else {
        describePayload(payload.type, body, out);
        noteNatHash(message, out);
      }
    };
  }

  #encrypted(message: Message, payload: PayloadHeader, body: FieldReader, out: Out): void {
    const end = body.offset + body.remaining;
    const firstType = payload.next;
    if (firstType !== 0) out['firstPayload'] = nameOf(PAYLOAD_NAMES, firstType, 'payload');
    const fragment = payload.type === ENCRYPTED.SKF ? fragmentNumber(body, out) : undefined;
    const { keys, header, octets } = message;
    out['decrypted'] = false;
    if (keys === undefined) return;
    const opened = openEncrypted(octets.subarray(0, end), body, keys, (header.flags & FLAG.initiator) !== 0);
    out['decrypted'] = true;
    out['icv'] = opened.icv;
    if (fragment !== undefined) {
      // Without encryption it is a part of the capture's buffer.
      const content = opened.content.slice();
      message.whole = this.#reassembly(message).add(message.place.time, header.messageId, {
        firstType,
        content,
        reserved: 0,
        fragment,
      });
      return;
    }
    const inner = readChain(
      firstType,
      new FieldReader(whole(opened.content), opened.offset),
      this.#describeInner(message),
    );
    out['payloads'] = inner.payloads;
    if (inner.fault !== undefined) throw new FieldError(inner.fault.offset, inner.fault.field, inner.fault.reason);
  }

  /** Encrypted payloads do not stand in one another. */
  #describeInner(message: Message): Describe {
    const describe = this.#describe({ ...message, keys: undefined });
    return (payload, body, out) => describe(payload, body, out);
  }

  #reassembly({ header }: Message): Reassembly {
    const sender = (header.flags & FLAG.initiator) !== 0 ? 'i' : 'r';
    const key = hex(header.spiI) + hex(header.spiR) + sender;
    const known = this.#reassemblies.get(key);
    if (known !== undefined) return known;
    const reassembly = new Reassembly();
    this.#reassemblies.set(key, reassembly);
    return reassembly;
  }

  /** Offsets count as if its payloads stood behind the header in clear. */
  #reassembled(message: Message, { firstType, content }: Opened): DecodedBody {
    const chain = readChain(firstType, new FieldReader(whole(content), HEADER_OCTETS), this.#describeInner(message));
    const body = bodyOf(message, chain, '(put together from fragments) ');
    return { ...body, fields: { ...body.fields, reassembled: true } };
  }
}

function isEncrypted(type: number): boolean {
  return type === ENCRYPTED.SK || type === ENCRYPTED.SKF;
}

function fragmentNumber(reader: FieldReader, out: Out): { readonly number: number; readonly total: number } {
  const at = reader.offset;
  const number = reader.u16('Fragment Number');
  const total = reader.u16('Total Fragments');
  out['fragmentNumber'] = number;
  out['totalFragments'] = total;
  if (number === 0 || number > total) reader.fail('Fragment Number', `fragment ${number} of ${total}`, at);
  return { number, total };
}

/** Keeps what NAT detection says (RFC 7296 section 2.23) until the message is read. */
function noteNatHash({ hashes, header, place }: Message, out: Out): void {
  const { notifyType, hash } = out;
  const isSource = notifyType === NOTIFY.NAT_DETECTION_SOURCE_IP;
  if ((!isSource && notifyType !== NOTIFY.NAT_DETECTION_DESTINATION_IP) || typeof hash !== 'string') return;
  const octets = Uint8Array.from(Buffer.from(hash, 'hex'));
  (isSource ? hashes.source : hashes.destination).push(octets);
  const matches = isHashOf('sha1', header, octets, isSource ? place.source : place.destination);
  if (matches !== undefined) out['matches'] = matches;
}

function bodyOf(message: Message, { payloads, fault }: Chain, mark = ''): DecodedBody {
  const { header, hashes, place } = message;
  const { flags, messageId } = header;
  const exchange = nameOf(EXCHANGE_NAMES, header.exchange, 'exchange');
  const response = (flags & FLAG.response) !== 0;
  const fields: Record<string, FieldValue> = {
    initiatorSpi: hex(header.spiI),
    responderSpi: hex(header.spiR),
    version: `${header.majorVersion}.${header.minorVersion}`,
    exchangeType: exchange,
    flags: { initiator: (flags & FLAG.initiator) !== 0, version: (flags & FLAG.version) !== 0, response },
    messageId,
    length: header.length,
    payloads,
  };
  const nat = natWords('sha1', header, hashes, place);
  if (nat !== undefined) fields['natDetection'] = nat;
  const kind = response ? 'response' : 'request';
  const what = payloads.length === 0 ? 'empty' : payloads.map(payloadWords).join(', ');
  const summary = `${exchange} ${kind} ${messageId}: ${mark}${what}`;
  return { protocol: 'ikev2', summary, fields, ...faultOrNot(fault) };
}

function faultOrNot(error: DecodeFault | undefined): { readonly error?: DecodeFault } {
  return error === undefined ? {} : { error };
}

/** `SA`, `N(COOKIE)`, `SK {IDi, AUTH}`, `SKF 1/3`. */
function payloadWords(payload: FieldValue): string {
  const { name, notify, payloads, decrypted, fragmentNumber: number, totalFragments } = payload as Out;
  if (notify !== undefined) return `N(${String(notify)})`;
  if (number !== undefined) return `${String(name)} ${String(number)}/${String(totalFragments)}`;
  if (Array.isArray(payloads)) return `${String(name)} {${payloads.map(payloadWords).join(', ')}}`;
  return decrypted === false ? `${String(name)} (encrypted)` : String(name);
}
