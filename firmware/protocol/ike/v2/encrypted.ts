/**
 * Encrypted and Authenticated payload (RFC 7296 section 3.14, RFC 5282), whole or as a fragment (RFC 7383 section 2.5).
 */
import { ByteReader, ByteWriter, concatBytes, DecodeError } from '../../bytes.ts';
import type { RandomSource } from '../../machine.ts';
import { cbcDecrypt, cbcEncrypt, ctrCrypt, openAead, sealAead } from '../crypto/cipher.ts';
import { icv, verifyIcv } from '../crypto/integrity.ts';
import type { IkeSaKeys } from '../crypto/keys-v2.ts';
import { HEADER_OCTETS } from '../message-header.ts';
import type { IkeProposal } from '../proposals.ts';
import { type EncryptionTransform, isCombinedMode, transform } from '../transforms.ts';
import { decodeHeader, encodeHeader, type IkeHeader } from './header.ts';
import { ENCRYPTED } from './payload.ts';

/** Generic payload header; with the two numbers of a fragment. */
const PAYLOAD_HEADER = 4;
const FRAGMENT_HEADER = 8;

/** Place of a fragment in its message. */
export interface FragmentNumber {
  /** Fragment Number, from 1. */
  readonly number: number;
  /** Total Fragments. */
  readonly total: number;
}

/** What an encrypted message, or a fragment of one, holds. */
export interface Opened {
  /** Type of the first payload inside; 0 in fragments but the first. */
  readonly firstType: number;
  readonly content: Uint8Array;
  /** Second octet of the payload's header: critical bit and what is reserved. */
  readonly reserved: number;
  readonly fragment?: FragmentNumber;
}

interface DirectionKeys {
  readonly encryption: Uint8Array;
  readonly integrity: Uint8Array;
}

/** Keys of one IKE SA at work. */
export class MessageProtection {
  readonly #cipher: EncryptionTransform;
  readonly #integrity: string | undefined;
  readonly #random: RandomSource;
  readonly #out: DirectionKeys;
  readonly #in: DirectionKeys;
  /** IVs of counter modes: never twice under one key, and this is the only place where `#out` encrypts. */
  #nextIv = 0n;

  /**
   * @param originalInitiator whether this side sent the first message of the IKE SA, or of the exchange that rekeyed
   * it.
   */
  constructor(proposal: IkeProposal, keys: IkeSaKeys, originalInitiator: boolean, random: RandomSource) {
    this.#cipher = transform('encryption', proposal.encryption);
    this.#integrity = isCombinedMode(this.#cipher) ? undefined : proposal.integrity;
    this.#random = random;
    const initiator = { encryption: keys.skEi, integrity: keys.skAi };
    const responder = { encryption: keys.skEr, integrity: keys.skAr };
    this.#out = originalInitiator ? initiator : responder;
    this.#in = originalInitiator ? responder : initiator;
  }

  /** Most octets of content that a message of `octets` octets has room for; at least 1. */
  room(octets: number): number {
    const { ivOctets, blockOctets } = this.#cipher;
    const ciphertext = octets - HEADER_OCTETS - FRAGMENT_HEADER - ivOctets - this.#icvOctets;
    return Math.max(1, ciphertext - (ciphertext % blockOctets) - 1);
  }

  /** A whole message. @param firstType type of the first payload in `content`. */
  seal(header: IkeHeader, firstType: number, content: Uint8Array, fragment?: FragmentNumber): Uint8Array {
    const { ivOctets, blockOctets } = this.#cipher;
    const padding = blockOctets - 1 - (content.length % blockOctets);
    const plaintext = new Uint8Array(content.length + padding + 1);
    plaintext.set(content);
    plaintext[plaintext.length - 1] = padding;
    const headOctets = fragment === undefined ? PAYLOAD_HEADER : FRAGMENT_HEADER;
    const payloadOctets = headOctets + ivOctets + plaintext.length + this.#icvOctets;
    const head = new ByteWriter(headOctets).u8(firstType).u8(0).u16(payloadOctets);
    if (fragment !== undefined) head.u16(fragment.number).u16(fragment.total);
    const type = fragment === undefined ? ENCRYPTED.SK : ENCRYPTED.SKF;
    const start = concatBytes(encodeHeader(header, type, HEADER_OCTETS + payloadOctets), head.finish());
    const iv = this.#iv();
    if (this.#integrity === undefined && isCombinedMode(this.#cipher)) {
      return concatBytes(start, iv, sealAead(this.#cipher.name, this.#out.encryption, iv, start, plaintext));
    }
    const encrypt = this.#cipher.mode === 'ctr' ? ctrCrypt : cbcEncrypt;
    const covered = concatBytes(start, iv, encrypt(this.#cipher.name, this.#out.encryption, iv, plaintext));
    return concatBytes(covered, icv(this.#integrity ?? '', this.#out.integrity, covered));
  }

  /**
   * Verifies and decrypts a message of one SK or SKF payload; `undefined` when it does not verify.
   * @throws DecodeError when there is no such payload, or it is too short.
   */
  open(message: Uint8Array): Opened | undefined {
    const { nextPayload } = decodeHeader(message);
    if (nextPayload !== ENCRYPTED.SK && nextPayload !== ENCRYPTED.SKF) throw new DecodeError('no Encrypted payload');
    const { ivOctets } = this.#cipher;
    const reader = new ByteReader(message);
    reader.skip(HEADER_OCTETS, 'header');
    const firstType = reader.u8('Next Payload');
    const reserved = reader.u8('flags');
    const length = reader.u16('Payload Length');
    if (length !== message.length - HEADER_OCTETS) throw new DecodeError('Encrypted payload is not the last one');
    const fragment = nextPayload === ENCRYPTED.SKF ? fragmentNumber(reader) : undefined;
    // The two numbers count as part of the payload's header, which is associated data.
    const associated = message.subarray(0, reader.offset);
    const iv = reader.bytes(ivOctets, 'Initialization Vector');
    const plaintext = this.#open(message, associated, iv, reader);
    if (plaintext === undefined) return undefined;
    const padding = plaintext.at(-1);
    if (padding === undefined || padding + 1 > plaintext.length) throw new DecodeError('padding longer than content');
    const content = plaintext.subarray(0, plaintext.length - 1 - padding);
    return fragment === undefined ? { firstType, content, reserved } : { firstType, content, reserved, fragment };
  }

  #open(message: Uint8Array, associated: Uint8Array, iv: Uint8Array, reader: ByteReader): Uint8Array | undefined {
    const { name, mode } = this.#cipher;
    if (isCombinedMode(this.#cipher)) return openAead(name, this.#in.encryption, iv, associated, reader.rest());
    const ciphertext = reader.bytes(reader.remaining - this.#icvOctets, 'encrypted content');
    const covered = message.subarray(0, message.length - this.#icvOctets);
    if (!verifyIcv(this.#integrity ?? '', this.#in.integrity, reader.rest(), covered)) return undefined;
    return (mode === 'ctr' ? ctrCrypt : cbcDecrypt)(name, this.#in.encryption, iv, ciphertext);
  }

  get #icvOctets(): number {
    if (isCombinedMode(this.#cipher)) return this.#cipher.icvOctets;
    return transform('integrity', this.#integrity ?? '').icvOctets;
  }

  /** CBC wants what nobody can foretell, counter modes want what never comes again (RFC 5282 section 3.1). */
  #iv(): Uint8Array {
    if (this.#cipher.mode === 'cbc') return this.#random.bytes(this.#cipher.ivOctets);
    const iv = new ByteWriter(8).u64(this.#nextIv).finish();
    this.#nextIv += 1n;
    return iv;
  }
}

function fragmentNumber(reader: ByteReader): FragmentNumber {
  const number = reader.u16('Fragment Number');
  const total = reader.u16('Total Fragments');
  if (number === 0 || number > total) throw new DecodeError(`fragment ${number} of ${total}`);
  return { number, total };
}

/** Number of a fragment before anything is decrypted; `undefined` when the message is whole. @throws DecodeError */
export function peekFragment(message: Uint8Array): FragmentNumber | undefined {
  const { nextPayload } = decodeHeader(message);
  if (nextPayload !== ENCRYPTED.SKF) return undefined;
  const reader = new ByteReader(message);
  reader.skip(HEADER_OCTETS + PAYLOAD_HEADER, 'headers');
  return fragmentNumber(reader);
}
