/** What the sender of a first message looks like, as the machines judge it. */
import { DecodeError } from '../../../protocol/bytes.ts';
import { HEADER_OCTETS, isZeroSpi } from '../../../protocol/ike/message-header.ts';
import { type FirstFlight, likenessText, recognisePeer } from '../../../protocol/ike/profiles/recognition.ts';
import { firstFlightOf as firstFlightOfV1 } from '../../../protocol/ike/v1/first-flight.ts';
import { ExchangeType, PayloadType } from '../../../protocol/ike/v1/numbers.ts';
import { decodePayloads } from '../../../protocol/ike/v1/payload.ts';
import { firstFlightOf as firstFlightOfV2 } from '../../../protocol/ike/v2/init-exchange.ts';
import { EXCHANGES, FLAG } from '../../../protocol/ike/v2/numbers.ts';
import { decodeChain } from '../../../protocol/ike/v2/payload.ts';
import type { MessageHeader } from './header.ts';

/** `Windows (its vendor id)`; `undefined` when this is no first message of its sender, or nobody's who is known. */
export function likenessOf(octets: Uint8Array, header: MessageHeader): string | undefined {
  let flight: FirstFlight | undefined;
  try {
    flight = header.majorVersion === 1 ? flightOfV1(octets, header) : flightOfV2(octets, header);
  } catch (error) {
    // What is wrong with the message is told already.
    if (!(error instanceof DecodeError)) throw error;
  }
  const recognition = flight === undefined ? undefined : recognisePeer(flight);
  return recognition === undefined ? undefined : likenessText(recognition);
}

/** Those with an SA payload in phase 1. */
function flightOfV1(octets: Uint8Array, { exchange, nextPayload, spiR }: MessageHeader): FirstFlight | undefined {
  const isPhase1 = exchange === ExchangeType.mainMode || exchange === ExchangeType.aggressive;
  if (!isPhase1 || nextPayload !== PayloadType.sa) return undefined;
  const payloads = decodePayloads(nextPayload, octets.subarray(HEADER_OCTETS));
  return firstFlightOfV1(payloads, isZeroSpi(spiR) ? 'caller' : 'called');
}

function flightOfV2(octets: Uint8Array, { exchange, nextPayload, flags }: MessageHeader): FirstFlight | undefined {
  if (exchange !== EXCHANGES.IKE_SA_INIT) return undefined;
  const { payloads } = decodeChain(nextPayload, octets.subarray(HEADER_OCTETS));
  return firstFlightOfV2(payloads, (flags & FLAG.response) === 0 ? 'caller' : 'called');
}
