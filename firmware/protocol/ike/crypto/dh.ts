/**
 * Key exchanges: MODP (RFC 2409 section 6.2, RFC 3526), ECP (RFC 5903) and X25519 (RFC 8031).
 *
 * No octet of a private value is drawn anywhere but from the {@link RandomSource}.
 */
import { EncodeError } from '../../bytes.ts';
import type { RandomSource } from '../../machine.ts';
import { transform } from '../transforms.ts';
import { createEcpExchange } from './dh-ecp.ts';
import { createModpExchange } from './dh-modp.ts';
import { createX25519Exchange } from './dh-x25519.ts';
import type { KeyExchangeMath } from './key-exchange-math.ts';

/** One side of an exchange of one group, with a private value of its own. */
export interface KeyExchange {
  /** Name in the transform table. */
  readonly group: string;
  /** Data of the KE payload, always `publicOctets` of the group: MODP padded on the left, ECP as `x | y`. */
  readonly publicValue: Uint8Array;
  /**
   * What both sides know then, always `secretOctets` of the group. May be called more than once.
   *
   * @throws DecodeError when `peer` is no good public value: wrong length; MODP 0, 1, p-1 or beyond (RFC 6989 section
   *   2.1); ECP not on the curve (section 2.3); X25519 leading to zero (RFC 7748 section 6.1).
   * @throws EncodeError after {@link destroy}.
   */
  sharedSecret(peer: Uint8Array): Uint8Array;
  /** Forgets the private value. */
  destroy(): void;
}

/**
 * A fresh private value of `group` (a name in the transform table) and what goes with it.
 * Milliseconds of computing: not to be done for a stranger who did not return a COOKIE while under load.
 *
 * @throws EncodeError when there is no such group.
 */
export function createKeyExchange(group: string, random: RandomSource): KeyExchange {
  const { family } = transform('group', group);
  let math: KeyExchangeMath | undefined = begin(family, group, random);
  return {
    group,
    publicValue: math.publicValue,
    sharedSecret(peer) {
      if (math === undefined) throw new EncodeError(`the private value of this ${group} exchange is gone`);
      return math.sharedSecret(peer);
    },
    destroy() {
      math = undefined;
    },
  };
}

function begin(family: 'modp' | 'ecp' | 'x25519', group: string, random: RandomSource): KeyExchangeMath {
  switch (family) {
    case 'modp':
      return createModpExchange(group, random);
    case 'ecp':
      return createEcpExchange(group, random);
    case 'x25519':
      return createX25519Exchange(random);
  }
}
