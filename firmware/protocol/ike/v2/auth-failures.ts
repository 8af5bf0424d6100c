/** Why IKE_AUTH came to nothing, in words. */
import type { Failure } from '../../machine.ts';
import { printable } from '../../printable.ts';
import type { IkeAuthentication } from '../authentication.ts';
import type { CertificateRefusal } from '../certificate-refusal.ts';
import { identityText } from '../identity.ts';
import type { IkeConnection, IkeIdentity } from '../ike-types.ts';

type Kind = IkeAuthentication['kind'];

/** What a side proves itself with, by the kind of its connection. */
const OWN_MEANS: Readonly<Record<Kind, string>> = {
  psk: 'a pre-shared key',
  certificate: 'a certificate',
  'eap-client': 'a certificate',
  'eap-server': 'EAP',
};

/** AUTHENTICATION_FAILED, and not why. @param kind of the connection here. */
export function refusedUnexplained(localId: IkeIdentity, kind: Kind): Failure {
  const identity = identityText(localId);
  if (kind === 'psk') {
    return {
      step: 'authentication',
      reason: `the peer does not accept our identity ${identity} with our pre-shared key`,
      remedy: 'compare the pre-shared key on both ends, and the identity that the peer expects of us',
      cause: 'refused',
    };
  }
  if (kind !== 'eap-client') {
    return {
      step: 'authentication',
      reason: `the peer does not accept our identity ${identity} with our certificate`,
      remedy:
        'check that the peer trusts the authority of our certificate, that the identity stands in it, and that it has not expired or been revoked; the log of the peer says which',
      cause: 'refused',
    };
  }
  return {
    step: 'authentication',
    reason: `the peer does not let our identity ${identity} in by EAP`,
    remedy: 'check that the peer offers EAP-MSCHAPv2 to this identity; its log says what it missed',
    cause: 'refused',
  };
}

/** The peer proves another key than ours. */
export function wrongPsk(peerId: IkeIdentity | undefined): Failure {
  return {
    step: 'authentication',
    reason: `the peer ${identityText(peerId)} has another pre-shared key than this side`,
    remedy: 'enter the same pre-shared key on both ends',
    cause: 'refused',
  };
}

/** The peer is not who it should be. */
export function wrongIdentity(peerId: IkeIdentity | undefined, expected: readonly IkeIdentity[]): Failure {
  const wanted = expected.slice(0, 4).map(identityText).join(' or ');
  return {
    step: 'authentication',
    reason: `the peer calls itself ${identityText(peerId)}${wanted === '' ? '' : `, but ${wanted} is expected`}`,
    remedy: 'set the identity of the peer to what it calls itself, or change it at the peer',
    cause: 'refused',
  };
}

/** The peer authenticates by something else than what is set here. @param what with article. */
export function wrongAuthMethod(what: string, kind: Kind): Failure {
  const wanted = OWN_MEANS[kind];
  return {
    step: 'authentication',
    reason: `the peer wants to authenticate with ${what}, and here ${wanted} is set`,
    remedy: `set the peer to ${wanted}, or this connection to what the peer has`,
    cause: 'refused',
  };
}

/** @param problem a clause without subject. */
export function wrongSignature(peerId: IkeIdentity | undefined, problem: string): CertificateRefusal {
  return {
    flaw: 'signature',
    step: 'authentication',
    reason: `the signature of the peer ${identityText(peerId)} ${problem}`,
    remedy: 'check that the peer signs with the key of its certificate, RSA of 2048 bits, ECDSA or EdDSA',
    cause: 'refused',
  };
}

/** The peer calls itself by a kind of name that no certificate bears here. */
export function unreadableIdentity(): Failure {
  return {
    step: 'authentication',
    reason: 'the peer calls itself by a kind of name that cannot be compared with its certificate',
    remedy: 'set the identity of the peer to a name, an address, or the subject of its certificate',
    cause: 'refused',
  };
}

/** This side has a key that the peer cannot verify. */
export function noCommonSignature(): Failure {
  return {
    step: 'authentication',
    reason: 'the peer knows no way to verify a signature by the key of our certificate',
    remedy: 'take a certificate with an RSA key, which every peer knows',
    cause: 'refused',
  };
}

/** The EAP conversation ended without a proof. @param name as it came. */
export function unprovedUser(name: Uint8Array): Failure {
  return {
    step: 'authentication',
    reason: `the caller gave no good password for user ${printable(name)}`,
    remedy: 'check the user name and the password at the caller',
    cause: 'refused',
  };
}

/** The caller does none of the methods that are set here. */
export function noEapMethod(name: Uint8Array): Failure {
  return {
    step: 'authentication',
    reason: `the caller ${printable(name)} does not do EAP-MSCHAPv2`,
    remedy: 'set the caller to EAP-MSCHAPv2, which is user name and password',
    cause: 'refused',
  };
}

/** As initiator: EAP was over before it proved anything. */
export function eapBroken(): Failure {
  return {
    step: 'authentication',
    reason: 'the peer broke off EAP before either side had proved itself by the password',
    remedy: 'check the user name and the password; the log of the peer says what it missed',
    cause: 'refused',
  };
}

/** AUTH after EAP was not made with the key that EAP gave. */
export function wrongEapKey(): Failure {
  return {
    step: 'authentication',
    reason: 'the peer does not hold the key that EAP made: something stands between the two',
    remedy: 'check that nothing relays the connection, and report this with a capture if nothing does',
    cause: 'refused',
  };
}

/** All connections of a caller lack the algorithms of its IKE SA. */
export function noConnection(connection: IkeConnection): Failure {
  return {
    step: 'authentication',
    reason: `no connection like ${connection.name} allows the algorithms of this IKE SA to this caller`,
    remedy: 'give connections of callers from everywhere the same IKE proposals',
    cause: 'refused',
  };
}

/** As initiator: an inner address was asked for, and none came. */
export function noAddressAssigned(): Failure {
  return {
    step: 'configuration',
    reason: 'the peer assigned no inner address to this side',
    remedy: 'give the peer a pool of addresses, or set virtualAddress to false here and name the local networks',
    cause: 'refused',
  };
}

/** As initiator: INTERNAL_ADDRESS_FAILURE. */
export function noAddressLeft(): Failure {
  return {
    step: 'configuration',
    reason: 'the peer has no inner address left for this side',
    remedy: 'make the pool at the peer larger',
    cause: 'refused',
  };
}

/** As initiator: FAILED_CP_REQUIRED. */
export function addressWanted(): Failure {
  return {
    step: 'configuration',
    reason: 'the peer wants this side to ask for an inner address',
    remedy: 'set virtualAddress to true on this connection',
    cause: 'refused',
  };
}

/** As initiator: a PPK is required here, and the peer has none, or does not use this one (RFC 8784). */
export function peerHasNoPpk(): Failure {
  return {
    step: 'authentication',
    reason: 'a post-quantum preshared key is required here, and the peer does not use it',
    remedy: 'enter the same ppk and ppkId on both ends, or set ppkRequired to false',
    cause: 'refused',
  };
}

/** As responder: the caller has none of the PPKs that are required here, or requires one that is not here. */
export function noCommonPpk(): Failure {
  return {
    step: 'authentication',
    reason: 'the two ends have no post-quantum preshared key (PPK) of one name, and one of them requires it',
    remedy: 'enter the same ppk and ppkId on both ends, or set ppkRequired to false on both',
    cause: 'refused',
  };
}
