/** The MODP groups from the formulas that define their primes (RFC 2409 section 6.2, RFC 3526), in plain numbers. */

/** The constant that makes `2^n - 2^(n-64) - 1 + 2^64 * ([2^(n-130) pi] + constant)` a safe prime. */
const CONSTANTS: Readonly<Record<number, bigint>> = {
  1024: 129093n,
  1536: 741804n,
  2048: 124476n,
  3072: 1690314n,
  4096: 240904n,
  6144: 929484n,
  8192: 4743158n,
};

/** The prime of `bits` bits. */
export function modpPrime(bits: number): bigint {
  const n = BigInt(bits);
  const constant = CONSTANTS[bits] ?? 0n;
  return 2n ** n - 2n ** (n - 64n) - 1n + 2n ** 64n * (piTimes2To(n - 130n) + constant);
}

/** `2^exponent` modulo that prime. */
export function modpPublicValue(bits: number, exponent: bigint): bigint {
  return power(2n, exponent, modpPrime(bits));
}

/** `base^exponent` modulo `modulus`, by squaring. */
export function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (const bit of exponent.toString(2)) {
    result = (result * result) % modulus;
    if (bit === '1') result = (result * base) % modulus;
  }
  return result;
}

/** `[2^shift pi]` by Machin's formula, with bits to spare. */
function piTimes2To(shift: bigint): bigint {
  const spare = 64n;
  const one = 1n << (shift + spare);
  return (4n * (4n * arctanOfInverse(5n, one) - arctanOfInverse(239n, one))) >> spare;
}

function arctanOfInverse(x: bigint, one: bigint): bigint {
  let term = one / x;
  let sum = term;
  for (let n = 3n, sign = -1n; term !== 0n; n += 2n, sign = -sign) {
    term /= x * x;
    sum += (sign * term) / n;
  }
  return sum;
}
