/** Encryption of messages (RFC 2409 section 5 and appendix B) and the HASH payload that begins them in phase 2. */
import { ByteWriter, concatBytes, DecodeError } from '../../bytes.ts';
import { cbcDecrypt, cbcEncrypt } from '../crypto/cipher.ts';
import { equalSecrets } from '../crypto/secrets.ts';
import { transform } from '../transforms.ts';
import { PayloadType } from './numbers.ts';
import { decodePayloads, encodePayloads, firstType, GENERIC_HEADER_OCTETS, type Payload } from './payload.ts';

/** What was decrypted. Nothing of it is to be believed before it is verified. */
export interface Opened {
  readonly plaintext: Uint8Array;
  /** It was genuine: the next message's IV is its last block. */
  accept(): void;
}

/** The IV of one exchange: each message's is the last ciphertext block of the one before, whoever sent it. */
export class CbcChain {
  readonly #encryption: string;
  readonly #key: Uint8Array;
  readonly #blockOctets: number;
  #iv: Uint8Array;

  constructor(encryption: string, key: Uint8Array, iv: Uint8Array) {
    this.#encryption = encryption;
    this.#key = key;
    this.#blockOctets = transform('encryption', encryption).blockOctets;
    this.#iv = iv;
  }

  /** The last block, of which the IVs of phase 2 are made. */
  get lastBlock(): Uint8Array {
    return this.#iv;
  }

  /** Ciphertext of the payloads, zero-padded to whole blocks. */
  seal(plaintext: Uint8Array): Uint8Array {
    const padded = new Uint8Array(Math.ceil(plaintext.length / this.#blockOctets) * this.#blockOctets);
    padded.set(plaintext);
    const ciphertext = cbcEncrypt(this.#encryption, this.#key, this.#iv, padded);
    this.#iv = this.#lastBlockOf(ciphertext);
    return ciphertext;
  }

  /** @throws DecodeError when the ciphertext does not fill blocks. */
  open(ciphertext: Uint8Array): Opened {
    const plaintext = cbcDecrypt(this.#encryption, this.#key, this.#iv, ciphertext);
    return {
      plaintext,
      accept: () => {
        this.#iv = this.#lastBlockOf(ciphertext);
      },
    };
  }

  #lastBlockOf(ciphertext: Uint8Array): Uint8Array {
    return ciphertext.slice(ciphertext.length - this.#blockOctets);
  }
}

/**
 * Payloads behind a HASH payload, and the hash of them. @param hash makes HASH(1), (2) or (3) of the encoded payloads.
 */
export function encodeHashed(payloads: readonly Payload[], hash: (covered: Uint8Array) => Uint8Array): Uint8Array {
  const covered = encodePayloads(payloads);
  const value = hash(covered);
  const header = new ByteWriter(GENERIC_HEADER_OCTETS)
    .u8(firstType(payloads))
    .u8(0)
    .u16(GENERIC_HEADER_OCTETS + value.length)
    .finish();
  return concatBytes(header, value, covered);
}

/**
 * The payloads behind the HASH payload, verified.
 * @param first the header's Next Payload.
 * @param hash as for {@link encodeHashed}; padding is not covered.
 * @returns `undefined` when the hash is wrong.
 * @throws DecodeError when the plaintext is no chain of payloads that begins with a HASH: mostly a wrong key.
 */
export function decodeHashed(
  first: number,
  plaintext: Uint8Array,
  hash: (covered: Uint8Array, payloads: readonly Payload[]) => Uint8Array,
): readonly Payload[] | undefined {
  if (first !== PayloadType.hash) throw new DecodeError('the first payload is no HASH');
  const [hashPayload, ...payloads] = decodePayloads(first, plaintext);
  if (hashPayload === undefined) throw new DecodeError('no payload');
  const end = payloads.at(-1)?.end ?? hashPayload.end;
  const covered = plaintext.subarray(hashPayload.end, end);
  return equalSecrets(hash(covered, payloads), hashPayload.body) ? payloads : undefined;
}
