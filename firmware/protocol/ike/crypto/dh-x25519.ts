/** Exchanges in Curve25519 (RFC 7748 section 6.1, RFC 8031 section 2). */
import { createPrivateKey, createPublicKey, diffieHellman, type KeyObject } from 'node:crypto';
import { concatBytes, DecodeError } from '../../bytes.ts';
import type { RandomSource } from '../../machine.ts';
import { DER, derValue } from './der.ts';
import { octetsOf } from './hash.ts';
import type { KeyExchangeMath } from './key-exchange-math.ts';
import { equalSecrets, wipe } from './secrets.ts';

const KEY_OCTETS = 32;
const ALL_ZERO = new Uint8Array(KEY_OCTETS);

/** `id-X25519`, 1.3.101.110 (RFC 8410 section 3). */
const ALGORITHM = derValue(DER.sequence, derValue(DER.objectIdentifier, Uint8Array.of(0x2b, 0x65, 0x6e)));
const PKCS8_VERSION = derValue(DER.integer, Uint8Array.of(0));

export function createX25519Exchange(random: RandomSource): KeyExchangeMath {
  // Unclamped: the function itself clamps (RFC 7748 section 5).
  const privateValue = Uint8Array.from(random.bytes(KEY_OCTETS));
  const key = privateKey(privateValue);
  wipe(privateValue);
  const info = octetsOf(createPublicKey(key).export({ format: 'der', type: 'spki' }));
  return { publicValue: info.slice(-KEY_OCTETS), sharedSecret: (peer) => sharedSecret(key, peer) };
}

function sharedSecret(privateKey: KeyObject, peer: Uint8Array): Uint8Array {
  if (peer.length !== KEY_OCTETS) throw new DecodeError(`KE: ${KEY_OCTETS} octets wanted, ${peer.length} received`);
  const bits = derValue(DER.bitString, concatBytes(Uint8Array.of(0), peer));
  const info = Buffer.from(derValue(DER.sequence, ALGORITHM, bits));
  let secret: Buffer;
  try {
    const publicKey = createPublicKey({ key: info, format: 'der', type: 'spki' });
    secret = diffieHellman({ privateKey, publicKey });
  } catch {
    throw new DecodeError('KE: the public value leads to zero');
  }
  const copy = Uint8Array.from(secret);
  wipe(secret);
  // RFC 8031 section 2: an all-zero result is not to be used, whether or not the library noticed.
  if (equalSecrets(copy, ALL_ZERO)) throw new DecodeError('KE: the public value leads to zero');
  return copy;
}

/** PKCS #8 (RFC 8410 section 7): an OCTET STRING in an OCTET STRING. */
function privateKey(privateValue: Uint8Array): KeyObject {
  const inner = derValue(DER.octetString, privateValue);
  const wrapped = derValue(DER.octetString, inner);
  const info = derValue(DER.sequence, PKCS8_VERSION, ALGORITHM, wrapped);
  const key = Buffer.from(info);
  try {
    return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
  } finally {
    wipe(inner, wrapped, info, key);
  }
}
