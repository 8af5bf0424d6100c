/** The messages of phase 1 by which the two sides prove themselves (RFC 2409 sections 5.1 and 5.4). */
import { KeyObject } from 'node:crypto';
import { DecodeError } from '../../bytes.ts';
import type { Failure } from '../../machine.ts';
import { type CertificateTrust, preSharedKeyOf } from '../authentication.ts';
import type { CertificateRefusal } from '../certificate-refusal.ts';
import {
  hashI,
  hashR,
  type Phase1Keys,
  phase1EncryptionKey,
  phase1Iv,
  phase1KeysPsk,
  phase1KeysSignature,
} from '../crypto/keys-v1.ts';
import { equalSecrets } from '../crypto/secrets.ts';
import { signPhase1, verifyPhase1 } from '../crypto/signature-v1.ts';
import { sameIdentity } from '../identity.ts';
import type { IkeConnection, IkeIdentity } from '../ike-types.ts';
import type { IkeProposal } from '../proposals.ts';
import { certificatePayloads, certificateRequests, certificatesOf } from './certificate-payloads.ts';
import { noCertificate, wrongIdentity, wrongSignature } from './failures.ts';
import { encodeMessage, type ReceivedMessage } from './header.ts';
import { decodeId, encodeId, identityOfId, idOfIdentity } from './id-payload.ts';
import { HeaderFlag, PayloadType } from './numbers.ts';
import { decodePayloads, encodePayloads, firstType, onlyBody, type Payload } from './payload.ts';
import { CbcChain } from './protected-message.ts';

/** What proposals, public values and nonces gave. */
export interface Exchanged {
  readonly cookieI: Uint8Array;
  readonly cookieR: Uint8Array;
  readonly proposal: IkeProposal;
  /** SAi_b. */
  readonly saBody: Uint8Array;
  readonly publicI: Uint8Array;
  readonly publicR: Uint8Array;
  readonly nonceI: Uint8Array;
  readonly nonceR: Uint8Array;
  readonly sharedSecret: Uint8Array;
}

/** Who somebody says to be. */
export interface Claim {
  readonly identity: IkeIdentity;
  /** IDii_b or IDir_b. */
  readonly idBody: Uint8Array;
}

/** The claim in the only Identification payload. @throws DecodeError when there is none or it is malformed. */
export function claimOf(payloads: readonly Payload[]): Claim {
  const idBody = onlyBody(payloads, PayloadType.identification, 'Identification').slice();
  return { identity: identityOfId(decodeId(idBody)), idBody };
}

/** The same from this side. @throws EncodeError when the identity is an address that is none. */
export function ownClaim(identity: IkeIdentity): Claim {
  return { identity, idBody: encodeId(idOfIdentity(identity)) };
}

export function identityPayload({ idBody }: Claim): Payload {
  return { type: PayloadType.identification, body: idBody };
}

/** The keys of phase 1 under one connection, and what is said and proved with them. */
export class Authentication {
  readonly keys: Phase1Keys;
  readonly encryptionKey: Uint8Array;
  readonly #connection: IkeConnection;
  readonly #exchanged: Exchanged;
  readonly #chain: CbcChain;

  constructor(exchanged: Exchanged, connection: IkeConnection) {
    const { encryption, prf } = exchanged.proposal;
    const { authentication } = connection;
    this.#connection = connection;
    this.#exchanged = exchanged;
    this.keys =
      authentication.kind === 'certificate'
        ? phase1KeysSignature(prf, exchanged)
        : phase1KeysPsk(prf, preSharedKeyOf(authentication), exchanged);
    this.encryptionKey = phase1EncryptionKey(encryption, prf, this.keys.skeyidE);
    const iv = phase1Iv(encryption, prf, exchanged.publicI, exchanged.publicR);
    this.#chain = new CbcChain(encryption, this.encryptionKey, iv);
  }

  /** Last ciphertext block so far. */
  get lastBlock(): Uint8Array {
    return this.#chain.lastBlock;
  }

  /** HASH, or certificates and SIG. @param initiator whether this side is the initiator. */
  prove(initiator: boolean, claim: Claim): readonly Payload[] {
    const { authentication } = this.#connection;
    const hash = this.#hash(initiator, claim);
    if (authentication.kind !== 'certificate') return [{ type: PayloadType.hash, body: hash }];
    const { chain, privateKey } = authentication.credential;
    return [...certificatePayloads(chain), { type: PayloadType.signature, body: signPhase1(privateKey, hash) }];
  }

  /** An encrypted message of phase 1. */
  seal(exchangeType: number, payloads: readonly Payload[]): Uint8Array {
    const { cookieI, cookieR } = this.#exchanged;
    const nextPayload = firstType(payloads);
    const header = { cookieI, cookieR, nextPayload, exchangeType, flags: HeaderFlag.encryption, messageId: 0 };
    return encodeMessage(header, this.#chain.seal(encodePayloads(payloads)));
  }

  /**
   * The payloads of the peer's encrypted message, and how to say that they were genuine.
   * @throws DecodeError when it does not decrypt to payloads: mostly another key.
   */
  open({ header, body }: ReceivedMessage): { readonly payloads: readonly Payload[]; accept(): void } {
    const { plaintext, accept } = this.#chain.open(body);
    return { payloads: decodePayloads(header.nextPayload, plaintext), accept };
  }

  /**
   * Whether the payloads prove the claim, and it is the one that is wanted.
   * @param initiator whether the peer is the initiator.
   * @param step of the words of a failure.
   * @returns `unverified` where the HASH is wrong: another key, mostly.
   * @throws DecodeError when a payload is missing or malformed.
   */
  judge(
    initiator: boolean,
    claim: Claim,
    payloads: readonly Payload[],
    step: string,
  ): 'proved' | 'unverified' | Failure | CertificateRefusal {
    const { authentication, remoteId } = this.#connection;
    const hash = this.#hash(initiator, claim);
    const { identity } = claim;
    const unwanted = remoteId !== undefined && !sameIdentity(remoteId, identity);
    if (authentication.kind !== 'certificate') {
      if (!equalSecrets(hash, onlyBody(payloads, PayloadType.hash, 'Hash'))) return 'unverified';
      return unwanted ? wrongIdentity(step, identity, remoteId) : 'proved';
    }
    const verdict = this.#judgeSignature(authentication.trust, hash, identity, payloads, step);
    if (!unwanted) return verdict;
    const failure = wrongIdentity(step, identity, remoteId);
    // One who has proved who it is may learn that; whoever has not could go on to try names.
    return verdict === 'proved' ? { ...failure, flaw: 'identity' } : failure;
  }

  #judgeSignature(
    trust: CertificateTrust,
    hash: Uint8Array,
    identity: IkeIdentity,
    payloads: readonly Payload[],
    step: string,
  ): 'proved' | Failure {
    const signature = onlyBody(payloads, PayloadType.signature, 'Signature');
    const chain = certificatesOf(payloads);
    if (chain.length === 0) return noCertificate(step, identity);
    const key = trust.judge(chain, identity);
    if (!(key instanceof KeyObject)) return key;
    return verifyPhase1(key, hash, signature) ? 'proved' : wrongSignature(step, identity);
  }

  #hash(initiator: boolean, { idBody }: Claim): Uint8Array {
    const { prf } = this.#exchanged.proposal;
    const input = { ...this.#exchanged, idBody };
    return initiator ? hashI(prf, this.keys.skeyid, input) : hashR(prf, this.keys.skeyid, input);
  }
}

/** Certificate Request payloads, where the peer is to prove itself by one. */
export function requestsFor({ authentication }: IkeConnection): readonly Payload[] {
  return authentication.kind === 'certificate' ? certificateRequests(authentication.trust.authorityNames) : [];
}

/** `undefined` instead of a DecodeError: what a wrong key leaves is malformed. */
export function orNothing<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return undefined;
  }
}
