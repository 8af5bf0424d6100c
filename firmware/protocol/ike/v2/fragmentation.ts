/** Message fragmentation (RFC 7383): encrypted messages cut before IP would do it, and put together again. */
import { concatBytes } from '../../bytes.ts';
import type { Instant } from '../../machine.ts';
import type { FragmentNumber, MessageProtection, Opened } from './encrypted.ts';
import type { IkeHeader } from './header.ts';

/** Fragments of one message: 64 of the usual size are more than any chain of certificates takes. */
export const MAX_FRAGMENTS = 64;

/** Octets of one message put together. */
const MAX_MESSAGE_OCTETS = 65_536;

/** How long fragments wait for the others, ms: about as long as a peer goes on retransmitting. */
const REASSEMBLY_MS = 30_000;

/**
 * One datagram, or several when it would be longer than `limit` octets.
 * @param limit octets of an IKE message, without UDP header; `undefined` when the peer cannot reassemble.
 */
export function sealMessage(
  protection: MessageProtection,
  header: IkeHeader,
  firstType: number,
  content: Uint8Array,
  limit: number | undefined,
): readonly Uint8Array[] {
  if (limit === undefined || content.length <= protection.room(limit)) {
    return [protection.seal(header, firstType, content)];
  }
  const room = Math.max(protection.room(limit), Math.ceil(content.length / MAX_FRAGMENTS));
  const total = Math.ceil(content.length / room);
  return Array.from({ length: total }, (_, index) => {
    const chunk = content.subarray(index * room, (index + 1) * room);
    return protection.seal(header, index === 0 ? firstType : 0, chunk, { number: index + 1, total });
  });
}

interface Pending {
  readonly messageId: number;
  readonly total: number;
  readonly since: Instant;
  readonly parts: Map<number, Opened>;
}

/** Fragments of the one message that is awaited in one direction. Only such as verified come in here. */
export class Reassembly {
  #pending: Pending | undefined;

  /** Whether a fragment brings something new: before it is decrypted (section 2.6). */
  wants(now: Instant, messageId: number, { number, total }: FragmentNumber): boolean {
    if (total > MAX_FRAGMENTS) return false;
    const pending = this.#current(now, messageId);
    return pending === undefined || total > pending.total || (total === pending.total && !pending.parts.has(number));
  }

  /** Takes a verified fragment. @returns the message, once it is complete. */
  add(now: Instant, messageId: number, opened: Opened): Opened | undefined {
    const { fragment } = opened;
    if (fragment === undefined) return opened;
    if (!this.wants(now, messageId, fragment)) return undefined;
    let pending = this.#current(now, messageId);
    if (pending === undefined || fragment.total > pending.total) {
      pending = { messageId, total: fragment.total, since: now, parts: new Map() };
      this.#pending = pending;
    }
    pending.parts.set(fragment.number, opened);
    const octets = [...pending.parts.values()].reduce((sum, part) => sum + part.content.length, 0);
    if (octets > MAX_MESSAGE_OCTETS) this.#pending = undefined;
    if (pending.parts.size < pending.total || octets > MAX_MESSAGE_OCTETS) return undefined;
    this.#pending = undefined;
    const parts = Array.from({ length: pending.total }, (_, index) => pending.parts.get(index + 1));
    return {
      firstType: parts[0]?.firstType ?? 0,
      reserved: parts[0]?.reserved ?? 0,
      content: concatBytes(...parts.map((part) => part?.content ?? new Uint8Array(0))),
    };
  }

  #current(now: Instant, messageId: number): Pending | undefined {
    const pending = this.#pending;
    if (pending?.messageId !== messageId || now - pending.since > REASSEMBLY_MS) return undefined;
    return pending;
  }
}
