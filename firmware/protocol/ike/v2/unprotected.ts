/**
 * Messages outside of any IKE SA (RFC 7296 sections 1.5 and 2.21.4; RFC 6290 section 4.5). They are hints, never
 * orders.
 */
import { ByteWriter } from '../../bytes.ts';
import type { UdpPath } from '../../udp-path.ts';
import { HEADER_OCTETS, ZERO_SPI } from '../message-header.ts';
import { encodeHeader, type IkeHeader, type ReceivedHeader } from './header.ts';
import type { IkeHost } from './ike-sa.ts';
import { notify } from './notify.ts';
import { EXCHANGES } from './numbers.ts';
import { encodeChain, type Payload } from './payload.ts';
import { qcdToken } from './qcd.ts';

/** An unprotected response to a request, after which nothing is remembered. */
export function answerUnprotected(
  host: IkeHost,
  { spiI, spiR, exchange, messageId, fromInitiator }: ReceivedHeader,
  payloads: readonly Payload[],
  path: UdpPath,
): void {
  const header = { spiI, spiR, exchange, messageId, fromInitiator: !fromInitiator, response: true };
  host.emit({ kind: 'send', datagram: encodeUnprotected(header, payloads), path });
}

/**
 * To a protected request for an IKE SA that is not known here: INVALID_IKE_SPI, and the proof that it was known once.
 */
export function answerUnknownSpi(host: IkeHost, header: ReceivedHeader, path: UdpPath): void {
  const { qcdSecret } = host;
  const payloads: Payload[] = [notify('INVALID_IKE_SPI')];
  if (qcdSecret !== undefined) {
    const token = notify('QCD_TOKEN', qcdToken(qcdSecret, header.spiI, header.spiR));
    payloads.push({ ...token, protocol: 1 });
  }
  answerUnprotected(host, header, payloads, path);
}

/** To an ESP packet for an SA that is not known here. The SPIs of the header mean nothing (section 1.5). */
export function tellInvalidSpi(host: IkeHost, spi: number, path: UdpPath): void {
  const header = {
    spiI: host.random.bytes(8),
    spiR: ZERO_SPI,
    exchange: EXCHANGES.INFORMATIONAL,
    messageId: 0,
    fromInitiator: true,
    response: false,
  };
  const data = new ByteWriter(4).u32(spi).finish();
  host.emit({ kind: 'send', datagram: encodeUnprotected(header, [notify('INVALID_SPI', data)]), path });
}

/** A message without encryption. */
export function encodeUnprotected(header: IkeHeader, payloads: readonly Payload[]): Uint8Array {
  const { firstType, octets } = encodeChain(payloads);
  const length = HEADER_OCTETS + octets.length;
  return new ByteWriter(length)
    .bytes(encodeHeader(header, firstType, length))
    .bytes(octets)
    .finish();
}
