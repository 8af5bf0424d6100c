/** What a peer tells people by LCP (RFC 1570): who it is, and how much time is left. */
import { ByteReader, ByteWriter, utf8Bytes } from '../bytes.ts';
import { printable } from '../printable.ts';
import { type ControlPacket, IDENTIFICATION, TIME_REMAINING } from './packet.ts';

/** Words of one peer that are passed on: enough for hours of an honest one, and no flood from another. */
const MAX_NOTICES = 32;
/** Octets of a message that are looked at. */
const MAX_MESSAGE = 256;
/** Seconds-Remaining of a session without an end (RFC 1570 section 2.2). */
const FOR_EVER = 0xffffffff;

/** The words of one peer. */
export class LcpNotices {
  readonly #last = new Map<number, string>();
  #count = 0;

  /**
   * @returns what is new in an Identification or Time-Remaining, printable; `undefined` when nothing is, or too much was.
   * @throws DecodeError when the packet is too short.
   */
  take({ code, data }: ControlPacket): string | undefined {
    const text = this.#read(code, new ByteReader(data));
    if (text === undefined || text === this.#last.get(code) || this.#count >= MAX_NOTICES) return undefined;
    this.#count += 1;
    this.#last.set(code, text);
    return text;
  }

  #read(code: number, reader: ByteReader): string | undefined {
    reader.u32('Magic-Number');
    if (code === IDENTIFICATION) return words(reader) || undefined;
    if (code !== TIME_REMAINING) return undefined;
    const seconds = reader.u32('Seconds-Remaining');
    const text = words(reader);
    return `${seconds === FOR_EVER ? 'no end' : `${seconds} s remaining`}${text === '' ? '' : `: ${text}`}`;
  }
}

/** The data of a Time-Remaining (RFC 1570 section 2.2). @param seconds 0..4294967294. */
export function encodeTimeRemaining(magic: number, seconds: number, text: string): Uint8Array {
  const message = utf8Bytes(text).subarray(0, MAX_MESSAGE);
  return new ByteWriter().u32(magic).u32(seconds).bytes(message).finish();
}

/** Senders end their message with a null octet now and then. */
function words(reader: ByteReader): string {
  return printable(reader.rest().subarray(0, MAX_MESSAGE)).replace(/(\\x00)+$/, '');
}
