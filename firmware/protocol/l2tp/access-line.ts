/** The AVPs of RFC 5515 section 5 from what is known of a line. */
import type { AvpFields } from './control-message.ts';
import type { AccessLine } from './endpoint-types.ts';

/** Section 5.1: octets of a name of the line. */
const NAME_OCTETS = { least: 2, most: 63 } as const;

/** What cannot stand in its AVP (a name that is too long, a rate below zero) is left out. */
export function accessLineFields({ circuitId, remoteId, down, up, type }: AccessLine): AvpFields {
  const fields = {
    agentCircuitId: name(circuitId),
    agentRemoteId: name(remoteId),
    actualDataRateUpstream: rate(up.actual),
    actualDataRateDownstream: rate(down.actual),
    minimumDataRateUpstream: rate(up.minimum),
    minimumDataRateDownstream: rate(down.minimum),
    attainableDataRateUpstream: rate(up.attainable),
    attainableDataRateDownstream: rate(down.attainable),
    maximumDataRateUpstream: rate(up.maximum),
    maximumDataRateDownstream: rate(down.maximum),
    // Section 5.18: one octet, and three that are zero.
    ancpAccessLineType: type !== undefined && type >= 1 && type <= 7 ? (type << 24) >>> 0 : undefined,
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function name(text: string | undefined): string | undefined {
  const octets = Buffer.byteLength(text ?? '');
  return octets >= NAME_OCTETS.least && octets <= NAME_OCTETS.most ? text : undefined;
}

function rate(bitsPerSecond: number | undefined): bigint | undefined {
  const valid = bitsPerSecond !== undefined && Number.isFinite(bitsPerSecond) && bitsPerSecond >= 0;
  return valid ? BigInt(Math.round(bitsPerSecond)) : undefined;
}
