/** PPP frames on their way from one session to another: a call that is switched into another tunnel. */
import type { Instant } from '../../protocol/machine.ts';
import { emptyPppHeader, readPppHeader } from '../../protocol/ppp/header.ts';
import type { SessionKey } from '../data-plane.ts';
import type { L2tpSender } from './l2tp-sender.ts';
import type { L2tpSession } from './l2tp-session.ts';
import { HEADROOM, MAX_PACKET, TAILROOM } from './packet-room.ts';
import { PPP_ADDRESS_CONTROL } from './ppp-path.ts';
import type { SessionTable } from './session-table.ts';

/** PPP protocol numbers from here on are those of control protocols (RFC 1661 section 2). */
const FIRST_CONTROL_PROTOCOL = 0x8000;

export class L2tpRelay {
  readonly #table: SessionTable;
  readonly #sender: L2tpSender;
  readonly #ppp = emptyPppHeader();
  /** A frame on its way, whose headers may be longer than those that it came with. */
  readonly #relayed = new Uint8Array(HEADROOM + 4 + MAX_PACKET + TAILROOM);

  constructor(table: SessionTable, sender: L2tpSender) {
    this.#table = table;
    this.#sender = sender;
  }

  /** The PPP frame `bytes[at..at+length)` goes on by another session, in any of its header forms. */
  frame(from: L2tpSession, key: SessionKey, bytes: Uint8Array, at: number, length: number, now: Instant): void {
    const to = this.#table.session(key);
    if (to?.kind !== 'l2tp') {
      from.drops.networkClosed += 1;
      return;
    }
    const ppp = this.#ppp;
    if (!readPppHeader(bytes, at, at + length, ppp)) {
      from.drops.malformed += 1;
      return;
    }
    from.packetsReceived += 1;
    from.octetsReceived += length;
    const room = this.#relayed;
    let end = HEADROOM + length;
    if (ppp.protocol >= FIRST_CONTROL_PROTOCOL) {
      // With full headers: Linux drops messages of less than 14 octets, such as a CHAP Success without them.
      room.set(PPP_ADDRESS_CONTROL, HEADROOM);
      room[HEADROOM + 2] = ppp.protocol >>> 8;
      room[HEADROOM + 3] = ppp.protocol;
      room.set(bytes.subarray(ppp.offset, ppp.offset + ppp.length), HEADROOM + 4);
      end = HEADROOM + 4 + ppp.length;
    } else {
      room.set(bytes.subarray(at, at + length), HEADROOM);
    }
    if (!this.#sender.send(to, room, HEADROOM, end, now, true)) return;
    to.packetsSent += 1;
    to.octetsSent += length;
  }
}
