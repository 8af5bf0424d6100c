/** Exchanges in ECP groups: the P curves of NIST, points as `x | y`, the secret `x` (RFC 5903 sections 6 to 9). */
import { createECDH, type ECDH } from 'node:crypto';
import { concatBytes, DecodeError, EncodeError } from '../../bytes.ts';
import type { RandomSource } from '../../machine.ts';
import { octetsOf } from './hash.ts';
import type { KeyExchangeMath } from './key-exchange-math.ts';
import { wipe } from './secrets.ts';

interface EcpGroup {
  /** Name in OpenSSL. */
  readonly curve: string;
  readonly coordinateOctets: number;
  /** Bits of the first octet of a private value that the order of the curve leaves room for. */
  readonly firstOctetMask: number;
}

const GROUPS: Readonly<Record<string, EcpGroup>> = {
  ecp256: { curve: 'prime256v1', coordinateOctets: 32, firstOctetMask: 0xff },
  ecp384: { curve: 'secp384r1', coordinateOctets: 48, firstOctetMask: 0xff },
  ecp521: { curve: 'secp521r1', coordinateOctets: 66, firstOctetMask: 0x01 },
};

/** X9.62: an uncompressed point follows. */
const UNCOMPRESSED = 4;

/**
 * Draws of a private value before giving up. One draw misses 1..n-1 once in 2^32 at most: several in a row mean that the
 * random source is broken.
 */
const MAX_DRAWS = 8;

/** @throws EncodeError when `group` is not an ECP group of the transform table. */
export function createEcpExchange(group: string, random: RandomSource): KeyExchangeMath {
  const row = GROUPS[group];
  if (row === undefined) throw new EncodeError(`${group} is no ECP group`);
  const curve = drawPrivateValue(group, row, random);
  return {
    publicValue: octetsOf(curve.getPublicKey()).slice(1),
    sharedSecret: (peer) => sharedSecret(row, curve, peer),
  };
}

function drawPrivateValue(group: string, row: EcpGroup, random: RandomSource): ECDH {
  for (let draw = 0; draw < MAX_DRAWS; draw += 1) {
    const privateValue = Uint8Array.from(random.bytes(row.coordinateOctets));
    privateValue[0] = (privateValue[0] ?? 0) & row.firstOctetMask;
    const curve = createECDH(row.curve);
    try {
      curve.setPrivateKey(privateValue);
      return curve;
    } catch {
      // 0, or not below the order of the curve: draw again.
    } finally {
      wipe(privateValue);
    }
  }
  throw new Error(`the random source gave no private value of ${group} in ${MAX_DRAWS} draws`);
}

function sharedSecret(row: EcpGroup, curve: ECDH, peer: Uint8Array): Uint8Array {
  if (peer.length !== row.coordinateOctets * 2) {
    throw new DecodeError(`KE: ${row.coordinateOctets * 2} octets wanted, ${peer.length} received`);
  }
  try {
    const secret = curve.computeSecret(concatBytes(Uint8Array.of(UNCOMPRESSED), peer));
    const copy = Uint8Array.from(secret);
    wipe(secret);
    return copy;
  } catch {
    throw new DecodeError('KE: the point is not on the curve');
  }
}
