/**
 * What both sides of Main Mode with a pre-shared key have in common (RFC 2409 section 5.4).
 *
 *     1  HDR, SA, VIDs              -->
 *     2                             <--  HDR, SA, VIDs
 *     3  HDR, KE, Ni, NAT-D, NAT-D  -->
 *     4                             <--  HDR, KE, Nr, NAT-D, NAT-D
 *     5  HDR*, IDii, HASH_I         -->
 *     6                             <--  HDR*, IDir, HASH_R
 */
import { concatBytes, DecodeError } from '../../bytes.ts';
import type { Instant, RandomSource } from '../../machine.ts';
import type { UdpPath } from '../../udp-path.ts';
import {
  hashI,
  hashR,
  type Phase1HashInput,
  type Phase1Keys,
  phase1EncryptionKey,
  phase1Iv,
  phase1KeysPsk,
} from '../crypto/keys-v1.ts';
import { equalSecrets } from '../crypto/secrets.ts';
import type { IkeConnection, IkeIdentity } from '../ike-types.ts';
import type { IkeProposal } from '../proposals.ts';
import { transform } from '../transforms.ts';
import type { OwnVendorId } from '../vendor-ids.ts';
import type { IkeV1Counters } from './endpoint-types.ts';
import type { Clues } from './failures.ts';
import { encodeMessage, type IsakmpHeader, type ReceivedMessage } from './header.ts';
import { decodeId, encodeId, identityOfId, idOfIdentity } from './id-payload.ts';
import type { NatSituationV1 } from './natd.ts';
import { decodeNotification, isakmpNotification } from './notification.ts';
import { ExchangeType, HeaderFlag, NotifyType, PayloadType } from './numbers.ts';
import type { Outbox } from './outbox.ts';
import { bodiesOf, decodePayloads, encodePayloads, firstType, onlyBody, type Payload } from './payload.ts';
import { CbcChain } from './protected-message.ts';
import type { ReplayCache } from './replay-cache.ts';
import type { PeerVendor } from './vendor-ids.ts';

/** Octets of this side's nonces. */
export const NONCE_OCTETS = 32;

/** What a Main Mode needs of the endpoint around it. */
export interface MainModeContext {
  readonly random: RandomSource;
  readonly outbox: Outbox;
  readonly counters: IkeV1Counters;
  /** What this side says of itself. */
  readonly self: OwnVendorId;
}

/** An ISAKMP SA, as Main Mode leaves it. */
export interface Phase1Outcome {
  readonly ikeId: number;
  readonly initiator: boolean;
  readonly connection: IkeConnection;
  readonly cookieI: Uint8Array;
  readonly cookieR: Uint8Array;
  readonly proposal: IkeProposal;
  readonly keys: Phase1Keys;
  readonly encryptionKey: Uint8Array;
  /** Last ciphertext block of message 6. */
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
}

/** One side of a Main Mode. Whoever drives it looks afterwards whether there is an outcome, or a failure. */
export interface MainMode {
  readonly ikeId: number;
  readonly initiator: boolean;
  readonly connection: IkeConnection;
  readonly path: UdpPath;
  readonly deadline: Instant | undefined;
  /** @throws DecodeError when the message is malformed; nothing has changed then. */
  receive(now: Instant, message: ReceivedMessage, path: UdpPath): void;
  tick(now: Instant): void;
  /** Something that anybody may have sent, or the network, says that it will not work. */
  hint(clue: Clues): void;
}

/** A message of Main Mode in clear. */
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

/** What the first four messages gave. */
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

/** Messages 5 and 6 under one pre-shared key. */
export class Authentication {
  readonly keys: Phase1Keys;
  readonly encryptionKey: Uint8Array;
  readonly #exchanged: Exchanged;
  readonly #chain: CbcChain;

  constructor(exchanged: Exchanged, psk: Uint8Array) {
    const { encryption, prf } = exchanged.proposal;
    this.#exchanged = exchanged;
    this.keys = phase1KeysPsk(prf, psk, exchanged);
    this.encryptionKey = phase1EncryptionKey(encryption, prf, this.keys.skeyidE);
    const iv = phase1Iv(encryption, prf, exchanged.publicI, exchanged.publicR);
    this.#chain = new CbcChain(encryption, this.encryptionKey, iv);
  }

  get lastBlock(): Uint8Array {
    return this.#chain.lastBlock;
  }

  /** Message 5 or 6: who this side is, and that it knows the key. */
  seal(initiator: boolean, identity: IkeIdentity, extra: readonly Payload[]): Uint8Array {
    const { cookieI, cookieR } = this.#exchanged;
    const idBody = encodeId(idOfIdentity(identity));
    const payloads: readonly Payload[] = [
      { type: PayloadType.identification, body: idBody },
      { type: PayloadType.hash, body: this.#hash(initiator, idBody) },
      ...extra,
    ];
    const nextPayload = firstType(payloads);
    const exchangeType = ExchangeType.mainMode;
    const header = { cookieI, cookieR, nextPayload, exchangeType, flags: HeaderFlag.encryption, messageId: 0 };
    return encodeMessage(header, this.#chain.seal(encodePayloads(payloads)));
  }

  /**
   * The peer's message 5 or 6, which is encrypted.
   * @param initiator whether the peer is the initiator.
   * @returns `undefined` when its HASH is wrong.
   * @throws DecodeError when it does not decrypt to payloads: mostly another key.
   */
  open(
    initiator: boolean,
    { header, body }: ReceivedMessage,
  ): { readonly identity: IkeIdentity; readonly payloads: readonly Payload[] } | undefined {
    const opened = this.#chain.open(body);
    const payloads = decodePayloads(header.nextPayload, opened.plaintext);
    const idBody = onlyBody(payloads, PayloadType.identification, 'Identification');
    const hash = onlyBody(payloads, PayloadType.hash, 'Hash');
    if (!equalSecrets(this.#hash(initiator, idBody), hash)) return undefined;
    opened.accept();
    return { identity: identityOfId(decodeId(idBody)), payloads };
  }

  #hash(initiator: boolean, idBody: Uint8Array): Uint8Array {
    const input: Phase1HashInput = { ...this.#exchanged, idBody };
    const { prf } = this.#exchanged.proposal;
    return initiator ? hashI(prf, this.keys.skeyid, input) : hashR(prf, this.keys.skeyid, input);
  }
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
