/** One entry of `esp_sa` at work: opens packets, and follows the sequence number where it has 64 bits. */
import { PortablePacketCipherFactory } from '../../../../hal/portable/packet-cipher.ts';
import type { EspCipher } from '../../../protocol/esp/cipher.ts';
import { ESP_HEADER, ESP_TRAILER, espSequence } from '../../../protocol/esp/packet.ts';
import { DEFAULT_REPLAY_WINDOW, ReplayWindow } from '../../../protocol/esp/replay-window.ts';
import { cbcDecrypt, ctrCrypt } from '../../../protocol/ike/crypto/cipher.ts';
import { verifyIcv } from '../../../protocol/ike/crypto/integrity.ts';
import { transform } from '../../../protocol/ike/transforms.ts';
import type { EspKeys } from '../keys/decode-keys.ts';

const TWO_32 = 0x1_0000_0000;

/** 32-bit sequence numbers, as the ciphers are told of it. */
const NOT_EXTENDED = -1;

export type Opened =
  | {
      readonly kind: 'open';
      /** Payload with padding, Pad Length and Next Header. */
      readonly text: Uint8Array;
      /** Offset of the text in the packet. */
      readonly textAt: number;
      readonly icv: 'good' | 'not checked' | 'none';
      readonly sequenceHigh?: number;
    }
  | { readonly kind: 'bad-icv'; readonly icvAt: number }
  /** No packet of this cipher has this length, or there is nothing here that decrypts it. */
  | { readonly kind: 'unreadable'; readonly field: string; readonly at: number; readonly reason: string };

interface Sizes {
  readonly iv: number;
  readonly block: number;
  readonly icv: number;
}

export class EspOpener {
  readonly keys: EspKeys;
  readonly #sizes: Sizes;
  readonly #cipher: EspCipher | undefined;
  readonly #window = new ReplayWindow(DEFAULT_REPLAY_WINDOW, true);
  /** Whether sequence numbers have 64 bits, once that is known. */
  #extended: boolean | undefined;

  constructor(keys: EspKeys) {
    this.keys = keys;
    this.#extended = keys.extendedSequenceNumbers;
    this.#sizes = sizesOf(keys);
    this.#cipher = packetCipher(keys);
  }

  /** The packet is left as it is. */
  open(packet: Uint8Array): Opened {
    const { cipher } = this.keys;
    if (cipher.kind === 'unreadable') {
      return { kind: 'unreadable', field: 'IV', at: ESP_HEADER, reason: `${cipher.name} cannot be decrypted here` };
    }
    const { iv, block, icv } = this.#sizes;
    const textAt = ESP_HEADER + iv;
    const textOctets = packet.length - textAt - icv;
    if (textOctets < ESP_TRAILER || textOctets % block !== 0) {
      const reason = `${Math.max(0, textOctets)} octets of encrypted text do not fit the cipher of these keys`;
      return { kind: 'unreadable', field: 'Payload Data', at: Math.min(textAt, packet.length), reason };
    }
    if (this.#cipher !== undefined) return this.#openChecked(this.#cipher, packet, textAt);
    return this.#openPlainly(packet, textAt, packet.length - icv);
  }

  #openChecked(cipher: EspCipher, packet: Uint8Array, textAt: number): Opened {
    const icvAt = packet.length - cipher.icvOctets;
    const sequence = this.#window.expand(espSequence(packet, 0));
    const high = Math.floor(sequence / TWO_32);
    const tries = this.#extended === undefined ? [NOT_EXTENDED, high] : [this.#extended ? high : NOT_EXTENDED];
    for (const sequenceHigh of tries) {
      const copy = packet.slice();
      if (!cipher.open(copy, 0, copy.length, sequenceHigh)) continue;
      this.#extended = sequenceHigh !== NOT_EXTENDED;
      if (this.#extended && this.#window.check(sequence) === 'new') this.#window.update(sequence);
      const text = copy.subarray(textAt, icvAt);
      return { kind: 'open', text, textAt, icv: 'good', ...(this.#extended ? { sequenceHigh } : {}) };
    }
    return { kind: 'bad-icv', icvAt };
  }

  /** Without an ICV, with one that nobody here can check, or without encryption. */
  #openPlainly(packet: Uint8Array, textAt: number, icvAt: number): Opened {
    const { cipher, encryptionKey, integrity, integrityKey } = this.keys;
    const covered = packet.subarray(0, icvAt);
    if (integrity.kind === 'known' && !verifyIcv(integrity.name, integrityKey, packet.subarray(icvAt), covered)) {
      return { kind: 'bad-icv', icvAt };
    }
    const icv = { known: 'good', unchecked: 'not checked', none: 'none' } as const;
    const opened = { kind: 'open', textAt, icv: icv[integrity.kind] } as const;
    const text = packet.subarray(textAt, icvAt);
    if (cipher.kind !== 'known') return { ...opened, text };
    const iv = packet.subarray(ESP_HEADER, textAt);
    const decrypt = transform('encryption', cipher.name).mode === 'ctr' ? ctrCrypt : cbcDecrypt;
    return { ...opened, text: decrypt(cipher.name, encryptionKey, iv, text) };
  }
}

function sizesOf({ cipher, integrity }: EspKeys): Sizes {
  const row = cipher.kind === 'known' ? transform('encryption', cipher.name) : undefined;
  const combined = row?.icvOctets ?? 0;
  const icv = combined > 0 ? combined : icvOctetsOf(integrity);
  return { iv: row?.ivOctets ?? 0, block: row?.blockOctets ?? 1, icv };
}

function icvOctetsOf(integrity: EspKeys['integrity']): number {
  if (integrity.kind === 'unchecked') return integrity.icvOctets;
  return integrity.kind === 'known' ? transform('integrity', integrity.name).icvOctets : 0;
}

/** Of an SA whose ICV can be checked and whose text is encrypted. */
function packetCipher({ cipher, encryptionKey, integrity, integrityKey }: EspKeys): EspCipher | undefined {
  if (cipher.kind !== 'known') return undefined;
  const spec = { encryption: cipher.name, encryptionKey, direction: 'open' } as const;
  const factory = new PortablePacketCipherFactory();
  if (transform('encryption', cipher.name).icvOctets > 0) return factory.open(spec);
  return integrity.kind === 'known' ? factory.open({ ...spec, integrity: integrity.name, integrityKey }) : undefined;
}
