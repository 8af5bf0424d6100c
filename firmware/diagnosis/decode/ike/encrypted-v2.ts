/** Encrypted payload of IKEv2 (RFC 7296 section 3.14, RFC 5282; RFC 7383 section 2.5), opened with keys of a table. */
import { cbcDecrypt, ctrCrypt, openAead } from '../../../protocol/ike/crypto/cipher.ts';
import { verifyIcv } from '../../../protocol/ike/crypto/integrity.ts';
import { isCombinedMode, transform } from '../../../protocol/ike/transforms.ts';
import type { FieldReader } from '../field-reader.ts';
import type { Ikev2Keys } from '../keys/decode-keys.ts';

export interface OpenedPayload {
  /** Without padding. */
  readonly content: Uint8Array;
  /** Where it stood in the message, encrypted. */
  readonly offset: number;
  readonly icv: 'good' | 'not checked' | 'none';
}

/**
 * @param message up to the end of the payload, which is the last one.
 * @param reader of the payload, behind its generic header and the two numbers of a fragment.
 * @param fromInitiator whether the original initiator sent it.
 * @throws FieldError when it does not verify, is too short, or its padding is longer than itself.
 */
export function openEncrypted(
  message: Uint8Array,
  reader: FieldReader,
  keys: Ikev2Keys,
  fromInitiator: boolean,
): OpenedPayload {
  const { cipher, integrity } = keys;
  const encryptionKey = fromInitiator ? keys.skEi : keys.skEr;
  if (cipher.kind === 'unreadable') return reader.fail('Encrypted IKE Payloads', `${cipher.name} cannot be read here`);
  const row = cipher.kind === 'known' ? transform('encryption', cipher.name) : undefined;
  const associated = message.subarray(0, reader.offset);
  const iv = reader.bytes(row?.ivOctets ?? 0, 'Initialization Vector');
  const offset = reader.offset;
  if (row !== undefined && isCombinedMode(row)) {
    const plaintext = openAead(row.name, encryptionKey, iv, associated, reader.rest());
    if (plaintext === undefined) return badIcv(reader, message.length - row.icvOctets);
    return { ...unpadded(plaintext, reader, offset), icv: 'good' };
  }
  const icvOctets = icvOctetsOf(integrity);
  const ciphertext = reader.bytes(reader.remaining - icvOctets, 'Encrypted IKE Payloads');
  const icv = reader.rest();
  if (integrity.kind === 'known') {
    const covered = message.subarray(0, message.length - icvOctets);
    const key = fromInitiator ? keys.skAi : keys.skAr;
    if (!verifyIcv(integrity.name, key, icv, covered)) return badIcv(reader, covered.length);
  }
  const block = row?.blockOctets ?? 1;
  if (ciphertext.length === 0 || ciphertext.length % block !== 0) {
    const wrong = `${ciphertext.length} octets do not fill blocks of ${block}`;
    return reader.fail('Encrypted IKE Payloads', wrong, offset);
  }
  const decrypt = row?.mode === 'ctr' ? ctrCrypt : cbcDecrypt;
  const plaintext = row === undefined ? ciphertext : decrypt(row.name, encryptionKey, iv, ciphertext);
  const checked = { known: 'good', unchecked: 'not checked', none: 'none' } as const;
  return { ...unpadded(plaintext, reader, offset), icv: checked[integrity.kind] };
}

function icvOctetsOf(integrity: Ikev2Keys['integrity']): number {
  if (integrity.kind === 'unchecked') return integrity.icvOctets;
  return integrity.kind === 'known' ? transform('integrity', integrity.name).icvOctets : 0;
}

function badIcv(reader: FieldReader, at: number): never {
  const why = 'it does not match: the keys are not those of this message, or it was changed on the way';
  return reader.fail('Integrity Checksum Data', why, Math.max(0, at));
}

function unpadded(
  plaintext: Uint8Array,
  reader: FieldReader,
  offset: number,
): { readonly content: Uint8Array; readonly offset: number } {
  const padding = plaintext.at(-1);
  if (padding === undefined || padding + 1 > plaintext.length) {
    return reader.fail('Pad Length', 'there is more padding than content', offset + plaintext.length);
  }
  return { content: plaintext.subarray(0, plaintext.length - 1 - padding), offset };
}
