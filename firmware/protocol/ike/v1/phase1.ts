/**
 * What both sides of phase 1 have in common (RFC 2409 sections 5.1 and 5.4). With a pre-shared key PROOF is a HASH; with
 * signatures it is CERTs and SIG, and CERTREQs go in messages 4 and 5 of Main Mode and 2 of Aggressive Mode.
 *
 *     Main Mode
 *     1  HDR, SA, VIDs              -->
 *     2                             <--  HDR, SA, VIDs
 *     3  HDR, KE, Ni, NAT-D, NAT-D  -->
 *     4                             <--  HDR, KE, Nr [, CERTREQ], NAT-D, NAT-D
 *     5  HDR*, IDii, PROOF_I [, CERTREQ]  -->
 *     6                             <--  HDR*, IDir, PROOF_R
 *
 *     Aggressive Mode
 *     1  HDR, SA, KE, Ni, IDii, VIDs  -->
 *     2                               <--  HDR, SA, KE, Nr, IDir, PROOF_R [, CERTREQ], VIDs, NAT-D, NAT-D
 *     3  HDR*, PROOF_I, NAT-D, NAT-D  -->
 */
import { concatBytes, DecodeError } from '../../bytes.ts';
import type { Failure, Instant, RandomSource } from '../../machine.ts';
import type { UdpPath } from '../../udp-path.ts';
import type { Phase1Keys } from '../crypto/keys-v1.ts';
import type { IkeConnection, IkeIdentity, IkePeer } from '../ike-types.ts';
import type { IkeProposal } from '../proposals.ts';
import { transform } from '../transforms.ts';
import type { OwnVendorId } from '../vendor-ids.ts';
import type { IkeV1Counters } from './endpoint-types.ts';
import type { Clues } from './failures.ts';
import { encodeMessage, type IsakmpHeader, type ReceivedMessage } from './header.ts';
import type { NatSituationV1 } from './natd.ts';
import { decodeNotification, isakmpNotification } from './notification.ts';
import { ExchangeType, HeaderFlag, NotifyType, PayloadType } from './numbers.ts';
import type { Outbox } from './outbox.ts';
import { bodiesOf, decodePayloads, encodePayloads, firstType, onlyBody, type Payload } from './payload.ts';
import type { ReplayCache } from './replay-cache.ts';
import type { PeerVendor } from './vendor-ids.ts';

/** Octets of this side's nonces. */
export const NONCE_OCTETS = 32;

/** What a phase 1 needs of the endpoint around it. */
export interface Phase1Context {
  readonly random: RandomSource;
  readonly outbox: Outbox;
  readonly counters: IkeV1Counters;
  /** What this side says of itself. */
  readonly self: OwnVendorId;
}

/** An ISAKMP SA, as phase 1 leaves it. */
export interface Phase1Outcome {
  readonly ikeId: number;
  readonly initiator: boolean;
  /** Message 1 went out, or came. */
  readonly begunAt: Instant;
  readonly connection: IkeConnection;
  readonly cookieI: Uint8Array;
  readonly cookieR: Uint8Array;
  readonly proposal: IkeProposal;
  readonly keys: Phase1Keys;
  readonly encryptionKey: Uint8Array;
  /** Last ciphertext block of phase 1. */
  readonly lastBlock: Uint8Array;
  readonly path: UdpPath;
  readonly nat: NatSituationV1;
  readonly vendor: PeerVendor;
  readonly peerIdentity: IkeIdentity;
  /** Agreed, seconds. */
  readonly lifetime: number;
  /** The peer said that it remembers no other SA. */
  readonly initialContact: boolean;
  readonly replay: ReplayCache;
  /** The ISAKMP SA that this one was made to replace, when this side began it. */
  readonly rekeys?: number;
  /** The last message of Aggressive Mode, to which there is no answer: whether the peer has it shows later. */
  readonly unconfirmed?: Uint8Array;
}

/** One side of a phase 1. Whoever drives it looks afterwards whether there is an outcome, or a failure. */
interface Phase1Side {
  readonly ikeId: number;
  readonly connection: IkeConnection;
  readonly cookieI: Uint8Array;
  /** Zeros while it is not known. */
  readonly cookieR: Uint8Array;
  readonly path: UdpPath;
  readonly deadline: Instant | undefined;
  readonly outcome: Phase1Outcome | undefined;
  /** What there is to say of one that failed, or will when its time is over. */
  readonly failure: Failure | undefined;
  /** @throws DecodeError when the message is malformed; nothing has changed then. */
  receive(now: Instant, message: ReceivedMessage, path: UdpPath): void;
  tick(now: Instant): void;
  /**
   * An encrypted Informational that came before the SA stands.
   * @returns whether it is the peer's, and says something: then it was a hint.
   */
  informed(message: ReceivedMessage): boolean;
  /** Something that anybody may have sent, or the network, says that it will not work. */
  hint(clue: Clues): void;
}

export type Phase1Exchange =
  | (Phase1Side & {
      readonly initiator: true;
      /** The ISAKMP SA that it is made to replace. */
      readonly rekeys: number | undefined;
    })
  | (Phase1Side & {
      readonly initiator: false;
      /** Its time is over. */
      readonly expired: boolean;
    });

/** What there is to show of the peer of an ISAKMP SA. */
export function peerOf({ peerIdentity, vendor, nat }: Phase1Outcome): IkePeer {
  return {
    identity: peerIdentity,
    implementation: vendor.implementation,
    ...(vendor.looksLike === undefined ? {} : { looksLike: vendor.looksLike }),
    natLocal: nat.local,
    natRemote: nat.remote,
    ...(nat.encapsulation === undefined ? {} : { encapsulation: nat.encapsulation }),
  };
}

/** A message of phase 1 in clear; of Main Mode, unless another exchange is named. */
export function plainMessage(
  cookieI: Uint8Array,
  cookieR: Uint8Array,
  payloads: readonly Payload[],
  exchangeType: number = ExchangeType.mainMode,
): Uint8Array {
  const header: IsakmpHeader = {
    cookieI,
    cookieR,
    nextPayload: firstType(payloads),
    exchangeType,
    flags: 0,
    messageId: 0,
  };
  return encodeMessage(header, encodePayloads(payloads));
}

export function isEncrypted({ header }: ReceivedMessage): boolean {
  return (header.flags & HeaderFlag.encryption) !== 0;
}

/** The payloads of a message in clear. @throws DecodeError when it is encrypted or malformed. */
export function plainPayloads(message: ReceivedMessage): readonly Payload[] {
  const { header, body } = message;
  if (isEncrypted(message)) throw new DecodeError('encrypted too early');
  return decodePayloads(header.nextPayload, body);
}

/** The peer's public value. @throws DecodeError when it has not the group's length. */
export function publicValueOf(payloads: readonly Payload[], group: string): Uint8Array {
  const value = onlyBody(payloads, PayloadType.keyExchange, 'Key Exchange');
  const { publicOctets } = transform('group', group);
  if (value.length !== publicOctets) throw new DecodeError(`public value of ${value.length} octets`);
  return value.slice();
}

/** Who this side says it is: as configured, else its address. */
export function localIdentity(connection: IkeConnection, path: UdpPath): IkeIdentity {
  const { address } = path.local;
  return connection.localId ?? { kind: address.includes(':') ? 'ipv6' : 'ipv4', value: address };
}

/** INITIAL-CONTACT, with both cookies as its SPI (RFC 2407 section 4.6.3.3). */
export function initialContact(cookieI: Uint8Array, cookieR: Uint8Array): Payload {
  const body = isakmpNotification(NotifyType.initialContact, concatBytes(cookieI, cookieR));
  return { type: PayloadType.notification, body };
}

/** Whether INITIAL-CONTACT is among authenticated payloads. */
export function hasInitialContact(payloads: readonly Payload[]): boolean {
  return bodiesOf(payloads, PayloadType.notification).some(
    (body) => decodeNotification(body).type === NotifyType.initialContact,
  );
}
