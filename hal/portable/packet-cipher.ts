/** Packet ciphers by node:crypto: some ten times slower than EVP and allocating, but there on every machine. */
import {
  type CipherCCMTypes,
  type CipherGCMTypes,
  createCipheriv,
  createDecipheriv,
  createHmac,
  timingSafeEqual,
} from 'node:crypto';
import type {
  PacketAuthenticator,
  PacketAuthenticatorSpec,
  PacketCipher,
  PacketCipherFactory,
  PacketCipherSpec,
} from '../packet-cipher.ts';
import {
  clearIcv,
  PACKET_HEADER,
  type PacketIntegrity,
  type PacketSuite,
  packetIntegrity,
  packetSuite,
  textOffset,
} from '../packet-cipher-suite.ts';

export class PortablePacketCipherFactory implements PacketCipherFactory {
  readonly engine = 'node:crypto';

  open(spec: PacketCipherSpec): PacketCipher {
    const suite = packetSuite(spec);
    return suite.kind === 'combined'
      ? new CombinedCipher(suite, spec.direction)
      : new SeparateCipher(suite, spec.direction);
  }

  openAuthenticator(spec: PacketAuthenticatorSpec): PacketAuthenticator {
    return new HmacAuthenticator(packetIntegrity(spec), spec.integrityKey);
  }
}

/** What both kinds share: sizes, keys, and who may call what when. */
abstract class Base {
  readonly ivOctets: number;
  readonly icvOctets: number;
  readonly blockOctets: number;
  readonly iv: 'counter' | 'random';
  protected readonly cipher: string;
  protected readonly key: Uint8Array;
  protected readonly salt: Uint8Array;
  readonly #direction: 'seal' | 'open';
  #closed = false;

  constructor({ encryption, key, salt }: PacketSuite, direction: 'seal' | 'open', icvOctets: number) {
    this.ivOctets = encryption.ivOctets;
    this.icvOctets = icvOctets;
    this.blockOctets = encryption.blockOctets;
    this.iv = encryption.mode === 'cbc' ? 'random' : 'counter';
    this.cipher = encryption.cipher;
    this.key = key.slice();
    this.salt = salt.slice();
    this.#direction = direction;
  }

  close(): void {
    this.#closed = true;
    this.key.fill(0);
    this.salt.fill(0);
  }

  /** Offset of the text. */
  protected start(direction: 'seal' | 'open', bytes: Uint8Array, at: number, length: number): number {
    if (this.#closed) throw new Error('the packet cipher was closed');
    if (direction !== this.#direction) throw new Error(`the packet cipher was opened to ${this.#direction}`);
    return textOffset(bytes, at, length, this.ivOctets, this.icvOctets, this.blockOctets);
  }
}

class CombinedCipher extends Base implements PacketCipher {
  // node:crypto's types know each mode by its names; at run time the calls are the same for all of them.
  readonly #name: CipherGCMTypes | CipherCCMTypes;

  constructor(suite: Extract<PacketSuite, { kind: 'combined' }>, direction: 'seal' | 'open') {
    super(suite, direction, suite.encryption.icvOctets);
    this.#name = this.cipher as CipherGCMTypes;
  }

  seal(bytes: Uint8Array, at: number, length: number, sequenceHigh: number): void {
    const start = this.start('seal', bytes, at, length);
    const end = at + length - this.icvOctets;
    const options = { authTagLength: this.icvOctets };
    const cipher = createCipheriv(this.#name as CipherCCMTypes, this.key, this.#nonce(bytes, at), options);
    cipher.setAAD(associatedData(bytes, at, sequenceHigh), { plaintextLength: end - start });
    bytes.set(cipher.update(bytes.subarray(start, end)), start);
    cipher.final();
    bytes.set(cipher.getAuthTag(), end);
  }

  open(bytes: Uint8Array, at: number, length: number, sequenceHigh: number): boolean {
    const start = this.start('open', bytes, at, length);
    const end = at + length - this.icvOctets;
    const options = { authTagLength: this.icvOctets };
    const decipher = createDecipheriv(this.#name as CipherCCMTypes, this.key, this.#nonce(bytes, at), options);
    decipher.setAuthTag(bytes.subarray(end, at + length));
    decipher.setAAD(associatedData(bytes, at, sequenceHigh), { plaintextLength: end - start });
    try {
      const text = decipher.update(bytes.subarray(start, end));
      decipher.final();
      bytes.set(text, start);
      return true;
    } catch {
      return false;
    }
  }

  #nonce(bytes: Uint8Array, at: number): Uint8Array {
    return Buffer.concat([this.salt, bytes.subarray(at + PACKET_HEADER, at + PACKET_HEADER + this.ivOctets)]);
  }
}

/** SPI and Sequence Number, with the high half between them where there is one (RFC 4106 section 5). */
function associatedData(bytes: Uint8Array, at: number, sequenceHigh: number): Uint8Array {
  if (sequenceHigh < 0) return bytes.slice(at, at + PACKET_HEADER);
  return Buffer.concat([bytes.subarray(at, at + 4), octets(sequenceHigh), bytes.subarray(at + 4, at + PACKET_HEADER)]);
}

function octets(sequenceHigh: number): Uint8Array {
  const high = Buffer.alloc(4);
  high.writeUInt32BE(sequenceHigh);
  return high;
}

class SeparateCipher extends Base implements PacketCipher {
  readonly #counterMode: boolean;
  readonly #integrity: PacketIntegrity;
  readonly #integrityKey: Uint8Array;

  constructor(suite: Extract<PacketSuite, { kind: 'separate' }>, direction: 'seal' | 'open') {
    super(suite, direction, suite.integrity.icvOctets);
    this.#counterMode = suite.encryption.mode === 'ctr';
    this.#integrity = suite.integrity;
    this.#integrityKey = suite.integrityKey.slice();
  }

  seal(bytes: Uint8Array, at: number, length: number, sequenceHigh: number): void {
    const start = this.start('seal', bytes, at, length);
    const end = at + length - this.icvOctets;
    const cipher = createCipheriv(this.cipher, this.key, this.#initial(bytes, at)).setAutoPadding(false);
    bytes.set(cipher.update(bytes.subarray(start, end)), start);
    bytes.set(this.#icv(bytes, at, end, sequenceHigh), end);
  }

  open(bytes: Uint8Array, at: number, length: number, sequenceHigh: number): boolean {
    const start = this.start('open', bytes, at, length);
    const end = at + length - this.icvOctets;
    if (!timingSafeEqual(this.#icv(bytes, at, end, sequenceHigh), bytes.subarray(end, at + length))) return false;
    const decipher = createDecipheriv(this.cipher, this.key, this.#initial(bytes, at)).setAutoPadding(false);
    bytes.set(decipher.update(bytes.subarray(start, end)), start);
    return true;
  }

  override close(): void {
    super.close();
    this.#integrityKey.fill(0);
  }

  /** The IV, or the first counter block: nonce, IV, one (RFC 3686 section 4). */
  #initial(bytes: Uint8Array, at: number): Uint8Array {
    const iv = bytes.slice(at + PACKET_HEADER, at + PACKET_HEADER + this.ivOctets);
    return this.#counterMode ? Buffer.concat([this.salt, iv, octets(1)]) : iv;
  }

  /** Over the packet up to its ICV; the high half of the sequence number comes last (RFC 4303 section 3.3.2.1). */
  #icv(bytes: Uint8Array, at: number, end: number, sequenceHigh: number): Uint8Array {
    const hmac = createHmac(this.#integrity.digest, this.#integrityKey).update(bytes.subarray(at, end));
    if (sequenceHigh >= 0) hmac.update(octets(sequenceHigh));
    return hmac.digest().subarray(0, this.icvOctets);
  }
}

class HmacAuthenticator implements PacketAuthenticator {
  readonly icvOctets: number;
  readonly #digest: PacketIntegrity['digest'];
  readonly #key: Uint8Array;
  #closed = false;

  constructor({ digest, icvOctets }: PacketIntegrity, key: Uint8Array) {
    this.icvOctets = icvOctets;
    this.#digest = digest;
    this.#key = key.slice();
  }

  sign(bytes: Uint8Array, at: number, length: number, icvAt: number, sequenceHigh: number): void {
    clearIcv(bytes, at, length, icvAt, this.icvOctets);
    bytes.set(this.#icv(bytes, at, length, sequenceHigh), icvAt);
  }

  verify(bytes: Uint8Array, at: number, length: number, icvAt: number, sequenceHigh: number): boolean {
    // A copy: slice() of a Buffer is none.
    const received = new Uint8Array(bytes.subarray(icvAt, icvAt + this.icvOctets));
    clearIcv(bytes, at, length, icvAt, this.icvOctets);
    return timingSafeEqual(this.#icv(bytes, at, length, sequenceHigh), received);
  }

  close(): void {
    this.#closed = true;
    this.#key.fill(0);
  }

  #icv(bytes: Uint8Array, at: number, length: number, sequenceHigh: number): Uint8Array {
    if (this.#closed) throw new Error('the packet authenticator was closed');
    const hmac = createHmac(this.#digest, this.#key).update(bytes.subarray(at, at + length));
    if (sequenceHigh >= 0) hmac.update(octets(sequenceHigh));
    return hmac.digest().subarray(0, this.icvOctets);
  }
}
