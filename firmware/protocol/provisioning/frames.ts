/**
 * Frames of the provisioning protocol (docs/provisioning.md): each is a line of text, so that a terminal line carries it whatever it does
 * to control characters, and whatever else is printed there between the lines is no frame.
 */

/** What starts a transfer, on a line of its own. */
export const START_MARK = 'culvert-provision/1';

/** Octets of a block. 384 are 512 characters: a twentieth of a second at 115200 baud. */
export const BLOCK_OCTETS = 384;
/** Octets of a payload at most: a result with its words. */
export const MAX_PAYLOAD = 2048;
/** Octets of a bundle at most: a configuration of 1 MiB, encrypted and in base64. */
export const MAX_BUNDLE = 1536 * 1024;

/** Sequence number of an `F` that says why there is no transfer at all. */
export const NOT_HERE = 0xffff;

/**
 * From the router: `R` ready, `A` acknowledged, `N` this block is wanted next, `O` in force, `F` refused or failed.
 * To the router: `H` what is coming, `D` a block, `E` that was all, `X` broken off, `K` the result has been seen.
 */
export type FrameType = 'R' | 'A' | 'N' | 'O' | 'F' | 'H' | 'D' | 'E' | 'X' | 'K';

export interface Frame {
  readonly type: FrameType;
  /** 0..65535. */
  readonly sequence: number;
  readonly payload: Uint8Array;
}

/** `:`, the type, the sequence number, the payload in base64, and CRC-32 of all that but the colon. */
const LINE = /^:([A-Z])([0-9a-f]{4})([A-Za-z0-9+/]*={0,2})([0-9a-f]{8})$/;
const TYPES = 'RANOFHDEXK';
/** Characters of a line at most; a longer one is noise. */
const MAX_LINE = 14 + Math.ceil(MAX_PAYLOAD / 3) * 4;

/** @param payload up to {@link MAX_PAYLOAD} octets. @returns a line, with an end of line before it, for another one may be unfinished. */
export function encodeFrame(type: FrameType, sequence: number, payload: Uint8Array = new Uint8Array()): Uint8Array {
  if (payload.length > MAX_PAYLOAD || sequence < 0 || sequence > 0xffff)
    throw new RangeError(`no frame holds ${payload.length} octets as number ${sequence}`);
  const body = `${type}${hex(sequence, 4)}${Buffer.from(payload).toString('base64')}`;
  return Buffer.from(`\r\n:${body}${hex(crc32(Buffer.from(body, 'latin1')), 8)}\r\n`, 'latin1');
}

/** From octets of a line to frames. `garbled`: something came that may have been one. */
export class FrameReader {
  #line = '';
  #tooLong = false;

  /** What has come last is the beginning of a frame, or of what was one. */
  get withinFrame(): boolean {
    return this.#line.startsWith(':');
  }

  take(octets: Uint8Array): readonly (Frame | 'garbled')[] {
    const found: (Frame | 'garbled')[] = [];
    for (const octet of octets) {
      if (octet !== 0x0a && octet !== 0x0d) {
        if (this.#line.length >= MAX_LINE) this.#tooLong = true;
        else this.#line += String.fromCharCode(octet);
        continue;
      }
      const frame = this.#tooLong ? 'garbled' : parse(this.#line);
      this.#line = '';
      this.#tooLong = false;
      if (frame !== undefined) found.push(frame);
    }
    return found;
  }
}

function parse(line: string): Frame | 'garbled' | undefined {
  if (!line.startsWith(':')) return undefined;
  const [, type = '', sequence = '', base64 = '', crc = ''] = LINE.exec(line) ?? [];
  const payload = Buffer.from(base64, 'base64');
  const whole = crc === hex(crc32(Buffer.from(`${type}${sequence}${base64}`, 'latin1')), 8);
  if (type === '' || !TYPES.includes(type) || !whole || payload.toString('base64') !== base64) return 'garbled';
  return { type: type as FrameType, sequence: Number.parseInt(sequence, 16), payload: Uint8Array.from(payload) };
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

/** ISO 3309 and RFC 1952 section 8: reflected, polynomial 0xedb88320. */
const TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** CRC-32, 0..2^32-1. */
export function crc32(octets: Uint8Array): number {
  let crc = 0xffffffff;
  for (const octet of octets) crc = (crc >>> 8) ^ (TABLE[(crc ^ octet) & 0xff] ?? 0);
  return (crc ^ 0xffffffff) >>> 0;
}

/** Payload of `R`, and what is asked about a router before anything is sent to it. */
export interface Ready {
  readonly hostname: string;
  readonly version: string;
  /** Provisioning key of the router: X25519, 32 octets in base64url. */
  readonly device: string;
}

/** Payload of `O` and `F`: lines for a person. */
export interface TransferResult {
  readonly ok: boolean;
  readonly lines: readonly string[];
}

/** Payload of `H`. */
export interface Header {
  readonly octets: number;
  /** 64 hexadecimal digits. */
  readonly sha256: string;
}

export function encodeJson(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value), 'utf8');
}

/** @returns `undefined` for what is no JSON object. */
export function decodeJson(payload: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(payload).toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}

/** The lines that fit a frame; of what does not, it is said that there is more. */
export function resultPayload({ lines }: TransferResult): Uint8Array {
  for (let count = lines.length; count >= 0; count -= 1) {
    const kept = lines.slice(0, count).map((line) => line.slice(0, 500));
    const payload = encodeJson(
      count === lines.length ? kept : [...kept, 'and more: look at "show log" and "show history"'],
    );
    if (payload.length <= MAX_PAYLOAD) return payload;
  }
  return new Uint8Array();
}

export function decodeResult(type: FrameType, payload: Uint8Array): TransferResult {
  const lines: unknown = decodeJson(payload);
  const ok = type === 'O';
  return { ok, lines: Array.isArray(lines) ? lines.filter((line): line is string => typeof line === 'string') : [] };
}
