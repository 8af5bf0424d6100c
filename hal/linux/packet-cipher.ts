/** Packet ciphers by OpenSSL's EVP, one context per SA that is re-keyed by IV only. */
import { timingSafeEqual } from 'node:crypto';
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
  type PacketSuite,
  packetIntegrity,
  packetSuite,
  textOffset,
} from '../packet-cipher-suite.ts';
import { PortablePacketCipherFactory } from '../portable/packet-cipher.ts';
import { type Evp, type EvpCipher, type EvpHmac, openEvp } from './ffi/evp.ts';

/** SPI, high half, low half: what a combined mode authenticates with extended sequence numbers (RFC 4106 section 5). */
const EXTENDED_HEADER = 12;

/** Of AES-CTR (RFC 3686 section 4), octets. */
const COUNTER_BLOCK = 16;

/** EVP where Node exports it; node:crypto elsewhere. */
export class LinuxPacketCipherFactory implements PacketCipherFactory {
  readonly engine: string;
  readonly #evp: Evp | undefined;
  readonly #fallback: PacketCipherFactory = new PortablePacketCipherFactory();

  /** @param load gives EVP, or `undefined` where its symbols are missing. */
  constructor(load: () => Evp | undefined = openEvp) {
    this.#evp = load();
    this.engine = this.#evp === undefined ? this.#fallback.engine : 'evp';
  }

  open(spec: PacketCipherSpec): PacketCipher {
    if (this.#evp === undefined) return this.#fallback.open(spec);
    const suite = packetSuite(spec);
    return suite.kind === 'combined'
      ? new CombinedCipher(this.#evp, suite, spec.direction)
      : new SeparateCipher(this.#evp, suite, spec.direction);
  }

  openAuthenticator(spec: PacketAuthenticatorSpec): PacketAuthenticator {
    return this.#evp === undefined ? this.#fallback.openAuthenticator(spec) : new Authenticator(this.#evp, spec);
  }
}

/** What both kinds share: sizes, the nonce, and who may call what. */
abstract class Base {
  readonly ivOctets: number;
  readonly icvOctets: number;
  readonly blockOctets: number;
  readonly iv: 'counter' | 'random';
  protected readonly cipher: EvpCipher;
  readonly #saltOctets: number;
  readonly #direction: 'seal' | 'open';

  constructor(suite: PacketSuite, direction: 'seal' | 'open', icvOctets: number, cipher: EvpCipher) {
    const { encryption, salt } = suite;
    this.ivOctets = encryption.ivOctets;
    this.icvOctets = icvOctets;
    this.blockOctets = encryption.blockOctets;
    this.iv = encryption.mode === 'cbc' ? 'random' : 'counter';
    this.cipher = cipher;
    this.cipher.iv.set(salt);
    this.#saltOctets = salt.length;
    this.#direction = direction;
  }

  close(): void {
    this.cipher.free();
  }

  /** Offset of the text. */
  protected textAt(direction: 'seal' | 'open', bytes: Uint8Array, at: number, length: number): number {
    if (direction !== this.#direction) throw new Error(`the packet cipher was opened to ${this.#direction}`);
    return textOffset(bytes, at, length, this.ivOctets, this.icvOctets, this.blockOctets);
  }

  /** Starts a packet: the nonce is the salt and the IV of the packet. */
  protected startPacket(bytes: Uint8Array, at: number): void {
    const from = at + PACKET_HEADER;
    const { iv } = this.cipher;
    for (let i = 0; i < this.ivOctets; i++) iv[this.#saltOctets + i] = bytes[from + i] ?? 0;
    this.cipher.start();
  }
}

class CombinedCipher extends Base implements PacketCipher {
  readonly #ccm: boolean;
  readonly #extendedHeader = new Uint8Array(new ArrayBuffer(EXTENDED_HEADER));

  constructor(evp: Evp, suite: Extract<PacketSuite, { kind: 'combined' }>, direction: 'seal' | 'open') {
    const { encryption, key, salt } = suite;
    const ccm = encryption.mode === 'ccm';
    const cipher = evp.cipher({
      name: encryption.cipher,
      key,
      ivOctets: salt.length + encryption.ivOctets,
      encrypt: direction === 'seal',
      ...(ccm ? { ccmTagOctets: encryption.icvOctets } : {}),
    });
    super(suite, direction, encryption.icvOctets, cipher);
    this.#ccm = ccm;
  }

  seal(bytes: Uint8Array, at: number, length: number, sequenceHigh: number): void {
    const textAt = this.textAt('seal', bytes, at, length);
    const icvAt = at + length - this.icvOctets;
    this.startPacket(bytes, at);
    if (this.#ccm) this.cipher.declareLength(icvAt - textAt);
    this.#associate(bytes, at, sequenceHigh);
    // Nothing but a broken library can fail here, and then the packet must not leave.
    const done = this.cipher.update(bytes, textAt, icvAt - textAt) && this.cipher.finish();
    if (!done) throw new Error('OpenSSL failed to encrypt a packet');
    this.cipher.readTag(bytes, icvAt, this.icvOctets);
  }

  open(bytes: Uint8Array, at: number, length: number, sequenceHigh: number): boolean {
    const textAt = this.textAt('open', bytes, at, length);
    const icvAt = at + length - this.icvOctets;
    this.startPacket(bytes, at);
    this.cipher.expectTag(bytes, icvAt, this.icvOctets);
    if (this.#ccm) this.cipher.declareLength(icvAt - textAt);
    this.#associate(bytes, at, sequenceHigh);
    // With CCM the tag is compared before any text is given out, in the others afterwards; in constant time either way.
    return this.cipher.update(bytes, textAt, icvAt - textAt) && (this.#ccm || this.cipher.finish());
  }

  #associate(bytes: Uint8Array, at: number, sequenceHigh: number): void {
    if (sequenceHigh < 0) {
      this.cipher.associate(bytes, at, PACKET_HEADER);
      return;
    }
    const header = this.#extendedHeader;
    for (let i = 0; i < 4; i++) {
      header[i] = bytes[at + i] ?? 0;
      header[4 + i] = sequenceHigh >>> (24 - 8 * i);
      header[8 + i] = bytes[at + 4 + i] ?? 0;
    }
    this.cipher.associate(header, 0, EXTENDED_HEADER);
  }
}

class SeparateCipher extends Base implements PacketCipher {
  readonly #hmac: EvpHmac;
  /** Both sides of the comparison, of equal length. */
  readonly #computed: Uint8Array;
  readonly #received: Uint8Array;

  constructor(evp: Evp, suite: Extract<PacketSuite, { kind: 'separate' }>, direction: 'seal' | 'open') {
    const { encryption, key, salt, integrity, integrityKey } = suite;
    const counterMode = encryption.mode === 'ctr';
    const cipher = evp.cipher({
      name: encryption.cipher,
      key,
      // RFC 3686 section 4: the counter block is nonce, IV and a block counter that begins with one.
      ivOctets: counterMode ? COUNTER_BLOCK : encryption.ivOctets,
      encrypt: direction === 'seal',
    });
    super(suite, direction, integrity.icvOctets, cipher);
    if (counterMode) cipher.iv[salt.length + encryption.ivOctets + 3] = 1;
    try {
      this.#hmac = evp.hmac(integrity.digest, integrityKey);
    } catch (error) {
      cipher.free();
      throw error;
    }
    this.#computed = new Uint8Array(integrity.icvOctets);
    this.#received = new Uint8Array(integrity.icvOctets);
  }

  seal(bytes: Uint8Array, at: number, length: number, sequenceHigh: number): void {
    const textAt = this.textAt('seal', bytes, at, length);
    const icvAt = at + length - this.icvOctets;
    this.startPacket(bytes, at);
    if (!this.cipher.update(bytes, textAt, icvAt - textAt)) throw new Error('OpenSSL failed to encrypt a packet');
    this.#authenticate(bytes, at, icvAt, sequenceHigh);
    for (let i = 0; i < this.icvOctets; i++) bytes[icvAt + i] = this.#hmac.digest[i] ?? 0;
  }

  open(bytes: Uint8Array, at: number, length: number, sequenceHigh: number): boolean {
    const textAt = this.textAt('open', bytes, at, length);
    const icvAt = at + length - this.icvOctets;
    for (let i = 0; i < this.icvOctets; i++) this.#received[i] = bytes[icvAt + i] ?? 0;
    this.#authenticate(bytes, at, icvAt, sequenceHigh);
    for (let i = 0; i < this.icvOctets; i++) this.#computed[i] = this.#hmac.digest[i] ?? 0;
    if (!timingSafeEqual(this.#computed, this.#received)) return false;
    this.startPacket(bytes, at);
    return this.cipher.update(bytes, textAt, icvAt - textAt);
  }

  override close(): void {
    super.close();
    this.#hmac.free();
  }

  /**
   * Over the packet up to its ICV; the high half of the sequence number comes last (RFC 4303 section 3.3.2.1). It is put
   * where the ICV goes, so that one call does.
   */
  #authenticate(bytes: Uint8Array, at: number, icvAt: number, sequenceHigh: number): void {
    const extended = sequenceHigh >= 0;
    if (extended) for (let i = 0; i < 4; i++) bytes[icvAt + i] = sequenceHigh >>> (24 - 8 * i);
    this.#hmac.start();
    this.#hmac.update(bytes, at, icvAt - at + (extended ? 4 : 0));
    this.#hmac.finish();
  }
}

class Authenticator implements PacketAuthenticator {
  readonly icvOctets: number;
  readonly #hmac: EvpHmac;
  readonly #high = new Uint8Array(new ArrayBuffer(4));
  /** Both sides of the comparison, of equal length. */
  readonly #computed: Uint8Array;
  readonly #received: Uint8Array;

  constructor(evp: Evp, spec: PacketAuthenticatorSpec) {
    const { digest, icvOctets } = packetIntegrity(spec);
    this.icvOctets = icvOctets;
    this.#hmac = evp.hmac(digest, spec.integrityKey);
    this.#computed = new Uint8Array(icvOctets);
    this.#received = new Uint8Array(icvOctets);
  }

  sign(bytes: Uint8Array, at: number, length: number, icvAt: number, sequenceHigh: number): void {
    this.#authenticate(bytes, at, length, icvAt, sequenceHigh);
    for (let i = 0; i < this.icvOctets; i++) bytes[icvAt + i] = this.#hmac.digest[i] ?? 0;
  }

  verify(bytes: Uint8Array, at: number, length: number, icvAt: number, sequenceHigh: number): boolean {
    for (let i = 0; i < this.icvOctets; i++) this.#received[i] = bytes[icvAt + i] ?? 0;
    this.#authenticate(bytes, at, length, icvAt, sequenceHigh);
    for (let i = 0; i < this.icvOctets; i++) this.#computed[i] = this.#hmac.digest[i] ?? 0;
    return timingSafeEqual(this.#computed, this.#received);
  }

  close(): void {
    this.#hmac.free();
  }

  #authenticate(bytes: Uint8Array, at: number, length: number, icvAt: number, sequenceHigh: number): void {
    clearIcv(bytes, at, length, icvAt, this.icvOctets);
    this.#hmac.start();
    this.#hmac.update(bytes, at, length);
    if (sequenceHigh >= 0) {
      for (let i = 0; i < 4; i++) this.#high[i] = sequenceHigh >>> (24 - 8 * i);
      this.#hmac.update(this.#high, 0, 4);
    }
    this.#hmac.finish();
  }
}
