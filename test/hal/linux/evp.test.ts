import { describe, expect, it } from 'vitest';
import { type Evp, type EvpCipher, openEvp, type SymbolSource } from '../../../hal/linux/ffi/evp.ts';

function evp(): Evp {
  const opened = openEvp();
  if (opened === undefined) throw new Error('this Node does not export EVP');
  return opened;
}

function cbc(): EvpCipher {
  return evp().cipher({ name: 'aes-128-cbc', key: new Uint8Array(16), ivOctets: 16, encrypt: true });
}

function digestOf(name: string, key: Uint8Array, text: string): string {
  const hmac = evp().hmac(name, key);
  hmac.start();
  hmac.update(Buffer.from('twice'), 0, 5);
  hmac.finish();
  // A second packet: the key is there still, and nothing of the first.
  hmac.start();
  hmac.update(Buffer.from(text), 0, text.length);
  hmac.finish();
  const digest = Buffer.from(hmac.digest).toString('hex');
  hmac.free();
  return digest;
}

describe('EVP through foreign function calls', () => {
  it.each([
    // RFC 2202 sections 2 and 3, case 1
    ['md5', 16, '9294727a3638bb1c13f48ef8158bfc9d'],
    ['sha1', 20, 'b617318655057264e28bc0b6fb378c8ef146be00'],
    // RFC 4231 section 4.2
    ['sha256', 20, 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'],
    ['sha384', 20, 'afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6'],
    [
      'sha512',
      20,
      '87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854',
    ],
  ])('computes HMAC of %s as the RFC has it, again and again', (name, keyOctets, digest) => {
    expect(digestOf(name, new Uint8Array(keyOctets).fill(0x0b), 'Hi There').slice(0, digest.length)).toBe(digest);
  });

  it('never lets a length reach OpenSSL that does not fit its buffer', () => {
    const cipher = cbc();
    cipher.start();
    const bytes = new Uint8Array(32);
    for (const [at, length] of [
      [0, 48],
      [17, 16],
      [-16, 16],
      [0, -16],
      [0.5, 16],
      [Number.NaN, 16],
    ] as const) {
      expect(() => cipher.update(bytes, at, length), `${length} at ${at}`).toThrow(RangeError);
      expect(() => cipher.associate(bytes, at, length)).toThrow(RangeError);
      expect(() => cipher.readTag(bytes, at, length)).toThrow(RangeError);
      expect(() => cipher.expectTag(bytes, at, length)).toThrow(RangeError);
    }
    expect(cipher.update(bytes, 16, 16)).toBe(true);
    cipher.free();
  });

  it('does not touch a buffer that it knew and that was transferred away since', () => {
    const cipher = cbc();
    const bytes = new Uint8Array(32);
    cipher.start();
    expect(cipher.update(bytes, 0, 32)).toBe(true);
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
    expect(() => cipher.update(bytes, 0, 16)).toThrow(RangeError);
    cipher.free();
  });

  it('finds its buffers again when it goes to and fro between them', () => {
    const cipher = cbc();
    const buffers = [new Uint8Array(16), new Uint8Array(64).subarray(7, 39), Buffer.alloc(16)];
    const results = [0, 1, 2, 1, 0].map((index) => {
      const bytes = buffers[index] ?? new Uint8Array();
      bytes.fill(0);
      cipher.start();
      cipher.update(bytes, 0, 16);
      return Buffer.from(bytes.subarray(0, 16)).toString('hex');
    });
    expect(new Set(results)).toEqual(new Set(['66e94bd4ef8a2c3b884cfa59ca342b2e']));
    cipher.free();
  });

  it('refuses everything after free, which may be repeated', () => {
    const cipher = cbc();
    const hmac = evp().hmac('sha1', new Uint8Array(20));
    for (const each of [cipher, hmac]) {
      each.free();
      each.free();
      expect(() => each.start()).toThrow('closed');
    }
    expect(() => cipher.update(new Uint8Array(16), 0, 16)).toThrow('closed');
    expect(() => cipher.finish()).toThrow('closed');
    expect(() => hmac.update(new Uint8Array(16), 0, 16)).toThrow('closed');
    expect(() => hmac.finish()).toThrow('closed');
  });

  it('says which algorithm OpenSSL does not have', () => {
    const options = { name: 'aes-127-cbc', key: new Uint8Array(16), ivOctets: 16, encrypt: true };
    expect(() => evp().cipher(options)).toThrow('has no aes-127-cbc');
    expect(() => evp().hmac('sha0', new Uint8Array(16))).toThrow('OpenSSL');
  });

  it('is not there when a symbol is missing', () => {
    const library: SymbolSource = {
      func: () => {
        throw new Error('Cannot find function');
      },
    };
    expect(openEvp(library)).toBeUndefined();
  });
});
