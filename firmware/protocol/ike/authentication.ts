/** How the two sides of an IKE SA prove who they are, as a connection is told. */
import type { KeyObject } from 'node:crypto';
import type { CertificateFlaw, CertificateRefusal } from './certificate-refusal.ts';
import type { IkeIdentity, IkePeer } from './ike-types.ts';

/** What a refusal of the own certificate means. Neither has a full stop. */
export interface RefusalWords {
  /** Behind "the peer says that": what is wrong by its word, and what there is to say of the certificate here. */
  readonly clause: string;
  readonly remedy: string;
}

/** What this side signs with. */
export interface SigningCredential {
  /** DER; the own certificate first, then those between it and an authority that the peer knows. */
  readonly chain: readonly Uint8Array[];
  readonly privateKey: KeyObject;
  /** The peer says that this is wrong with the certificate. */
  explain(flaw: CertificateFlaw): RefusalWords;
}

/** Whose certificates are believed. */
export interface CertificateTrust {
  /** SHA-1 of the SubjectPublicKeyInfo of each authority, 20 octets: what a Certificate Request of IKEv2 names (RFC 7296 section 3.7). */
  readonly authorityKeyHashes: readonly Uint8Array[];
  /** Subject of each authority, a DER Name: what a Certificate Request of IKEv1 names (RFC 2408 section 3.10). */
  readonly authorityNames: readonly Uint8Array[];
  /**
   * Judges certificates as they came from a stranger: DER, the one that speaks for `identity` first.
   *
   * @returns the public key to verify the signature with, or why not, in words. Never throws, whatever the octets.
   */
  judge(chain: readonly Uint8Array[], identity: IkeIdentity): KeyObject | CertificateRefusal;
}

/** Who may come in by EAP or XAUTH. @returns the password, `undefined` for somebody unknown. */
export type PasswordOf = (user: string) => string | undefined;

export type IkeAuthentication =
  /** Both sides by one pre-shared key. */
  | { readonly kind: 'psk'; readonly key: Uint8Array }
  /** Both sides by signature. */
  | { readonly kind: 'certificate'; readonly credential: SigningCredential; readonly trust: CertificateTrust }
  /** As caller, IKEv2: the peer proves itself by signature, and then this side by EAP-MSCHAPv2 (RFC 7296 section 2.16). */
  | { readonly kind: 'eap-client'; readonly user: string; readonly password: string; readonly trust: CertificateTrust }
  /** As the one that is called, IKEv2: the other half of it. */
  | { readonly kind: 'eap-server'; readonly credential: SigningCredential; readonly passwordOf: PasswordOf };

/** @throws RangeError when it is not by pre-shared key: whoever takes no other kind has refused it before. */
export function preSharedKeyOf(authentication: IkeAuthentication): Uint8Array {
  if (authentication.kind !== 'psk') throw new RangeError('not by pre-shared key');
  return authentication.key;
}

/** What a peer assigned to this side, by Configuration payload (RFC 7296 section 3.15) or Mode-Config. */
export interface AssignedConfiguration {
  /** Inner addresses of this side, IPv4 or IPv6. */
  readonly addresses: readonly string[];
  readonly dns: readonly string[];
}

/** Who a caller has proved to be: many users may share an identity. */
export type ProvedPeer = Pick<IkePeer, 'identity' | 'user'>;

/** Inner addresses for those who call. */
export interface AddressLeases {
  /**
   * For a caller who asks for an address; the same one again for the same `ikeId`.
   * @returns `undefined` when none is left.
   */
  lease(ikeId: number, peer: ProvedPeer, wanted: string | undefined): AssignedConfiguration | undefined;
  /** The IKE SA is gone, or `heir` took over from it. Harmless for one that has none. */
  release(ikeId: number, heir?: number): void;
}
