import type { DecodedBody, MessagePlace } from '../decoded.ts';
import type { Ikev1Keys } from '../keys/decode-keys.ts';
import type { MessageHeader } from './header.ts';
export class Ikev1Decoder {
  readonly keys: readonly Ikev1Keys[];
  constructor(keys: readonly Ikev1Keys[]) {
    this.keys = keys;
  }
  decode(_octets: Uint8Array, _header: MessageHeader, _place: MessagePlace): readonly DecodedBody[] {
    return [{ protocol: 'ikev1', summary: 'IKEv1', fields: {} }];
  }
}
