/** Notify payloads (RFC 7296 section 3.10): made and found. */
import { FIRST_STATUS_TYPE, NOTIFY, type NotifyName, notifyText, PROTOCOL } from './numbers.ts';
import { findAll, type Payload, type PayloadOf } from './payload.ts';

const NOTHING = new Uint8Array(0);

export type NotifyPayload = PayloadOf<'N'>;

/** A notification about the IKE SA, or about none. */
export function notify(name: NotifyName, data: Uint8Array = NOTHING): NotifyPayload {
  return { kind: 'N', protocol: PROTOCOL.none, spi: NOTHING, type: NOTIFY[name], data };
}

/** A notification about a child SA. @param spi 4 octets. @param protocol of ESP or AH. */
export function notifyChild(name: NotifyName, spi: Uint8Array, protocol: number): NotifyPayload {
  return { kind: 'N', protocol, spi, type: NOTIFY[name], data: NOTHING };
}

/** The first notification of this type. */
export function findNotify(payloads: readonly Payload[], name: NotifyName): NotifyPayload | undefined {
  return findNotifies(payloads, name)[0];
}

/** All notifications of this type. */
export function findNotifies(payloads: readonly Payload[], name: NotifyName): readonly NotifyPayload[] {
  return findAll(payloads, 'N').filter(({ type }) => type === NOTIFY[name]);
}

/** The first notification that is an error. */
export function findError(payloads: readonly Payload[]): NotifyPayload | undefined {
  return findAll(payloads, 'N').find(({ type }) => type < FIRST_STATUS_TYPE);
}

/** `SA KEr Nonce N(COOKIE)`: the payloads in the RFC's shorthand, for the trace. */
export function payloadsText(payloads: readonly Payload[]): string {
  return payloads.map((payload) => (payload.kind === 'N' ? `N(${notifyText(payload.type)})` : payload.kind)).join(' ');
}
