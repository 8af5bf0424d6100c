import { getCiphers, getHashes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { EncodeError } from '../../../../firmware/protocol/bytes.ts';
import {
  findGroupV1,
  findPhase1Encryption,
  findPhase1Hash,
  findPhase2Encryption,
  findPhase2Integrity,
  findTransform,
  findTransformV2,
  isCombinedMode,
  TRANSFORM_TYPES,
  TRANSFORMS,
  transform,
  transformKind,
} from '../../../../firmware/protocol/ike/transforms.ts';

const ENCRYPTION = TRANSFORMS.flatMap((row) => (row.kind === 'encryption' ? [row] : []));

describe('the transform table', () => {
  it('has each name once under its kind', () => {
    const names = TRANSFORMS.map((row) => `${row.kind} ${row.name}`);
    expect(new Set(names).size).toBe(names.length);
  });

  it('has the numbers of the IKEv2 registry', () => {
    const numbers = Object.fromEntries(TRANSFORMS.map((row) => [`${row.kind} ${row.name}`, row.v2]));
    expect(numbers).toMatchObject({
      'encryption 3des': 3,
      'encryption aes128': 12,
      'encryption aes256': 12,
      'encryption aes192ctr': 13,
      'encryption aes128ccm8': 14,
      'encryption aes128ccm12': 15,
      'encryption aes256ccm16': 16,
      'encryption aes128gcm8': 18,
      'encryption aes192gcm12': 19,
      'encryption aes256gcm16': 20,
      'encryption chacha20poly1305': 28,
      'prf md5': 1,
      'prf sha1': 2,
      'prf sha256': 5,
      'prf sha384': 6,
      'prf sha512': 7,
      'integrity md5': 1,
      'integrity sha1': 2,
      'integrity sha256': 12,
      'integrity sha384': 13,
      'integrity sha512': 14,
      'group modp1024': 2,
      'group modp1536': 5,
      'group modp2048': 14,
      'group modp3072': 15,
      'group modp4096': 16,
      'group modp6144': 17,
      'group modp8192': 18,
      'group ecp256': 19,
      'group ecp384': 20,
      'group ecp521': 21,
      'group x25519': 31,
      'esn esn': 1,
      'esn noesn': 0,
    });
    expect(numbers['integrity sha256-96']).toBeUndefined();
  });

  it('names ciphers and digests that the library has', () => {
    for (const row of TRANSFORMS) {
      if (row.kind === 'encryption') expect(getCiphers()).toContain(row.cipher);
      if (row.kind === 'prf' || row.kind === 'integrity') expect(getHashes()).toContain(row.hash);
    }
  });

  it('calls legacy what RFC 8247 and RFC 8221 advise against, and nothing else', () => {
    const legacy = TRANSFORMS.filter((row) => row.legacy).map((row) => `${row.kind} ${row.name}`);
    expect(legacy.sort()).toEqual([
      'encryption 3des',
      'group modp1024',
      'group modp1536',
      'integrity md5',
      'integrity sha1',
      'integrity sha256-96',
      'prf md5',
      'prf sha1',
    ]);
  });

  it('has words for people in every row', () => {
    expect(transform('encryption', 'aes128gcm16').title).toBe('AES-GCM with 128-bit key');
    expect(transform('encryption', 'aes256ccm8').title).toBe('AES-CCM with 256-bit key and 64-bit ICV');
    expect(transform('integrity', 'sha256').title).toBe('HMAC-SHA2-256-128');
    expect(new Set(TRANSFORMS.map((row) => row.title)).size).toBe(TRANSFORMS.length);
  });
});

describe('looking a transform up', () => {
  it('by its IKEv2 number and key length finds every row that has one', () => {
    for (const row of TRANSFORMS) {
      if (row.v2 === undefined) continue;
      const keyBits = row.kind === 'encryption' && row.keyLengthAttribute ? row.keyOctets * 8 : undefined;
      expect(findTransformV2(row.kind, row.v2, keyBits)).toBe(row);
      expect(findTransform(row.kind, row.name)).toBe(row);
    }
  });

  it('is exact about the Key Length attribute', () => {
    expect(findTransformV2('encryption', 12)).toBeUndefined();
    expect(findTransformV2('encryption', 12, 64)).toBeUndefined();
    expect(findTransformV2('encryption', 3, 192)).toBeUndefined();
    expect(findTransformV2('encryption', 28, 256)).toBeUndefined();
    expect(findTransformV2('prf', 5, 256)).toBeUndefined();
    expect(findPhase1Encryption(7)).toBeUndefined();
    expect(findPhase2Encryption(12, 512)).toBeUndefined();
  });

  it('by the numbers of IKEv1 finds what they mean there', () => {
    expect(findPhase1Encryption(7, 256)?.name).toBe('aes256');
    expect(findPhase1Encryption(5)?.name).toBe('3des');
    expect(findPhase1Encryption(1)).toBeUndefined();
    expect([1, 2, 4, 5, 6].map((id) => findPhase1Hash(id)?.name)).toEqual([
      'md5',
      'sha1',
      'sha256',
      'sha384',
      'sha512',
    ]);
    expect(findPhase1Hash(3)).toBeUndefined();
    expect(findPhase2Encryption(3)?.name).toBe('3des');
    expect(findPhase2Encryption(12, 128)?.name).toBe('aes128');
    expect(findPhase2Encryption(13, 256)?.name).toBe('aes256ctr');
    expect(findPhase2Encryption(16, 192)?.name).toBe('aes192ccm16');
    expect(findPhase2Encryption(20, 128)?.name).toBe('aes128gcm16');
    expect(findPhase2Encryption(2)).toBeUndefined();
    const integrity = [1, 2, 5, 6, 7].map((id) => findPhase2Integrity(id)?.name);
    expect(integrity).toEqual(['md5', 'sha1', 'sha256', 'sha384', 'sha512']);
    expect(findGroupV1(14)?.name).toBe('modp2048');
    expect(findGroupV1(1)).toBeUndefined();
  });

  it('finds no combined mode in phase 1, and no ChaCha20 in IKEv1 at all', () => {
    for (const row of ENCRYPTION.filter(isCombinedMode)) expect(row.phase1).toBeUndefined();
    expect(transform('encryption', 'chacha20poly1305').phase2).toBeUndefined();
  });

  it('by an unknown name or number finds nothing, and throws where the caller was sure', () => {
    expect(findTransform('group', 'modp768')).toBeUndefined();
    expect(findTransform('group', 'sha1')).toBeUndefined();
    expect(findTransform('encryption', '__proto__')).toBeUndefined();
    expect(() => transform('encryption', 'des')).toThrow(EncodeError);
    expect(findTransformV2('group', 0)).toBeUndefined();
    expect(findTransformV2('integrity', 0)).toBeUndefined();
  });

  it('tells the kinds by their Transform Types', () => {
    expect(Object.values(TRANSFORM_TYPES).map(transformKind)).toEqual(Object.keys(TRANSFORM_TYPES));
    expect(transformKind(0)).toBeUndefined();
    expect(transformKind(7)).toBeUndefined();
  });
});
