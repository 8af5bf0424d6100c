import type { KeyObject } from 'node:crypto';

/** Bits of an RSA modulus: shorter ones are broken, and longer ones keep the router busy. */
const RSA_BITS = { min: 2048, max: 8192 } as const;
/** Public exponents that anybody uses are far below; with one as long as the modulus a signature takes 50 times as long. */
const MAX_EXPONENT = 1n << 32n;

/** Curves of RFC 5480 and 5639 with 112 bits of security or more, as OpenSSL calls them. */
const CURVES: ReadonlySet<string> = new Set([
  ...['prime256v1', 'secp384r1', 'secp521r1'],
  ...['brainpoolP256r1', 'brainpoolP384r1', 'brainpoolP512r1'],
]);

/** Why signatures by this key are not believed, in words: `RSA with 1024 bits`; `undefined`: they are. */
export function keyWeakness(key: KeyObject): string | undefined {
  const { modulusLength = 0, publicExponent = 0n, namedCurve = '' } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case 'rsa':
    case 'rsa-pss':
      if (publicExponent > MAX_EXPONENT) return 'RSA with an exponent that nobody uses';
      return modulusLength < RSA_BITS.min || modulusLength > RSA_BITS.max ? keyText(key) : undefined;
    case 'ec':
      return CURVES.has(namedCurve) ? undefined : keyText(key);
    case 'ed25519':
    case 'ed448':
      return undefined;
    default:
      return keyText(key);
  }
}

/** `RSA with 3072 bits`, `ECDSA with P-256`, `Ed25519`. */
export function keyText(key: KeyObject): string {
  const { modulusLength = 0, namedCurve = '' } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case 'rsa':
    case 'rsa-pss':
      return `RSA with ${modulusLength} bits`;
    case 'ec':
      return `ECDSA with ${NIST_NAMES.get(namedCurve) ?? (namedCurve || 'a curve without a name')}`;
    case 'ed25519':
      return 'Ed25519';
    case 'ed448':
      return 'Ed448';
    default:
      return `the kind ${key.asymmetricKeyType ?? 'unknown'}`;
  }
}

const NIST_NAMES: ReadonlyMap<string, string> = new Map([
  ['prime256v1', 'P-256'],
  ['secp384r1', 'P-384'],
  ['secp521r1', 'P-521'],
]);
