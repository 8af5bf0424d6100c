import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, DecodeError, EncodeError, hex } from '../../../../../firmware/protocol/bytes.ts';
import { createKeyExchange } from '../../../../../firmware/protocol/ike/crypto/dh.ts';
import { TRANSFORMS } from '../../../../../firmware/protocol/ike/transforms.ts';
import { SeededRandom } from '../../../../support/seeded-random.ts';
import { octets, scriptedRandom } from '../octets.ts';
import { ECP_GROUPS } from './dh-vectors.ts';
import { modpPrime, modpPublicValue, power } from './modp-reference.ts';

const GROUPS = TRANSFORMS.flatMap((row) => (row.kind === 'group' ? [row] : []));
const MODP = GROUPS.filter((row) => row.family === 'modp').map((row) => ({ ...row, bits: row.publicOctets * 8 }));
const ECP = GROUPS.filter((row) => row.family === 'ecp');

/** Found by search: the public value, or the secret with the next seed's public value, begins with a zero octet. */
const SEED_OF_SHORT_PUBLIC = 125;
const SEED_OF_SHORT_SECRET = 231;

const number = (bytes: Uint8Array): bigint => BigInt(`0x${hex(bytes)}`);
const inOctets = (value: bigint, length: number): Uint8Array => octets(value.toString(16).padStart(length * 2, '0'));

describe('every key exchange', () => {
  it.each(GROUPS)('in $name gives both sides the same secret, of the length in the table', (row) => {
    const random = new SeededRandom(row.v2);
    const initiator = createKeyExchange(row.name, random);
    const responder = createKeyExchange(row.name, random);
    expect(initiator.group).toBe(row.name);
    expect(initiator.publicValue).toHaveLength(row.publicOctets);
    expect(initiator.publicValue).not.toEqual(responder.publicValue);
    const secret = initiator.sharedSecret(responder.publicValue);
    expect(secret).toHaveLength(row.secretOctets);
    expect(responder.sharedSecret(initiator.publicValue)).toEqual(secret);
    expect(initiator.sharedSecret(responder.publicValue)).toEqual(secret);
  });

  it.each(GROUPS)('in $name depends on nothing but the random source', ({ name }) => {
    const public1 = createKeyExchange(name, new SeededRandom(5)).publicValue;
    expect(createKeyExchange(name, new SeededRandom(5)).publicValue).toEqual(public1);
    expect(createKeyExchange(name, new SeededRandom(6)).publicValue).not.toEqual(public1);
  });

  it.each(GROUPS)('in $name refuses a public value of another length', ({ name, publicOctets }) => {
    const exchange = createKeyExchange(name, new SeededRandom(1));
    for (const length of [0, 1, publicOctets - 1, publicOctets + 1, publicOctets * 2]) {
      expect(() => exchange.sharedSecret(new Uint8Array(length).fill(2))).toThrow(DecodeError);
    }
  });

  it('gives no secret once destroyed', () => {
    for (const { name } of GROUPS) {
      const exchange = createKeyExchange(name, new SeededRandom(1));
      const peer = createKeyExchange(name, new SeededRandom(2)).publicValue;
      exchange.destroy();
      expect(() => exchange.sharedSecret(peer)).toThrow(EncodeError);
    }
  });

  it('does not spoil what the random source handed out', () => {
    const draw = new Uint8Array(32).fill(7);
    createKeyExchange('x25519', scriptedRandom(draw)).destroy();
    expect(draw).toEqual(new Uint8Array(32).fill(7));
  });

  it('exists for the groups of the table alone', () => {
    expect(() => createKeyExchange('modp768', new SeededRandom(1))).toThrow(EncodeError);
  });

  it('answers whatever a stranger sends with a secret or a DecodeError', () => {
    const quick = GROUPS.filter(({ publicOctets }) => publicOctets <= 256);
    const exchanges = quick.map(({ name }) => createKeyExchange(name, new SeededRandom(3)));
    const input = fc.record({ at: fc.nat(quick.length - 1), bytes: fc.uint8Array({ minLength: 256, maxLength: 256 }) });
    fc.assert(
      fc.property(input, ({ at, bytes }) => {
        const peer = bytes.subarray(0, quick[at]?.publicOctets);
        try {
          expect(exchanges[at]?.sharedSecret(peer)).toHaveLength(quick[at]?.secretOctets ?? 0);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('MODP groups', () => {
  it.each(MODP)('$name raises 2 to the private value modulo the prime of its formula', ({ name, bits, strength }) => {
    let drawn = new Uint8Array(0);
    const source = new SeededRandom(bits);
    const random = {
      bytes(length: number): Uint8Array {
        drawn = Uint8Array.from(source.bytes(length));
        return drawn;
      },
    };
    const { publicValue } = createKeyExchange(name, random);
    expect(drawn.length * 8).toBeGreaterThanOrEqual(strength * 2);
    // The first bit of a private value is always set.
    drawn[0] = (drawn[0] ?? 0) | 0x80;
    expect(publicValue).toEqual(inOctets(modpPublicValue(bits, number(drawn)), bits / 8));
  });

  it.each(MODP)('$name refuses 0, 1, p-1, p and what is beyond', ({ name, bits }) => {
    const exchange = createKeyExchange(name, new SeededRandom(1));
    const prime = modpPrime(bits);
    for (const bad of [0n, 1n, prime - 1n, prime, prime + 1n, 2n ** BigInt(bits) - 1n]) {
      expect(() => exchange.sharedSecret(inOctets(bad, bits / 8))).toThrow(DecodeError);
    }
  });

  it('take the smallest and the largest good public value', () => {
    const exchange = createKeyExchange('modp1024', new SeededRandom(1));
    expect(exchange.sharedSecret(inOctets(2n, 128))).toEqual(exchange.publicValue);
    expect(exchange.sharedSecret(inOctets(modpPrime(1024) - 2n, 128))).toHaveLength(128);
  });

  it('pad a public value that begins with zeros to the length of the modulus', () => {
    const { publicValue } = createKeyExchange('modp1024', new SeededRandom(SEED_OF_SHORT_PUBLIC));
    expect(publicValue[0]).toBe(0);
    expect(publicValue).toHaveLength(128);
  });

  it('pad a secret that begins with zeros to the length of the modulus', () => {
    const drawn: Uint8Array[] = [];
    const record = (seed: number) => {
      const source = new SeededRandom(seed);
      return {
        bytes: (length: number): Uint8Array => {
          const bytes = source.bytes(length);
          drawn.push(Uint8Array.from(bytes));
          return bytes;
        },
      };
    };
    const initiator = createKeyExchange('modp1024', record(SEED_OF_SHORT_SECRET));
    const responder = createKeyExchange('modp1024', record(SEED_OF_SHORT_SECRET + 1));
    const secret = initiator.sharedSecret(responder.publicValue);
    expect(secret[0]).toBe(0);
    const exponent = drawn[0] ?? new Uint8Array(1);
    exponent[0] = (exponent[0] ?? 0) | 0x80;
    const byHand = power(number(responder.publicValue), number(exponent), modpPrime(1024));
    expect(secret).toEqual(inOctets(byHand, 128));
  });

  it('work even when the random source gives nothing but zeros', () => {
    const zeros = { bytes: (length: number) => new Uint8Array(length) };
    const { publicValue } = createKeyExchange('modp2048', zeros);
    expect(publicValue).toEqual(inOctets(modpPublicValue(2048, 1n << 319n), 256));
  });
});

describe('ECP groups', () => {
  it.each(ECP_GROUPS)('give points and secret of RFC 5903 for $group', ({ group, i, gi, r, gr, secret }) => {
    const initiator = createKeyExchange(group, scriptedRandom(octets(i)));
    const responder = createKeyExchange(group, scriptedRandom(octets(r)));
    expect(hex(initiator.publicValue)).toBe(gi);
    expect(hex(responder.publicValue)).toBe(gr);
    expect(hex(initiator.sharedSecret(responder.publicValue))).toBe(secret);
    expect(hex(responder.sharedSecret(initiator.publicValue))).toBe(secret);
  });

  it.each(ECP)('refuse a point that is not on the curve of $name', ({ name, publicOctets }) => {
    const exchange = createKeyExchange(name, new SeededRandom(1));
    const near = Uint8Array.from(createKeyExchange(name, new SeededRandom(2)).publicValue);
    near[publicOctets - 1] = (near[publicOctets - 1] ?? 0) ^ 1;
    for (const bad of [near, new Uint8Array(publicOctets), new Uint8Array(publicOctets).fill(0xff)]) {
      expect(() => exchange.sharedSecret(bad)).toThrow(DecodeError);
    }
  });

  it('draw again when a private value is 0 or not below the order, and give up on a broken random source', () => {
    const good = octets('C88F01F5 10D9AC3F 70A292DA A2316DE5 44E9AAB8 AFE84049 C62A9C57 862D1433');
    const random = scriptedRandom(new Uint8Array(32), new Uint8Array(32).fill(0xff), good);
    const expected = createKeyExchange('ecp256', scriptedRandom(good)).publicValue;
    expect(createKeyExchange('ecp256', random).publicValue).toEqual(expected);
    const broken = { bytes: (length: number) => new Uint8Array(length) };
    expect(() => createKeyExchange('ecp256', broken)).toThrow(/random source/);
  });
});

describe('X25519', () => {
  it('gives public values and secret of RFC 7748 section 6.1', () => {
    const a = octets('77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a');
    const b = octets('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb');
    const alice = createKeyExchange('x25519', scriptedRandom(a));
    const bob = createKeyExchange('x25519', scriptedRandom(b));
    expect(hex(alice.publicValue)).toBe('8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a');
    expect(hex(bob.publicValue)).toBe('de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f');
    const secret = '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742';
    expect(hex(alice.sharedSecret(bob.publicValue))).toBe(secret);
    expect(hex(bob.sharedSecret(alice.publicValue))).toBe(secret);
  });

  it.each([
    [
      'a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4',
      'e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c',
      'c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552',
    ],
    [
      '4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d',
      'e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493',
      '95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957',
    ],
  ])('clamps the scalar and masks the coordinate as RFC 7748 section 5.2 (%s)', (scalar, coordinate, output) => {
    const exchange = createKeyExchange('x25519', scriptedRandom(octets(scalar)));
    expect(hex(exchange.sharedSecret(octets(coordinate)))).toBe(output);
  });

  it('refuses every public value of small order: the secret would be zero', () => {
    const exchange = createKeyExchange('x25519', new SeededRandom(1));
    const prime = 2n ** 255n - 19n;
    const littleEndian = (value: bigint): Uint8Array => inOctets(value, 32).reverse();
    const smallOrder = [
      littleEndian(0n),
      littleEndian(1n),
      littleEndian(prime - 1n),
      littleEndian(prime),
      littleEndian(prime + 1n),
      octets('e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800'),
      octets('5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157'),
    ];
    for (const bad of smallOrder) expect(() => exchange.sharedSecret(bad)).toThrow(DecodeError);
    const topBitSet = concatBytes(new Uint8Array(31), Uint8Array.of(0x80));
    expect(() => exchange.sharedSecret(topBitSet)).toThrow(DecodeError);
  });
});
