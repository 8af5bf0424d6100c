import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../../../../firmware/protocol/bytes.ts';
import { createDecapsulator, encapsulateTo } from '../../../../../firmware/protocol/ike/crypto/ml-kem.ts';
import { SeededRandom } from '../../../../support/seeded-random.ts';

describe('ML-KEM-768', () => {
  it('gives both sides the same 32 octets, and others each time', () => {
    const decapsulator = createDecapsulator(new SeededRandom(1));
    const one = encapsulateTo(decapsulator.publicValue);
    const two = encapsulateTo(decapsulator.publicValue);
    expect(decapsulator.publicValue).toHaveLength(1184);
    expect(one.ciphertext).toHaveLength(1088);
    expect(decapsulator.sharedSecret(one.ciphertext)).toEqual(one.sharedSecret);
    expect(one.sharedSecret).toHaveLength(32);
    expect(two.sharedSecret).not.toEqual(one.sharedSecret);
  });

  it('makes the key from the random source that is handed in', () => {
    const of = (seed: number) => createDecapsulator(new SeededRandom(seed)).publicValue;
    expect(of(5)).toEqual(of(5));
    expect(of(5)).not.toEqual(of(6));
  });

  it('rejects a spoiled ciphertext without telling: the secret is another one', () => {
    const decapsulator = createDecapsulator(new SeededRandom(2));
    const { ciphertext, sharedSecret } = encapsulateTo(decapsulator.publicValue);
    ciphertext[500] = (ciphertext[500] ?? 0) ^ 1;
    expect(decapsulator.sharedSecret(ciphertext)).not.toEqual(sharedSecret);
  });

  it('takes no octets of another length, and no key that is none', () => {
    const decapsulator = createDecapsulator(new SeededRandom(3));
    for (const length of [0, 1087, 1089]) {
      expect(() => decapsulator.sharedSecret(new Uint8Array(length))).toThrow(DecodeError);
    }
    for (const length of [0, 1183, 1185]) expect(() => encapsulateTo(new Uint8Array(length))).toThrow(DecodeError);
    expect(() => encapsulateTo(new Uint8Array(1184).fill(0xff))).toThrow(DecodeError);
  });
});
