/**
 * Decryption of one ISAKMP SA (RFC 2409 appendix B): its cipher is what phase 1 agreed on, its first IV a hash of both
 * public values, and each later one the last ciphertext block of the message before. So phase 1 has to be followed from
 * its beginning.
 */
import { hex } from '../../../protocol/bytes.ts';
import { cbcDecrypt } from '../../../protocol/ike/crypto/cipher.ts';
import { phase1Iv, phase2Iv } from '../../../protocol/ike/crypto/keys-v1.ts';
import type { EncryptionTransform, PrfTransform } from '../../../protocol/ike/transforms.ts';
import { PayloadType } from '../../../protocol/ike/v1/numbers.ts';
import { BoundedMap } from '../bounded-map.ts';
import { GENERIC_HEADER } from './chain.ts';
import type { MessageHeader } from './header.ts';
import type { Phase1Algorithms } from './v1-sa.ts';

/** Exchanges of one SA that are followed; the oldest goes. A day of DPD has some thousands, each of one message. */
const MAX_EXCHANGES = 4096;

/** Blocks of one exchange of which one may be the next IV: a message may be missing, or come late. */
const MAX_BLOCKS = 16;

/** Payloads of a plausible message. */
const MAX_PAYLOADS = 256;

export type Decrypted =
  | { readonly kind: 'plain'; readonly plaintext: Uint8Array }
  /** There is a key, and why it is of no use. */
  | { readonly kind: 'closed'; readonly reason: string };

/** One exchange: all that may be the IV of its next message, the likeliest last. */
interface Exchange {
  readonly ivs: Uint8Array[];
  /** By the ends of their ciphertexts: a message that is sent again has the IV that it had. */
  readonly seen: BoundedMap<string, Uint8Array>;
}

export class V1Session {
  readonly #key: Uint8Array | undefined;
  #algorithms: Phase1Algorithms | undefined;
  /** Public values of both sides, in the order in which they came: the initiator's is first. */
  readonly #publics: Uint8Array[] = [];
  #phase1: Exchange | undefined;
  readonly #phase2 = new BoundedMap<number, Exchange>(MAX_EXCHANGES);

  /** @param key of the cipher; `undefined`: none is known. */
  constructor(key: Uint8Array | undefined) {
    this.#key = key;
  }

  get prf(): PrfTransform | undefined {
    return this.#algorithms?.prf;
  }

  /** The responder has chosen. */
  agree(algorithms: Phase1Algorithms): void {
    this.#algorithms ??= algorithms;
  }

  /** A KE payload of phase 1. */
  notePublic(value: Uint8Array): void {
    const known = this.#publics.some((other) => hex(other) === hex(value));
    if (!known && this.#publics.length < 2) this.#publics.push(value.slice());
  }

  /** `undefined` without a key. */
  decrypt(header: MessageHeader, ciphertext: Uint8Array): Decrypted | undefined {
    if (this.#key === undefined) return undefined;
    const ready = this.#ready(this.#key);
    if (typeof ready === 'string') return { kind: 'closed', reason: ready };
    const { cipher, prf, exchange } = ready;
    if (ciphertext.length === 0 || ciphertext.length % cipher.blockOctets !== 0) {
      const reason = `${ciphertext.length} octets do not fill blocks of ${cipher.blockOctets}`;
      return { kind: 'closed', reason };
    }
    const { messageId, nextPayload } = header;
    const used = messageId === 0 ? exchange : this.#exchange(messageId, cipher, prf, exchange);
    const end = `${hex(ciphertext.subarray(-cipher.blockOctets))} ${ciphertext.length}`;
    const known = used.seen.get(end);
    const candidates = known === undefined ? used.ivs.toReversed() : [known];
    for (const iv of candidates) {
      const plaintext = cbcDecrypt(cipher.name, this.#key, iv, ciphertext);
      if (!isPlausible(nextPayload, plaintext, prf)) continue;
      if (known === undefined) advance(used, iv, end, ciphertext.slice(-cipher.blockOctets));
      return { kind: 'plain', plaintext };
    }
    const reason = 'it makes no sense when decrypted: the key is another, or a message before it is not in the capture';
    return { kind: 'closed', reason };
  }

  #ready(
    key: Uint8Array,
  ): string | { readonly cipher: EncryptionTransform; readonly prf: PrfTransform; readonly exchange: Exchange } {
    const [publicI, publicR] = this.#publics;
    if (this.#algorithms === undefined || publicI === undefined || publicR === undefined) {
      return 'the beginning of phase 1 is not in the capture, and without it the key is of no use';
    }
    const { cipher, prf } = this.#algorithms;
    if (cipher === undefined || prf === undefined) return 'phase 1 agreed on algorithms that cannot be read here';
    if (key.length !== cipher.keyOctets) {
      return `the key has ${key.length} octets, and ${cipher.title} needs ${cipher.keyOctets}: it is another SA's`;
    }
    this.#phase1 ??= { ivs: [phase1Iv(cipher.name, prf.name, publicI, publicR)], seen: newSeen() };
    return { cipher, prf, exchange: this.#phase1 };
  }

  #exchange(messageId: number, cipher: EncryptionTransform, prf: PrfTransform, phase1: Exchange): Exchange {
    const known = this.#phase2.get(messageId);
    if (known !== undefined) return known;
    // The last block of phase 1 counts, and which message was the last one is not known for certain.
    const ivs = phase1.ivs.map((block) => phase2Iv(cipher.name, prf.name, block, messageId));
    const exchange: Exchange = { ivs, seen: newSeen() };
    this.#phase2.set(messageId, exchange);
    return exchange;
  }
}

function newSeen(): BoundedMap<string, Uint8Array> {
  return new BoundedMap(MAX_BLOCKS);
}

function advance({ ivs, seen }: Exchange, iv: Uint8Array, end: string, lastBlock: Uint8Array): void {
  seen.set(end, iv);
  ivs.push(lastBlock);
  // The first one stays: it is that of a message which is missing so far.
  if (ivs.length > MAX_BLOCKS) ivs.splice(1, 1);
}

/** Whether a plaintext is a chain of payloads, behind which nothing but padding is; a HASH has the hash's length. */
function isPlausible(first: number, plaintext: Uint8Array, prf: PrfTransform): boolean {
  let at = 0;
  let type = first;
  for (let count = 0; type !== PayloadType.none; count += 1) {
    const reserved = plaintext[at + 1];
    const length = ((plaintext[at + 2] ?? 0) << 8) | (plaintext[at + 3] ?? 0);
    if (count > MAX_PAYLOADS || reserved !== 0 || length < GENERIC_HEADER || at + length > plaintext.length)
      return false;
    if (type === PayloadType.hash && length !== GENERIC_HEADER + prf.octets) return false;
    type = plaintext[at] ?? 0;
    at += length;
  }
  return at > 0;
}
