import assert from 'node:assert/strict';
import { createCipheriv, createHmac } from 'node:crypto';
import { HalError } from '../../../hal/hal-error.ts';
import type {
  PacketAuthenticator,
  PacketCipher,
  PacketCipherFactory,
  PacketCipherSpec,
} from '../../../hal/packet-cipher.ts';
import { PACKET_ENCRYPTIONS, PACKET_INTEGRITIES } from '../../../hal/packet-cipher-suite.ts';
import { SeededRandom } from '../../support/seeded-random.ts';
import type { Contract } from './contract.ts';

const HEADER = 8;
/** No extended sequence number. */
const NONE = -1;

type Keys = Omit<PacketCipherSpec, 'direction'>;

/** Every pair of algorithms that makes a suite, with keys that the seed determines. */
export function packetSuites(random = new SeededRandom(3)): readonly Keys[] {
  return [...PACKET_ENCRYPTIONS].flatMap(([encryption, { keyOctets, saltOctets, icvOctets }]): readonly Keys[] => {
    const encryptionKey = (): Uint8Array => random.bytes(keyOctets + saltOctets);
    if (icvOctets > 0) return [{ encryption, encryptionKey: encryptionKey() }];
    return [...PACKET_INTEGRITIES].map(([integrity, row]) => ({
      encryption,
      encryptionKey: encryptionKey(),
      integrity,
      integrityKey: random.bytes(row.keyOctets),
    }));
  });
}

function nameOf(keys: Keys): string {
  return keys.integrity === undefined ? keys.encryption : `${keys.encryption} with ${keys.integrity}`;
}

function withPair(
  factory: PacketCipherFactory,
  keys: Keys,
  use: (seal: PacketCipher, open: PacketCipher) => void,
): void {
  const seal = factory.open({ ...keys, direction: 'seal' });
  const open = factory.open({ ...keys, direction: 'open' });
  try {
    use(seal, open);
  } finally {
    seal.close();
    open.close();
  }
}

function octets(hex: string): Uint8Array {
  return Buffer.from(hex.replaceAll(/\s/g, ''), 'hex');
}

/** What the RFCs say, written down once more and straight: the ciphertext and the ICV of a packet. */
function reference(keys: Keys, packet: Uint8Array, textLength: number, sequenceHigh: number): Uint8Array {
  const row = PACKET_ENCRYPTIONS.get(keys.encryption);
  assert.ok(row);
  const high = Buffer.alloc(sequenceHigh < 0 ? 0 : 4);
  if (sequenceHigh >= 0) high.writeUInt32BE(sequenceHigh);
  const key = keys.encryptionKey.subarray(0, row.keyOctets);
  const salt = keys.encryptionKey.subarray(row.keyOctets);
  const iv = packet.subarray(HEADER, HEADER + row.ivOctets);
  const text = packet.subarray(HEADER + row.ivOctets, HEADER + row.ivOctets + textLength);
  if (row.mode !== 'cbc' && row.mode !== 'ctr') {
    const mode = row.cipher as 'aes-128-gcm';
    const cipher = createCipheriv(mode as 'aes-128-ccm', key, Buffer.concat([salt, iv]), {
      authTagLength: row.icvOctets,
    });
    const header = Buffer.concat([packet.subarray(0, 4), high, packet.subarray(4, 8)]);
    cipher.setAAD(header, { plaintextLength: textLength });
    return Buffer.concat([packet.subarray(0, HEADER), iv, cipher.update(text), cipher.final(), cipher.getAuthTag()]);
  }
  const initial = row.mode === 'ctr' ? Buffer.concat([salt, iv, octets('00000001')]) : iv;
  const cipher = createCipheriv(row.cipher, key, initial).setAutoPadding(false);
  const sealed = Buffer.concat([packet.subarray(0, HEADER), iv, cipher.update(text), cipher.final()]);
  const integrity = PACKET_INTEGRITIES.get(keys.integrity ?? '');
  assert.ok(integrity);
  const hmac = createHmac(integrity.digest, keys.integrityKey ?? '')
    .update(sealed)
    .update(high)
    .digest();
  return Buffer.concat([sealed, hmac.subarray(0, integrity.icvOctets)]);
}

/** Whole packets of the RFCs: key with salt, header, IV and text before, ciphertext and ICV after. */
const VECTORS = [
  {
    name: 'RFC 7634 appendix A',
    encryption: 'chacha20poly1305',
    key: '808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f a0a1a2a3',
    sequenceHigh: NONE,
    header: '01020304 00000005 1011121314151617',
    text: `45000054a6f200004001e778c6336405c000020508005b7a3a080000553bec10
      0007362708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223
      2425262728292a2b2c2d2e2f303132333435363701020204`,
    sealed: `24039428b97f417e3c13753a4f05087b67c352e6a7fab1b982d466ef407ae5c6
      14ee8099d52844eb61aa95dfab4c02f72aa71e7c4c4f64c9befe2facc638e8f3
      cbec163fac469b502773f6fb94e664da9165b82829f641e0
      76aaa8266b7fb0f7b11b369907e1ad43`,
  },
  {
    name: 'the test case of AES-GCM for ESP with an extended sequence number (draft-mcgrew-gcm-test-01 case 1)',
    encryption: 'aes128gcm16',
    key: '4c80cdefbb5d10da906ac73c3613a634 2e443b68',
    sequenceHigh: 0x87654321,
    header: '00004321 00000000 4956ed7e3b244cfe',
    text: `45000048699a000080114db7c0a80102c0a801010a9bf15638d3010000010000
      00000000045f736970045f756470037369700963796265726369747902646b00
      0021000101020201`,
    sealed: `fecf537e729d5b07dc30df528dd22b768d1b98736696a6fd348509fa13ceac34
      cfa2436f14a3f3cf65925bf1f4a13c5d15b21e1884f5ff6247aeabb786b93bce
      61bc17d768fd9732 459018148f6cbe722fd04796562dfdb4`,
  },
] as const;

/** HMACs of "Hi There" under a key of 0b0b..., cut as packets have them. */
const AUTHENTICATORS = [
  ['RFC 2202 section 2 test case 1', 'md5', '9294727a3638bb1c13f48ef8'],
  ['RFC 2202 section 3 test case 1', 'sha1', 'b617318655057264e28bc0b6'],
  ['RFC 4868 section 2.7.2 AUTH256-1', 'sha256', '198a607eb44bfbc69903a0f1cf2bbdc5'],
  ['RFC 4868 section 2.7.2 AUTH384-1', 'sha384', 'b6a8d5636f5c6a7224f9977dcf7ee6c7fb6d0c48cbdee973'],
  ['RFC 4868 section 2.7.2 AUTH512-1', 'sha512', '637edc6e01dce7e6742a99451aae82df23da3e92439e590e43e761b33e910fb8'],
] as const;

function withAuthenticator(
  factory: PacketCipherFactory,
  integrity: string,
  use: (authenticator: PacketAuthenticator) => void,
): void {
  const integrityKey = new Uint8Array(PACKET_INTEGRITIES.get(integrity)?.keyOctets ?? 0).fill(0x0b);
  const authenticator = factory.openAuthenticator({ integrity, integrityKey });
  // It has a copy.
  integrityKey.fill(0);
  try {
    use(authenticator);
  } finally {
    authenticator.close();
  }
}

const authenticatorCases: Contract<PacketCipherFactory>['cases'] = [
  ...AUTHENTICATORS.map(([name, integrity, icv]) => ({
    name: `authenticates as in ${name}`,
    run: (factory: PacketCipherFactory) =>
      withAuthenticator(factory, integrity, (authenticator) => {
        const bytes = Buffer.concat([Buffer.from('Hi There'), Buffer.alloc(authenticator.icvOctets)]);
        authenticator.sign(bytes, 0, 8, 8, NONE);
        assert.equal(bytes.subarray(8).toString('hex'), icv);
        assert.ok(authenticator.verify(bytes, 0, 8, 8, NONE));
        assert.deepEqual(bytes.subarray(8), Buffer.alloc(authenticator.icvOctets));
      }),
  })),
  {
    name: 'authenticates with the place of the ICV as zeros, a high half behind all, and nothing around it',
    run: (factory) => {
      for (const [integrity, { digest, keyOctets, icvOctets }] of PACKET_INTEGRITIES) {
        withAuthenticator(factory, integrity, (authenticator) => {
          assert.equal(authenticator.icvOctets, icvOctets);
          const bytes = new SeededRandom(5).bytes(200);
          const covered = bytes.slice(7, 193);
          covered.fill(0, 12, 12 + icvOctets);
          const high = octets('87654321');
          for (const [sequenceHigh, tail] of [
            [NONE, new Uint8Array(0)],
            [0x87654321, high],
          ] as const) {
            const hmac = createHmac(digest, new Uint8Array(keyOctets).fill(0x0b)).update(covered).update(tail).digest();
            const signed = bytes.slice();
            authenticator.sign(signed, 7, 186, 19, sequenceHigh);
            const expected = bytes.slice();
            expected.set(hmac.subarray(0, icvOctets), 19);
            assert.deepEqual(signed, expected);
            for (const at of [7, 18, 19, 18 + icvOctets, 192]) {
              const flipped = signed.slice();
              flipped[at] = (flipped[at] ?? 0) ^ 0x80;
              assert.equal(authenticator.verify(flipped, 7, 186, 19, sequenceHigh), false);
            }
            assert.equal(authenticator.verify(signed.slice(), 7, 186, 19, sequenceHigh + 2), false);
            assert.ok(authenticator.verify(signed, 7, 186, 19, sequenceHigh));
          }
        });
      }
    },
  },
  {
    name: 'refuses to authenticate beyond a buffer, with an unknown algorithm, or a key of the wrong length',
    run: (factory) => {
      withAuthenticator(factory, 'sha256', (authenticator) => {
        for (const [at, length, icvAt] of [
          [0, 41, 0],
          [-1, 20, 0],
          [0, 40, 25],
          [0, 40, -1],
        ] as const) {
          assert.throws(() => authenticator.sign(new Uint8Array(40), at, length, icvAt, NONE), RangeError);
          assert.throws(() => authenticator.verify(new Uint8Array(40), at, length, icvAt, NONE), RangeError);
        }
      });
      for (const [integrity, size] of [
        ['sha3', 32],
        ['sha256', 31],
      ] as const) {
        const integrityKey = new Uint8Array(size);
        assert.throws(() => factory.openAuthenticator({ integrity, integrityKey }), HalError);
      }
    },
  },
  {
    name: 'authenticates nothing once it is closed',
    run: (factory) => {
      const authenticator = factory.openAuthenticator({ integrity: 'sha1', integrityKey: new Uint8Array(20) });
      authenticator.close();
      authenticator.close();
      assert.throws(() => authenticator.sign(new Uint8Array(40), 0, 40, 0, NONE), /closed/);
    },
  },
];

export const packetCipherContract: Contract<PacketCipherFactory> = {
  name: 'packet ciphers',
  cases: [
    ...authenticatorCases,
    ...VECTORS.map((vector) => ({
      name: `makes the packet of ${vector.name}, and opens it`,
      run: (factory: PacketCipherFactory) => {
        withPair(factory, { encryption: vector.encryption, encryptionKey: octets(vector.key) }, (seal, open) => {
          const sealed = octets(vector.header + vector.sealed);
          const packet = Buffer.concat([octets(vector.header + vector.text), Buffer.alloc(seal.icvOctets)]);
          seal.seal(packet, 0, packet.length, vector.sequenceHigh);
          assert.deepEqual(packet, sealed);
          assert.ok(open.open(packet, 0, packet.length, vector.sequenceHigh));
          assert.deepEqual(packet.subarray(0, -seal.icvOctets), octets(vector.header + vector.text));
        });
      },
    })),
    {
      name: 'makes the AES-CTR ciphertext of RFC 3686 test vector 3',
      run: (factory) => {
        const keys = {
          encryption: 'aes128ctr',
          encryptionKey: octets('7691be035e5020a8ac6e618529f9a0dc 00e0017b'),
          integrity: 'sha256',
          integrityKey: new Uint8Array(32),
        };
        withPair(factory, keys, (seal) => {
          const packet = new Uint8Array(HEADER + 8 + 36 + 16);
          packet.set(octets('27777f3f4a1786f0'), HEADER);
          for (let i = 0; i < 36; i++) packet[16 + i] = i;
          seal.seal(packet, 0, packet.length, NONE);
          assert.deepEqual(
            Buffer.from(packet.subarray(16, 52)),
            octets('c1cf48a89f2ffdd9cf4652e9efdb72d74540a42bde6d7836d59a5ceaaef3105325b2072f'),
          );
        });
      },
    },
    {
      name: 'makes of every suite, with and without a high half, exactly the packet that its RFC describes',
      run: (factory) => {
        const random = new SeededRandom(11);
        for (const keys of packetSuites(random)) {
          withPair(factory, keys, (seal, open) => {
            for (const sequenceHigh of [NONE, 0, 1, 0xffffffff]) {
              for (const textLength of [16, 64, 1424]) {
                const length = HEADER + seal.ivOctets + textLength + seal.icvOctets;
                // At an odd place in a larger buffer, whose other octets nobody may touch.
                const buffer = random.bytes(length + 12);
                const before = buffer.slice();
                const wanted = reference(keys, before.subarray(5, 5 + length), textLength, sequenceHigh);
                const what = `${nameOf(keys)}, ${textLength} octets, high half ${sequenceHigh}`;
                seal.seal(buffer, 5, length, sequenceHigh);
                assert.deepEqual(Buffer.from(buffer.subarray(5, 5 + length)), wanted, what);
                assert.ok(open.open(buffer, 5, length, sequenceHigh), what);
                const untouched = length - seal.icvOctets;
                assert.deepEqual(buffer.subarray(0, 5 + untouched), before.subarray(0, 5 + untouched), what);
                assert.deepEqual(buffer.subarray(5 + length), before.subarray(5 + length), what);
              }
            }
          });
        }
      },
    },
    {
      name: 'refuses a packet with one flipped bit, or with another high half, and opens the next good one',
      run: (factory) => {
        const random = new SeededRandom(12);
        for (const keys of packetSuites(random)) {
          withPair(factory, keys, (seal, open) => {
            const length = HEADER + seal.ivOctets + 32 + seal.icvOctets;
            const packet = random.bytes(length);
            seal.seal(packet, 0, length, 7);
            for (let bit = 0; bit < length * 8; bit += 5) {
              const bad = packet.slice();
              bad[bit >> 3] = (bad[bit >> 3] ?? 0) ^ (1 << (bit & 7));
              assert.ok(!open.open(bad, 0, length, 7), `${nameOf(keys)}, bit ${bit}`);
            }
            for (const other of [NONE, 6, 0x80000007]) assert.ok(!open.open(packet.slice(), 0, length, other));
            assert.ok(open.open(packet.slice(), 0, length, 7), nameOf(keys));
          });
        }
      },
    },
    {
      name: 'tells the sizes of a suite and what its IV must be',
      run: (factory) => {
        for (const keys of packetSuites()) {
          const row = PACKET_ENCRYPTIONS.get(keys.encryption);
          withPair(factory, keys, (seal) => {
            assert.equal(seal.ivOctets, row?.ivOctets);
            assert.equal(seal.blockOctets, row?.blockOctets);
            assert.equal(seal.icvOctets, row?.icvOctets || PACKET_INTEGRITIES.get(keys.integrity ?? '')?.icvOctets);
            assert.equal(seal.iv, row?.mode === 'cbc' ? 'random' : 'counter');
          });
        }
      },
    },
    {
      name: 'keeps a copy of the keys, so that the caller can wipe its own',
      run: (factory) => {
        const [keys] = packetSuites();
        assert.ok(keys?.integrityKey);
        const copy = { ...keys, encryptionKey: keys.encryptionKey.slice(), integrityKey: keys.integrityKey.slice() };
        const packet = new Uint8Array(HEADER + 16 + 32 + 12);
        const cipher = factory.open({ ...copy, direction: 'seal' });
        copy.encryptionKey.fill(0);
        copy.integrityKey.fill(0);
        const wanted = reference(keys, packet.slice(), 32, NONE);
        cipher.seal(packet, 0, packet.length, NONE);
        cipher.close();
        assert.deepEqual(Buffer.from(packet), wanted);
      },
    },
    {
      name: 'refuses a packet that does not fit its buffer, has no text, or no whole blocks',
      run: (factory) => {
        const keys = { encryption: 'aes128', encryptionKey: new Uint8Array(16) };
        withPair(factory, { ...keys, integrity: 'sha1', integrityKey: new Uint8Array(20) }, (seal, open) => {
          const buffer = new Uint8Array(100);
          const least = HEADER + 16 + 16 + 12;
          for (const [at, length] of [
            [-1, least],
            [0.5, least],
            [0, least - 16],
            [0, least + 1],
            [0, least + 64],
            [100 - least + 1, least],
            [0, Number.NaN],
            [0, 0],
          ] as const) {
            assert.throws(() => seal.seal(buffer, at, length, NONE), RangeError, `${length} at ${at}`);
            assert.throws(() => open.open(buffer, at, length, NONE), RangeError, `${length} at ${at}`);
          }
        });
      },
    },
    {
      name: 'refuses unknown algorithms, keys of the wrong length, and integrity where it is missing or too much',
      run: (factory) => {
        const key = (length: number): Uint8Array => new Uint8Array(length).fill(0x5a);
        for (const wrong of [
          { encryption: 'aes127', encryptionKey: key(16) },
          { encryption: 'aes128gcm16', encryptionKey: key(16) },
          { encryption: 'aes128', encryptionKey: key(16) },
          { encryption: 'aes128', encryptionKey: key(16), integrity: 'crc32', integrityKey: key(4) },
          { encryption: 'aes128', encryptionKey: key(16), integrity: 'sha1', integrityKey: key(16) },
          { encryption: 'aes128', encryptionKey: key(16), integrity: 'sha1' },
          { encryption: 'aes128gcm16', encryptionKey: key(20), integrity: 'sha1', integrityKey: key(20) },
        ]) {
          assert.throws(
            () => factory.open({ ...wrong, direction: 'seal' }),
            (error) => error instanceof HalError && !error.message.includes('Z') && !error.message.includes('5a'),
          );
        }
      },
    },
    {
      name: 'works in the direction only that it was opened for, and not after it was closed',
      run: (factory) => {
        for (const keys of packetSuites()) {
          withPair(factory, keys, (seal, open) => {
            const length = HEADER + seal.ivOctets + 16 + seal.icvOctets;
            const packet = new Uint8Array(length);
            assert.throws(() => open.seal(packet, 0, length, NONE), /opened to open/);
            assert.throws(() => seal.open(packet, 0, length, NONE), /opened to seal/);
            seal.close();
            seal.close();
            assert.throws(() => seal.seal(packet, 0, length, NONE), /closed/);
          });
        }
      },
    },
  ],
};
