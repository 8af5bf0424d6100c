/** The Informational Exchange under an ISAKMP SA (RFC 2409 section 5.7): what a genuine one asks for. */
import { ByteReader, ByteWriter, concatBytes, hex } from '../../bytes.ts';
import type { CertificateFlaw } from '../certificate-refusal.ts';
import { hash1 } from '../crypto/keys-v1.ts';
import { refusedFor } from './certificate-refusal.ts';
import {
  decodeDelete,
  decodeNotification,
  encodeDelete,
  encodeNotification,
  isakmpNotification,
  spiNumber,
  spiOctets,
} from './notification.ts';
import {
  ExchangeType,
  FIRST_STATUS_TYPE,
  NotifyType,
  notifyName,
  PayloadType,
  Phase1Attribute,
  ProtocolId,
} from './numbers.ts';
import type { Payload } from './payload.ts';
import type { Phase1Outcome } from './phase1.ts';
import { secondsOf } from './phase1-transforms.ts';
import { Phase2Messages, type Phase2Protection } from './phase2-message.ts';
import { phase2Protocol } from './phase2-transforms.ts';
import { decodeAttributes } from './sa-payload.ts';

/** What payloads can bring about. */
export interface InformationalEffects {
  received(detail: string): void;
  /** @param spi what the peer received on. */
  childDeleted(spi: number): void;
  /** @param key both cookies in hexadecimal. */
  isakmpDeleted(key: string): void;
  /** Whether the ISAKMP SA itself is no more. */
  over(): boolean;
  initialContact(): void;
  /** R-U-THERE, to be answered. */
  areYouThere(sequence: number): void;
  /** R-U-THERE-ACK. */
  hereIAm(sequence: number): void;
  /** RESPONDER-LIFETIME of the ISAKMP SA. */
  shorten(seconds: number): void;
  /** The peer does not believe who this side is. @param flaw what is wrong with the certificate, where it says so. */
  disbelieved(flaw: CertificateFlaw | undefined): void;
  /** A Quick Mode of ours is refused. @param spi where the notification names one. */
  refused(type: number, spi: number | undefined): void;
}

/**
 * Goes through the payloads in order. Once a Delete has ended the ISAKMP SA, no later payload is looked at.
 * @throws DecodeError when a payload is malformed.
 */
export function handleInformational(
  sa: Phase1Outcome,
  payloads: readonly Payload[],
  effects: InformationalEffects,
): void {
  for (const { type, body } of payloads) {
    if (effects.over()) return;
    if (type === PayloadType.delete) handleDelete(sa, body, effects);
    else if (type === PayloadType.notification) handleNotification(sa, body, payloads, effects);
  }
}

function handleDelete(sa: Phase1Outcome, body: Uint8Array, effects: InformationalEffects): void {
  const childProtocol = phase2Protocol(sa.connection.espProposals);
  const { protocol, spis } = decodeDelete(body);
  effects.received(protocol === ProtocolId.isakmp ? 'DELETE of the ISAKMP SA' : 'DELETE of a child SA');
  for (const octets of spis) {
    if (effects.over()) return;
    const spi = spiNumber(octets);
    if (protocol === ProtocolId.isakmp) effects.isakmpDeleted(hex(octets));
    else if (protocol === childProtocol && spi !== undefined) effects.childDeleted(spi);
  }
}

function handleNotification(
  sa: Phase1Outcome,
  body: Uint8Array,
  payloads: readonly Payload[],
  effects: InformationalEffects,
): void {
  const { type, protocol, spi, data } = decodeNotification(body);
  effects.received(notifyName(type));
  if (type === NotifyType.initialContact) effects.initialContact();
  else if (type === NotifyType.rUThere || type === NotifyType.rUThereAck) {
    // The SPI should be this SA's cookies (RFC 3706 section 6.1); some leave it out.
    if (spi.length > 0 && hex(spi) !== hex(concatBytes(sa.cookieI, sa.cookieR))) return;
    const sequence = new ByteReader(data).u32('sequence number');
    if (type === NotifyType.rUThere) effects.areYouThere(sequence);
    else effects.hereIAm(sequence);
  } else if (type === NotifyType.responderLifetime && protocol === ProtocolId.isakmp) {
    const seconds = secondsOf(decodeAttributes(data), Phase1Attribute);
    if (seconds !== undefined) effects.shorten(seconds);
  } else if (type === NotifyType.authenticationFailed) effects.disbelieved(refusedFor(sa.vendor, payloads));
  else if (type < FIRST_STATUS_TYPE) effects.refused(type, spiNumber(spi));
}

/** R-U-THERE or its ACK (RFC 3706 section 5.3). */
export function dpdPayload({ cookieI, cookieR }: Phase1Outcome, type: number, sequence: number): Payload {
  const data = new ByteWriter(4).u32(sequence).finish();
  const body = isakmpNotification(type, concatBytes(cookieI, cookieR), data);
  return { type: PayloadType.notification, body };
}

/** Says that this ISAKMP SA is no more (RFC 2408 section 3.15). */
export function deletePayload({ cookieI, cookieR }: Phase1Outcome): Payload {
  const body = encodeDelete({ protocol: ProtocolId.isakmp, spis: [concatBytes(cookieI, cookieR)] });
  return { type: PayloadType.delete, body };
}

/** An Informational with a HASH (section 5.7). @param messageId that was not used before. */
export function sealInformational(sa: Phase2Protection, messageId: number, payloads: readonly Payload[]): Uint8Array {
  const messages = new Phase2Messages(sa, ExchangeType.informational, messageId);
  return messages.seal(payloads, (covered) => hash1(sa.proposal.prf, sa.keys.skeyidA, messageId, covered));
}

/** Says that this side no longer receives on these SPIs. */
export function childDeletePayload({ connection }: Phase1Outcome, inboundSpis: readonly number[]): Payload {
  const protocol = phase2Protocol(connection.espProposals);
  return { type: PayloadType.delete, body: encodeDelete({ protocol, spis: inboundSpis.map(spiOctets) }) };
}

/** Refuses a Quick Mode. */
export function errorPayload({ connection }: Phase1Outcome, type: number): Payload {
  const protocol = phase2Protocol(connection.espProposals);
  const nothing = new Uint8Array(0);
  const body = encodeNotification({ protocol, spi: nothing, type, data: nothing });
  return { type: PayloadType.notification, body };
}
