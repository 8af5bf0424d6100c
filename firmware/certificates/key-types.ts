/** Kinds of private key that this router makes; the first one unless somebody wants another. */
export const KEY_TYPES = ['ecdsa-p256', 'ecdsa-p384', 'rsa-3072', 'ed25519'] as const;

export type KeyType = (typeof KEY_TYPES)[number];
