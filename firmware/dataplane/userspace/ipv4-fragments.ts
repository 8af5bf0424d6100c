/** Cuts an IPv4 packet into fragments (RFC 791 section 3.2, "an example fragmentation procedure"). */
import { putIpv4Checksum } from '../../protocol/esp/internet-checksum.ts';
import { IPV4_HEADER, type IpPacket } from '../../protocol/esp/ip-packet.ts';
import { putU16, u8, u16 } from '../../protocol/esp/octets.ts';
import { HEADROOM, MAX_PACKET, TAILROOM } from './packet-room.ts';

const DONT_FRAGMENT = 0x4000;
const MORE_FRAGMENTS = 0x2000;
const FRAGMENT_OFFSET = 0x1fff;
/** Fragment offsets count units of this many octets. */
const UNIT = 8;

/** Option types (RFC 791 section 3.1). */
const END_OF_OPTIONS = 0;
const NO_OPERATION = 1;
/** Bit of an option's type: it belongs into every fragment. */
const COPIED = 0x80;
/** Longest IPv4 header, octets. */
const MAX_HEADER = 60;

/** Whether the IPv4 packet at `at` must not be fragmented. */
export function dontFragment(bytes: Uint8Array, at: number): boolean {
  return (u16(bytes, at + 6) & DONT_FRAGMENT) !== 0;
}

export class Ipv4Fragmenter {
  readonly #buffer = new Uint8Array(HEADROOM + MAX_PACKET + TAILROOM);
  /** The header of the fragments behind the first. */
  readonly #laterHeader = new Uint8Array(MAX_HEADER);

  /**
   * Hands out the fragments of the packet, in order, each in a buffer with room around it that may be overwritten.
   * @param packet an IPv4 packet in `bytes`, larger than `mtu`; may be a fragment itself.
   * @param mtu octets of the largest fragment.
   * @param emit takes the fragment at `buffer[at..at+length)`.
   * @returns false when nothing fits `mtu`, or the packet ends where no datagram can; there were no fragments then.
   */
  cut(
    bytes: Uint8Array,
    packet: IpPacket,
    mtu: number,
    emit: (buffer: Uint8Array, at: number, length: number) => void,
  ): boolean {
    const { offset, payloadAt, length } = packet;
    const firstHeader = payloadAt - offset;
    if (mtu < firstHeader + UNIT) return false;
    const field = u16(bytes, offset + 6);
    const end = offset + length;
    // An offset that is too great for its field would run over into the flags.
    if ((field & FRAGMENT_OFFSET) * UNIT + end - payloadAt > MAX_PACKET) return false;
    const laterHeader = this.#putLaterHeader(bytes, offset, firstHeader);
    let header = firstHeader;
    for (let from = payloadAt; from < end; ) {
      const room = Math.floor((mtu - header) / UNIT) * UNIT;
      const last = end - from <= mtu - header;
      const octets = last ? end - from : room;
      const buffer = this.#buffer;
      if (from === payloadAt) buffer.set(bytes.subarray(offset, payloadAt), HEADROOM);
      else buffer.set(this.#laterHeader.subarray(0, header), HEADROOM);
      buffer.set(bytes.subarray(from, from + octets), HEADROOM + header);
      const fragmentOffset = (field & FRAGMENT_OFFSET) + (from - payloadAt) / UNIT;
      const more = last ? field & MORE_FRAGMENTS : MORE_FRAGMENTS;
      putU16(buffer, HEADROOM + 2, header + octets);
      putU16(buffer, HEADROOM + 6, more | fragmentOffset);
      putIpv4Checksum(buffer, HEADROOM, header);
      emit(buffer, HEADROOM, header + octets);
      from += octets;
      header = laterHeader;
    }
    return true;
  }

  /** Writes the header with those options only that are copied. @returns its octets. */
  #putLaterHeader(bytes: Uint8Array, offset: number, header: number): number {
    const into = this.#laterHeader;
    into.fill(0);
    into.set(bytes.subarray(offset, offset + IPV4_HEADER));
    let end = IPV4_HEADER;
    for (let at = IPV4_HEADER; at < header; ) {
      const type = u8(bytes, offset + at);
      if (type === END_OF_OPTIONS) break;
      const length = type === NO_OPERATION ? 1 : u8(bytes, offset + at + 1);
      // Options that contradict themselves are left out.
      if (length < 1 || at + length > header) break;
      if ((type & COPIED) !== 0) {
        into.set(bytes.subarray(offset + at, offset + at + length), end);
        end += length;
      }
      at += length;
    }
    // Zeros behind them are End of Option List.
    end = Math.ceil(end / 4) * 4;
    into[0] = 0x40 | (end / 4);
    return end;
  }
}
