/** How keying material becomes the keys of one direction of a child SA (RFC 7296 section 2.17, RFC 2409 section 5.5). */
import { EncodeError } from '../../bytes.ts';
import type { ChildKeys } from '../ike-types.ts';
import { childProtocol, type EspProposal } from '../proposals.ts';
import { isCombinedMode, transform } from '../transforms.ts';

interface KeySizes {
  /** Key and salt. */
  readonly encryption: number;
  /** 0 with a combined-mode cipher. */
  readonly integrity: number;
}

/** Octets of keying material that one direction takes. @throws EncodeError when `esp` names no working pair. */
export function childKeyOctets(esp: EspProposal): number {
  const sizes = keySizes(esp);
  return sizes.encryption + sizes.integrity;
}

/** Cuts {@link childKeyOctets} octets: the encryption key with its salt first, the integrity key behind it. Copies. */
export function cutChildKeys(esp: EspProposal, material: Uint8Array): ChildKeys {
  const sizes = keySizes(esp);
  const encryptionKey = material.slice(0, sizes.encryption);
  if (esp.integrity === undefined) return { encryption: esp.encryption, encryptionKey };
  const integrityKey = material.slice(sizes.encryption, sizes.encryption + sizes.integrity);
  return { encryption: esp.encryption, encryptionKey, integrity: esp.integrity, integrityKey };
}

function keySizes(esp: EspProposal): KeySizes {
  const { encryption, integrity } = esp;
  if (childProtocol(esp) === 'ah') {
    if (integrity === undefined) throw new EncodeError('AH needs an integrity algorithm');
    return { encryption: 0, integrity: transform('integrity', integrity).keyOctets };
  }
  const cipher = transform('encryption', encryption);
  if (isCombinedMode(cipher) !== (integrity === undefined)) {
    throw new EncodeError(`${encryption} ${integrity === undefined ? 'needs an' : 'takes no'} integrity algorithm`);
  }
  return {
    encryption: cipher.keyOctets + cipher.saltOctets,
    integrity: integrity === undefined ? 0 : transform('integrity', integrity).keyOctets,
  };
}
