/** A child SA as this side keeps it: what was negotiated, where it stands, and when it is to be replaced. */
import { ByteWriter } from '../../bytes.ts';
import type { Failure, Instant } from '../../machine.ts';
import type { ChildSa } from '../ike-types.ts';
import type { EspProposal } from '../proposals.ts';

/**
 * - `up`: in use.
 * - `replaced`: another one has taken over, and the peer is to delete this one.
 * - `deleting`: this side is to delete it, or is doing so.
 */
export type ChildState = 'up' | 'replaced' | 'deleting';

export interface Child {
  /** Changes only when the IKE SA that it belongs to is replaced. */
  sa: ChildSa;
  readonly esp: EspProposal;
  state: ChildState;
  /** The one that took over. */
  replacedBy?: Child;
  /** Installed with `receiveOnly`, and `child-send` has not been said yet. */
  receiveOnly: boolean;
  /** When it is sent on at the latest, whatever the peer does. */
  sendAt?: Instant;
  /** The peer is known to have it. A responder does not know that before the next request comes, or ESP does. */
  confirmed: boolean;
  /** When the next one is to be negotiated; absent while that is being done. */
  rekeyAt: Instant | undefined;
  /** Until when it may live: the hard end, or as long as the peer may take to delete it. */
  expiresAt: Instant;
  /** How often the peer said TEMPORARY_FAILURE, or something as good, when asked to rekey it. */
  refusals: number;
  /** Why it goes, where that is no wish of either side. */
  failure?: Failure;
}

/** An SPI of ESP as it goes into payloads. */
export function spiOctets(spi: number): Uint8Array {
  return new ByteWriter(4).u32(spi).finish();
}

/** As {@link spiOctets}, backwards; `undefined` when it has not 4 octets. */
export function spiNumber(octets: Uint8Array): number | undefined {
  if (octets.length !== 4) return undefined;
  const [a = 0, b = 0, c = 0, d = 0] = octets;
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
}
