/** Authentication Headers (RFC 4302 section 2), behind which everything is in clear. */
import { AH_FIXED, ahNextHeader, ahSequence, ahSpi, statedAhHeaderOctets } from '../../protocol/ah/packet.ts';
import type { DecodedBody } from './decoded.ts';
import { type Octets, slice } from './field-reader.ts';

export interface DecodedAh {
  readonly body: DecodedBody;
  /** What stands behind it. */
  readonly inner?: { readonly nextHeader: number; readonly payload: Octets };
}

/** Whether it is authentic is not looked at. */
export function decodeAh(packet: Octets): DecodedAh {
  const { bytes, missing } = packet;
  if (bytes.length < AH_FIXED) {
    const reason = `an Authentication Header has more than ${bytes.length} octets`;
    const error = { offset: bytes.length, field: 'Sequence Number', reason };
    return { body: { protocol: 'ah', summary: 'AH, cut short', fields: { length: bytes.length }, error } };
  }
  const octets = statedAhHeaderOctets(bytes, 0);
  const spi = ahSpi(bytes, 0);
  const sequenceNumber = ahSequence(bytes, 0);
  const nextHeader = ahNextHeader(bytes, 0);
  const summary = `AH SPI ${spi.toString(16).padStart(8, '0')} sequence ${sequenceNumber}`;
  const fields = { nextHeader, icvLength: octets - AH_FIXED, spi, sequenceNumber };
  if (octets < AH_FIXED || octets > bytes.length + missing) {
    const reason = `${octets} octets of header do not go into ${bytes.length + missing}`;
    return { body: { protocol: 'ah', summary, fields, error: { offset: 1, field: 'Payload Len', reason } } };
  }
  return { body: { protocol: 'ah', summary, fields }, inner: { nextHeader, payload: slice(packet, octets) } };
}
