/** What IKE messages of a capture say, as far as followers of both versions need it. */
import type { DecodedMessage, Fields } from '../decode/decoded.ts';
import { isFields, listOf, textOf } from './fields.ts';

/** Offers shown. */
const MAX_OFFERS = 6;

/** Notifications below this say that something is wrong (RFC 2408 section 3.14.1, RFC 7296 section 3.10.1). */
const FIRST_STATUS_TYPE = 16_384;

/** One message that was sent, perhaps again and again. */
export interface Sent {
  times: number;
  readonly first: number;
  last: number;
  /** Octets of the IKE message. */
  readonly length: number;
  /** UDP port that it was last sent to. */
  port: number;
}

/** Not answered for so long, or sent so often, a message is lost: ms, times. */
const LOST_MS = 3000;
const LOST_TIMES = 3;

export function noteSent(before: Sent | undefined, { fields, time, destination }: DecodedMessage): Sent {
  if (before !== undefined) {
    before.times += 1;
    before.last = time;
    before.port = destination.port;
    return before;
  }
  return { times: 1, first: time, last: time, length: Number(fields['length'] ?? 0), port: destination.port };
}

export function isLost(sent: Sent, now: number): boolean {
  return sent.times >= LOST_TIMES || now - sent.first >= LOST_MS;
}

/** All payloads, those that were decrypted too. */
export function payloadsOf(fields: Fields): readonly Fields[] {
  return listOf(fields, 'payloads').flatMap((payload) => [payload, ...payloadsOf(payload)]);
}

export function hasPayload(fields: Fields, name: string): boolean {
  return payloadsOf(fields).some((payload) => payload['name'] === name);
}

/** The first notification that says that something is wrong, by its name; not decrypted ones are not seen. */
export function errorOf(fields: Fields): { readonly type: number; readonly name: string } | undefined {
  for (const payload of payloadsOf(fields)) {
    const { notifyType } = payload;
    if (typeof notifyType === 'number' && notifyType < FIRST_STATUS_TYPE) {
      return { type: notifyType, name: textOf(payload, 'notify') };
    }
  }
  return undefined;
}

/** Whether what is encrypted could not be read. */
export function isClosed(fields: Fields): boolean {
  if (fields['decrypted'] === false) return true;
  return listOf(fields, 'payloads').some((payload) => payload['decrypted'] === false);
}

export function isEncrypted(fields: Fields): boolean {
  const flags = fields['flags'];
  return isFields(flags) && flags['encryption'] === true;
}

/** The proposals of an SA payload in a few words: `AES-CBC 256 SHA1 1024-bit MODP, ...`. */
export function offerOf(fields: Fields): string {
  const sa = payloadsOf(fields).find((payload) => payload['name'] === 'SA');
  const offers = sa === undefined ? [] : listOf(sa, 'proposals').flatMap(proposalTexts);
  const more = offers.length > MAX_OFFERS ? ` and ${offers.length - MAX_OFFERS} more` : '';
  return offers.length === 0 ? 'nothing that can be read' : `${offers.slice(0, MAX_OFFERS).join(', ')}${more}`;
}

function proposalTexts(proposal: Fields): readonly string[] {
  const transforms = listOf(proposal, 'transforms');
  // In IKEv1 each transform is a whole offer, in IKEv2 they are the parts of one.
  if (transforms.some((transform) => listOf(transform, 'attributes').length > 0)) return transforms.map(transformText);
  return [transforms.map((transform) => textOf(transform, 'algorithm') || textOf(transform, 'name')).join(' ')];
}

const SHOWN = ['Encryption Algorithm', 'Key Length', 'Hash Algorithm', 'Group Description'];

function transformText(transform: Fields): string {
  const attributes = listOf(transform, 'attributes');
  return SHOWN.flatMap((name) => {
    const attribute = attributes.find((one) => one['name'] === name);
    return attribute === undefined ? [] : [String(attribute['meaning'] ?? attribute['value'])];
  }).join(' ');
}
