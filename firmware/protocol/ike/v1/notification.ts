/** Notification and Delete payloads (RFC 2408 sections 3.14 and 3.15). */
import { ByteReader, ByteWriter, DecodeError } from '../../bytes.ts';
import { DOI_IPSEC, ProtocolId } from './numbers.ts';

/** SPIs in one Delete payload; a peer with more sends more payloads. */
const MAX_DELETED_SPIS = 128;

export interface Notification {
  readonly protocol: number;
  /** Of ESP 4 octets; of ISAKMP both cookies or nothing. */
  readonly spi: Uint8Array;
  readonly type: number;
  readonly data: Uint8Array;
}

export interface Deletion {
  readonly protocol: number;
  readonly spis: readonly Uint8Array[];
}

/** @throws DecodeError when it is too short. */
export function decodeNotification(body: Uint8Array): Notification {
  const reader = new ByteReader(body);
  reader.skip(4, 'DOI');
  const protocol = reader.u8('Protocol-ID');
  const spiOctets = reader.u8('SPI Size');
  const type = reader.u16('Notify Message Type');
  const spi = reader.bytes(spiOctets, 'SPI');
  return { protocol, spi, type, data: reader.rest() };
}

export function encodeNotification({ protocol, spi, type, data }: Notification): Uint8Array {
  return new ByteWriter().u32(DOI_IPSEC).u8(protocol).u8(spi.length).u16(type).bytes(spi).bytes(data).finish();
}

/** About the ISAKMP SA itself. `cookies`: both, 16 octets, or none. */
export function isakmpNotification(
  type: number,
  cookies: Uint8Array = new Uint8Array(0),
  data: Uint8Array = new Uint8Array(0),
): Uint8Array {
  return encodeNotification({ protocol: ProtocolId.isakmp, spi: cookies, type, data });
}

/** @throws DecodeError when it is too short for its SPIs, or has too many. */
export function decodeDelete(body: Uint8Array): Deletion {
  const reader = new ByteReader(body);
  reader.skip(4, 'DOI');
  const protocol = reader.u8('Protocol-Id');
  const spiOctets = reader.u8('SPI Size');
  const count = reader.u16('# of SPIs');
  if (count > MAX_DELETED_SPIS) throw new DecodeError(`${count} SPIs in one Delete`);
  const spis: Uint8Array[] = [];
  for (let index = 0; index < count; index += 1) spis.push(reader.bytes(spiOctets, 'SPI'));
  return { protocol, spis };
}

/** All SPIs of one length. */
export function encodeDelete({ protocol, spis }: Deletion): Uint8Array {
  const writer = new ByteWriter()
    .u32(DOI_IPSEC)
    .u8(protocol)
    .u8(spis[0]?.length ?? 0)
    .u16(spis.length);
  for (const spi of spis) writer.bytes(spi);
  return writer.finish();
}

/** The SPI of an ESP SA as 4 octets. */
export function spiOctets(spi: number): Uint8Array {
  return new ByteWriter(4).u32(spi).finish();
}

/** The SPI of an ESP SA; `undefined` when it has not 4 octets. */
export function spiNumber(octets: Uint8Array): number | undefined {
  return octets.length === 4 ? new ByteReader(octets).u32('SPI') : undefined;
}
