/** IKE of both versions in a capture, message by message; with keys, what is encrypted as well. */
import { hex } from '../../../protocol/bytes.ts';
import type { DecodedBody, Fields, FieldValue, MessagePlace } from '../decoded.ts';
import { FieldReader, faultOf, whole } from '../field-reader.ts';
import type { DecodeKeys } from '../keys/decode-keys.ts';
import { type MessageHeader, readMessageHeader } from './header.ts';
import { likenessOf } from './likeness.ts';
import { Ikev1Decoder } from './v1-decoder.ts';
import { Ikev2Decoder } from './v2-decoder.ts';

/** Offset of the octet with both numbers of the version. */
const VERSION_AT = 17;

export class IkeDecoder {
  readonly #v1: Ikev1Decoder;
  readonly #v2: Ikev2Decoder;

  constructor(keys: Pick<DecodeKeys, 'ikev1' | 'ikev2'>) {
    this.#v1 = new Ikev1Decoder(keys.ikev1);
    this.#v2 = new Ikev2Decoder(keys.ikev2);
  }

  /**
   * @param payload of the UDP datagram, without the non-ESP marker of port 4500.
   * @returns what is said of it: one message, and a second one where this fragment completes a message. Never throws.
   */
  decode(payload: Uint8Array, place: MessagePlace): readonly DecodedBody[] {
    let header: MessageHeader | undefined;
    const error = faultOf(() => {
      header = readMessageHeader(new FieldReader(whole(payload)));
    });
    if (header === undefined) {
      const summary = `IKE, ${payload.length} octets that are no message`;
      return [{ protocol: 'ike', summary, fields: headFields(payload), ...(error === undefined ? {} : { error }) }];
    }
    const message = payload.subarray(0, header.length);
    const bodies = withLikeness(this.#decodeMessage(message, header, place), likenessOf(message, header));
    const trailing = payload.length - header.length;
    if (trailing === 0) return bodies;
    return bodies.map((body) => ({ ...body, fields: { ...body.fields, trailingOctets: trailing } }));
  }

  #decodeMessage(message: Uint8Array, header: MessageHeader, place: MessagePlace): readonly DecodedBody[] {
    switch (header.majorVersion) {
      case 1:
        return this.#v1.decode(message, header, place);
      case 2:
        return this.#v2.decode(message, header, place);
      default:
        return [otherVersion(message, header)];
    }
  }
}

/** A first message says what its sender looks like. */
function withLikeness(bodies: readonly DecodedBody[], looksLike: string | undefined): readonly DecodedBody[] {
  if (looksLike === undefined) return bodies;
  return bodies.map((body) => ({
    ...body,
    summary: `${body.summary}; looks like ${looksLike}`,
    fields: { ...body.fields, looksLike },
  }));
}

/** What of the header there is. */
function headFields(payload: Uint8Array): Fields {
  const fields: Record<string, FieldValue> = { length: payload.length };
  if (payload.length >= 8) fields['initiatorSpi'] = hex(payload.subarray(0, 8));
  if (payload.length >= 16) fields['responderSpi'] = hex(payload.subarray(8, 16));
  return fields;
}

function otherVersion(message: Uint8Array, { majorVersion, minorVersion }: MessageHeader): DecodedBody {
  const version = `${majorVersion}.${minorVersion}`;
  return {
    protocol: 'ike',
    summary: `IKE of version ${version}`,
    fields: { ...headFields(message), version },
    error: { offset: VERSION_AT, field: 'Version', reason: `there is no version ${version} of IKE` },
  };
}
