import type { LifetimeLimit, SaLifetimes } from '../../protocol/esp/lifetime.ts';
import type { ChildSa } from '../../protocol/ike/ike-types.ts';
import { findTransform, isCombinedMode } from '../../protocol/ike/transforms.ts';

/** Share of a limit at which a successor is wanted. */
const SOFT_SHARE = 0.75;

/**
 * A block cipher of 64 bits begins to leak after some 2^32 blocks under one key, which are 32 GiB (CVE-2016-2183, Sweet32);
 * this is far below. Octets.
 */
const SMALL_BLOCK_OCTETS = 2 ** 30;

/** Octets of a block that counts as small. */
const SMALL_BLOCK = 8;

/**
 * A nonce must never come twice under one key. Without extended sequence numbers these end at 2^32 in any case; with them
 * the limit is the cipher's margin of security. Packets.
 */
const NONCE_PACKETS = 15 * 2 ** 28;
const NONCE_PACKETS_EXTENDED = 2 ** 36;

/** Limits on what a pair may carry. The machines of IKE watch the seconds; here they are a safety net. */
export function saLifetimes({ lifetime, outbound, extendedSequenceNumbers }: ChildSa): SaLifetimes {
  const cipher = findTransform('encryption', outbound.encryption);
  const seconds = { seconds: { soft: lifetime, hard: lifetime } };
  if (cipher === undefined) return seconds;
  if (cipher.blockOctets === SMALL_BLOCK) return { ...seconds, octets: limit(SMALL_BLOCK_OCTETS) };
  if (!isCombinedMode(cipher)) return seconds;
  return { ...seconds, packets: limit(extendedSequenceNumbers ? NONCE_PACKETS_EXTENDED : NONCE_PACKETS) };
}

function limit(hard: number): LifetimeLimit {
  return { soft: hard * SOFT_SHARE, hard };
}
