/**
 * What both sides of Quick Mode have in common (RFC 2409 section 5.5).
 *
 *     1  HDR*, HASH(1), SA, Ni [, KE] [, IDci, IDcr] [, NAT-OAi, NAT-OAr]  -->
 *     2                             <--  HDR*, HASH(2), SA, Nr [, KE] [, IDci, IDcr] [, NAT-OAi, NAT-OAr]
 *     3  HDR*, HASH(3)  -->
 */
import { DecodeError } from '../../bytes.ts';
import type { Failure, Instant, RandomSource } from '../../machine.ts';
import type { UdpPath } from '../../udp-path.ts';
import { phase2Keymat } from '../crypto/keys-v1.ts';
import type { ChildKeys, ChildSa } from '../ike-types.ts';
import { childProtocol, type EspProposal } from '../proposals.ts';
import type { IkeV1Counters } from './endpoint-types.ts';
import type { ReceivedMessage } from './header.ts';
import { decodeId, decodeNatOa, encodeId, encodeNatOa, type IdPayload } from './id-payload.ts';
import { decodeNotification, type Notification } from './notification.ts';
import { PayloadType, ProtocolId } from './numbers.ts';
import { bodiesOf, nonceOf, onlyBody, optionalBody, type Payload } from './payload.ts';
import type { Phase1Outcome } from './phase1.ts';
import type { ChildSelectors, ClientIds } from './quick-mode-selectors.ts';

/** What a Quick Mode needs of the ISAKMP SA around it. */
export interface QuickModeContext {
  readonly sa: Phase1Outcome;
  /** Where the peer is now. */
  readonly path: UdpPath;
  readonly random: RandomSource;
  readonly counters: IkeV1Counters;
  /** A free SPI for what this side receives. */
  freshSpi(): number;
  send(name: string, message: Uint8Array, detail?: string): void;
  received(name: string, detail?: string): void;
  /** Tells the peer that this side does not receive on these SPIs. */
  deleteChildren(inboundSpis: readonly number[]): void;
  /** To be replayed when the request comes again. */
  remember(messageId: number, request: Uint8Array, reply?: Uint8Array): void;
}

/** One side of a Quick Mode. Whoever drives it looks afterwards whether it is over, and how. */
export interface QuickMode {
  readonly initiator: boolean;
  readonly deadline: Instant | undefined;
  readonly over: boolean;
  /** Keys and all, once. */
  readonly agreed: AgreedChild | undefined;
  readonly failure: Failure | undefined;
  /** @returns whether the message was genuine. @throws DecodeError when it is malformed. */
  receive(now: Instant, message: ReceivedMessage): boolean;
  tick(now: Instant): void;
}

/** A child SA as Quick Mode leaves it. */
export interface AgreedChild {
  readonly initiator: boolean;
  readonly esp: EspProposal;
  readonly inboundSpi: number;
  readonly outboundSpi: number;
  readonly inbound: ChildKeys;
  readonly outbound: ChildKeys;
  readonly selectors: ChildSelectors;
  /** As they stood on the wire, so that a rekey asks for the same. */
  readonly ids?: ClientIds;
  readonly natOriginal?: NonNullable<ChildSa['natOriginal']>;
  /** Agreed, seconds. */
  readonly lifetime: number;
  /** The child SA that this one was made to replace. */
  readonly replaces?: number;
}

/** What is in message 1 and 2 behind the HASH. */
export interface QuickModeContent {
  readonly saBody: Uint8Array;
  readonly nonce: Uint8Array;
  readonly publicValue?: Uint8Array;
  /** IDci, IDcr. */
  readonly ids?: readonly [IdPayload, IdPayload];
  /** NAT-OAi, NAT-OAr; from some only the sender's own. */
  readonly natOriginal: readonly string[];
  readonly notifications: readonly Notification[];
}

/** @throws DecodeError when a payload is missing, malformed or there too often. */
export function decodeContent(payloads: readonly Payload[]): QuickModeContent {
  const publicValue = optionalBody(payloads, PayloadType.keyExchange, 'Key Exchange');
  const [idI, idR, ...more] = bodiesOf(payloads, PayloadType.identification).map(decodeId);
  if ((idI === undefined) !== (idR === undefined) || more.length > 0) throw new DecodeError('no pair of IDs');
  const natOa = [...bodiesOf(payloads, PayloadType.natOa), ...bodiesOf(payloads, PayloadType.natOaDraft)];
  return {
    saBody: onlyBody(payloads, PayloadType.sa, 'SA'),
    nonce: nonceOf(payloads).slice(),
    ...(publicValue === undefined ? {} : { publicValue: publicValue.slice() }),
    ...(idI === undefined || idR === undefined ? {} : { ids: [copyOf(idI), copyOf(idR)] }),
    natOriginal: natOa.slice(0, 2).map(decodeNatOa),
    notifications: bodiesOf(payloads, PayloadType.notification).map(decodeNotification),
  };
}

function copyOf(id: IdPayload): IdPayload {
  return { ...id, data: id.data.slice() };
}

/** Everything but notifications. @param draft whether the drafts' payload numbers are in use. */
export function encodeContent(content: Omit<QuickModeContent, 'notifications'>, draft: boolean): readonly Payload[] {
  const { saBody, nonce, publicValue, ids, natOriginal } = content;
  const natOa = draft ? PayloadType.natOaDraft : PayloadType.natOa;
  return [
    { type: PayloadType.sa, body: saBody },
    { type: PayloadType.nonce, body: nonce },
    ...(publicValue === undefined ? [] : [{ type: PayloadType.keyExchange, body: publicValue }]),
    ...(ids ?? []).map((id) => ({ type: PayloadType.identification, body: encodeId(id) })),
    ...natOriginal.map((address) => ({ type: natOa, body: encodeNatOa(address) })),
  ];
}

/** NAT-OAi and NAT-OAr as this side sees them; none where there is nothing to correct. */
export function ownNatOriginal({ sa, path }: QuickModeContext, initiator: boolean): readonly string[] {
  if (sa.connection.mode !== 'transport' || sa.nat.encapsulation === undefined) return [];
  const ours = path.local.address;
  const theirs = path.remote.address;
  return initiator ? [ours, theirs] : [theirs, ours];
}

/**
 * The addresses that the peer puts into its packets, where they are others than the ones seen here.
 * @param initiator whether this side is the initiator.
 */
export function originalAddresses(
  { sa, path }: QuickModeContext,
  initiator: boolean,
  received: readonly string[],
): AgreedChild['natOriginal'] {
  if (sa.connection.mode !== 'transport' || sa.nat.encapsulation === undefined) return undefined;
  const [first, second] = received;
  // One address alone, as by draft 02, is the sender's own.
  const theirs = initiator ? (second ?? first) : first;
  const ours = second === undefined ? undefined : initiator ? first : second;
  const remote = theirs === path.remote.address ? undefined : theirs;
  const local = ours === path.local.address ? undefined : ours;
  if (remote === undefined && local === undefined) return undefined;
  return { ...(local === undefined ? {} : { local }), ...(remote === undefined ? {} : { remote }) };
}

/** Keys of both directions (RFC 2409 section 5.5): each is made with the SPI of whoever receives. */
export function childKeys(
  { proposal, keys }: Phase1Outcome,
  esp: EspProposal,
  seed: { readonly nonceI: Uint8Array; readonly nonceR: Uint8Array; readonly sharedSecret?: Uint8Array },
  spis: { readonly inboundSpi: number; readonly outboundSpi: number },
): { readonly inbound: ChildKeys; readonly outbound: ChildKeys } {
  const phase1 = { hash: proposal.prf, skeyidD: keys.skeyidD };
  const protocol = ProtocolId[childProtocol(esp)];
  return {
    inbound: phase2Keymat(esp, phase1, { ...seed, protocol, spi: spis.inboundSpi }),
    outbound: phase2Keymat(esp, phase1, { ...seed, protocol, spi: spis.outboundSpi }),
  };
}
