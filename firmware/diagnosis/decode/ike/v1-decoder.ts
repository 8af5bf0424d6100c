/** Messages of IKEv1: header, payloads, and with the key of the ISAKMP SA what is encrypted; fragments are put together. */
import { DecodeError, hex } from '../../../protocol/bytes.ts';
import { HEADER_OCTETS, isZeroSpi } from '../../../protocol/ike/message-header.ts';
import { Reassembly } from '../../../protocol/ike/v1/fragmentation.ts';
import { ExchangeType, HeaderFlag, PayloadType } from '../../../protocol/ike/v1/numbers.ts';
import { BoundedMap } from '../bounded-map.ts';
import type { DecodedBody, DecodeFault, FieldValue, MessagePlace } from '../decoded.ts';
import { FieldReader, faultOf, whole } from '../field-reader.ts';
import type { Ikev1Keys } from '../keys/decode-keys.ts';
import { type Chain, type Describe, type Out, readChain } from './chain.ts';
import { type MessageHeader, readMessageHeader } from './header.ts';
import { nameOf } from './names.ts';
import { isHashOf, type NatHashes, natWords } from './nat-detection.ts';
import { EXCHANGE_NAMES, PAYLOAD_NAMES } from './registry-v1.ts';
import { describePayload } from './v1-payloads.ts';
import { algorithmsOf } from './v1-sa.ts';
import { V1Session } from './v1-session.ts';

/** ISAKMP SAs that are followed at one time; the oldest goes. */
const MAX_SESSIONS = 4096;

/** Senders of whom fragments are collected at one time. */
const MAX_REASSEMBLIES = 1024;

const AUTHENTICATION_ONLY = 4;

interface Message {
  readonly header: MessageHeader;
  readonly place: MessagePlace;
  readonly session: V1Session;
  readonly hashes: NatHashes;
}

export class Ikev1Decoder {
  /** By the initiator's cookie. */
  readonly #keys: ReadonlyMap<string, Uint8Array>;
  readonly #sessions = new BoundedMap<string, { readonly cookieR: Uint8Array; readonly session: V1Session }>(
    MAX_SESSIONS,
  );
  readonly #reassemblies = new BoundedMap<string, Reassembly>(MAX_REASSEMBLIES);

  constructor(keys: readonly Ikev1Keys[]) {
    this.#keys = new Map(keys.map(({ cookieI, key }) => [hex(cookieI), key]));
  }

  /** @param octets of the message, which begins with `header`, as long as that says. Never throws. */
  decode(octets: Uint8Array, header: MessageHeader, place: MessagePlace): readonly DecodedBody[] {
    const body = this.#decodeOne(octets, header, place);
    if (header.nextPayload !== PayloadType.fragment) return [body];
    const whole = this.#putTogether(octets, header, place);
    return whole === undefined ? [body] : [body, this.#decodeWhole(whole, place)];
  }

  #decodeOne(octets: Uint8Array, header: MessageHeader, place: MessagePlace): DecodedBody {
    const session = this.#sessionOf(header);
    const message: Message = { header, place, session, hashes: { source: [], destination: [] } };
    const body = octets.subarray(HEADER_OCTETS);
    if ((header.flags & HeaderFlag.encryption) === 0) {
      return bodyOf(
        message,
        readChain(header.nextPayload, new FieldReader(whole(body), HEADER_OCTETS), describe(message)),
      );
    }
    const decrypted = session.decrypt(header, body);
    if (decrypted?.kind === 'plain') {
      const reader = new FieldReader(whole(decrypted.plaintext), HEADER_OCTETS);
      return bodyOf(message, readChain(header.nextPayload, reader, describe(message)), { decrypted: true });
    }
    const fault =
      decrypted === undefined
        ? {}
        : { fault: { offset: HEADER_OCTETS, field: 'encrypted payloads', reason: decrypted.reason } };
    const firstPayload = nameOf(PAYLOAD_NAMES, header.nextPayload, 'payload');
    return bodyOf(message, { payloads: [], ...fault }, { decrypted: false, firstPayload });
  }

  /** An answer to message 1 with another cookie of the responder begins anew; anything else with one is nobody's. */
  #sessionOf({ spiI, spiR, nextPayload }: MessageHeader): V1Session {
    const key = hex(spiI);
    const known = this.#sessions.get(key);
    if (known !== undefined && (isZeroSpi(spiR) || hex(known.cookieR) === hex(spiR))) return known.session;
    if (known !== undefined && nextPayload !== PayloadType.sa) return new V1Session(undefined);
    const first = known !== undefined && isZeroSpi(known.cookieR);
    const session = first ? known.session : new V1Session(this.#keys.get(key));
    this.#sessions.set(key, { cookieR: spiR.slice(), session });
    return session;
  }

  #putTogether(octets: Uint8Array, { spiI }: MessageHeader, { source, time }: MessagePlace): Uint8Array | undefined {
    const key = `${hex(spiI)} ${source.address}`;
    const reassembly = this.#reassemblies.get(key) ?? new Reassembly();
    this.#reassemblies.set(key, reassembly);
    try {
      return reassembly.add(time, octets.subarray(HEADER_OCTETS));
    } catch (error) {
      // What is wrong with the fragment is told already.
      if (error instanceof DecodeError) return undefined;
      throw error;
    }
  }

  #decodeWhole(octets: Uint8Array, place: MessagePlace): DecodedBody {
    let header: MessageHeader | undefined;
    const error = faultOf(() => {
      header = readMessageHeader(new FieldReader(whole(octets)));
    });
    if (header === undefined || header.majorVersion !== 1) {
      const summary = 'IKEv1, fragments that make no message';
      const fields = { reassembled: true, length: octets.length };
      return { protocol: 'ikev1', summary, fields, ...(error === undefined ? {} : { error }) };
    }
    const body = this.#decodeOne(octets.subarray(0, header.length), header, place);
    const summary = `${body.summary} (put together from fragments)`;
    return { ...body, summary, fields: { ...body.fields, reassembled: true } };
  }
}

function describe(message: Message): Describe {
  const { header, session } = message;
  const isPhase1 = header.exchange === ExchangeType.mainMode || header.exchange === ExchangeType.aggressive;
  return ({ type, length }, body, out) => {
    out['type'] = type;
    out['name'] = nameOf(PAYLOAD_NAMES, type, 'payload');
    out['length'] = length;
    describePayload(type, body, out);
    if (!isPhase1) return;
    if (type === PayloadType.sa && !isZeroSpi(header.spiR)) {
      const algorithms = algorithmsOf(out);
      if (algorithms !== undefined) session.agree(algorithms);
    } else if (type === PayloadType.keyExchange) session.notePublic(octetsOf(out['keyExchangeData']));
    else if (type === PayloadType.natD || type === PayloadType.natDDraft) noteNatHash(message, out);
  };
}

function octetsOf(text: FieldValue | undefined): Uint8Array {
  return Uint8Array.from(Buffer.from(typeof text === 'string' ? text : '', 'hex'));
}

/** The first NAT-D payload is of the receiver, the others are of the sender (RFC 3947 section 3.2). */
function noteNatHash({ hashes, header, place, session }: Message, out: Out): void {
  const hash = octetsOf(out['hash']);
  const isDestination = hashes.destination.length === 0;
  (isDestination ? hashes.destination : hashes.source).push(hash);
  out['end'] = isDestination ? 'destination' : 'source';
  if (session.prf === undefined) return;
  const matches = isHashOf(session.prf.hash, header, hash, isDestination ? place.destination : place.source);
  if (matches !== undefined) out['matches'] = matches;
}

function bodyOf(
  message: Message,
  { payloads, fault }: Chain,
  encryption?: { readonly decrypted: boolean; readonly firstPayload?: string },
): DecodedBody {
  const { header, hashes, place, session } = message;
  const { flags, messageId } = header;
  const exchange = nameOf(EXCHANGE_NAMES, header.exchange, 'exchange');
  const fields: Record<string, FieldValue> = {
    initiatorCookie: hex(header.spiI),
    responderCookie: hex(header.spiR),
    version: `${header.majorVersion}.${header.minorVersion}`,
    exchangeType: exchange,
    flags: {
      encryption: (flags & HeaderFlag.encryption) !== 0,
      commit: (flags & HeaderFlag.commit) !== 0,
      authenticationOnly: (flags & AUTHENTICATION_ONLY) !== 0,
    },
    messageId,
    length: header.length,
    payloads,
    ...encryption,
  };
  const nat = session.prf === undefined ? undefined : natWords(session.prf.hash, header, hashes, place);
  if (nat !== undefined) fields['natDetection'] = nat;
  const words = payloads.length === 0 ? 'nothing' : payloads.map(payloadWords).join(', ');
  const what = encryption?.decrypted === false ? 'encrypted' : words;
  const id = messageId === 0 ? '' : ` ${messageId.toString(16).padStart(8, '0')}`;
  return { protocol: 'ikev1', summary: `${exchange}${id}: ${what}`, fields, ...faultOrNot(fault) };
}

function faultOrNot(error: DecodeFault | undefined): { readonly error?: DecodeFault } {
  return error === undefined ? {} : { error };
}

/** `SA`, `N(R-U-THERE)`, `FRAGMENT 2`. */
function payloadWords(payload: Out): string {
  const { name, notify, fragmentNumber: number } = payload;
  if (notify !== undefined) return `N(${String(notify)})`;
  return number === undefined ? String(name) : `${String(name)} ${String(number)}`;
}
