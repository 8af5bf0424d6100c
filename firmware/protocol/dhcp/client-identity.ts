/** Who this client says it is. */
import { concatBytes } from '../bytes.ts';

/** Type of an identifier that is a DUID with an IAID in front (RFC 4361 section 6.1). */
const TYPE_DUID = 255;
/** DUID of the kind link-layer address (RFC 8415 section 11.4), of Ethernet. */
const DUID_LL = [0, 3, 0, 1] as const;
/** Type of an identifier that is no hardware address (RFC 2132 section 9.14). */
const TYPE_TEXT = 0;

/**
 * The client identifier, option 61.
 * @param mac 6 octets: the IAID is made of the last four, the DUID of all.
 * @param configured octets in hexadecimal with colons, sent as they stand; or text, sent behind a type of 0; `undefined`: RFC 4361.
 */
export function clientIdentifier(mac: Uint8Array, configured: string | undefined): Uint8Array {
  if (configured === undefined)
    return concatBytes(Uint8Array.of(TYPE_DUID), mac.subarray(2), Uint8Array.from(DUID_LL), mac);
  if (/^[0-9a-f]{2}(:[0-9a-f]{2})+$/i.test(configured))
    return Uint8Array.from(configured.split(':'), (octet) => Number.parseInt(octet, 16));
  return concatBytes(Uint8Array.of(TYPE_TEXT), Uint8Array.from(Buffer.from(configured, 'latin1')));
}
