/** Payloads one behind the other, in both versions (RFC 2408 section 3.2, RFC 7296 section 3.2). */
import type { DecodeFault, Fields, FieldValue } from '../decoded.ts';
import { type FieldReader, faultOf } from '../field-reader.ts';

/** What is said of a payload, as far as it could be read. */
export type Out = Record<string, FieldValue>;

/** Payloads of one message that are told; real messages have some twenty. */
const MAX_PAYLOADS = 256;

/** Octets of the generic payload header. */
export const GENERIC_HEADER = 4;

export interface PayloadHeader {
  readonly type: number;
  /** Type of the payload behind it; of Encrypted payloads, of the first one inside. */
  readonly next: number;
  /** The octet that holds the critical bit in IKEv2, and nothing in IKEv1. */
  readonly flags: number;
  /** Of the payload, header included. */
  readonly length: number;
}

export interface Chain {
  readonly payloads: readonly Fields[];
  /** The first one. */
  readonly fault?: DecodeFault;
}

/** Adds what a payload says to `out`. @throws FieldError */
export type Describe = (header: PayloadHeader, body: FieldReader, out: Out) => void;

/**
 * Reads payloads until the last one. What is wrong within one payload does not keep the next from being read.
 * @param isLast whether the payloads end with one of this type, whatever its Next Payload says.
 */
export function readChain(
  first: number,
  reader: FieldReader,
  describe: Describe,
  isLast: (type: number) => boolean = () => false,
): Chain {
  const payloads: Out[] = [];
  let inside: DecodeFault | undefined;
  const fault = faultOf(() => {
    for (let type = first; type !== 0; ) {
      if (payloads.length >= MAX_PAYLOADS) reader.fail('Next Payload', `there are more than ${MAX_PAYLOADS} payloads`);
      const next = reader.u8('Next Payload');
      const flags = reader.u8('Critical bit');
      const at = reader.offset;
      const length = reader.u16('Payload Length');
      if (length < GENERIC_HEADER) reader.fail('Payload Length', `${length} is less than the header has`, at);
      if (length - GENERIC_HEADER > reader.remaining) {
        const there = reader.remaining + GENERIC_HEADER;
        reader.fail(
          'Payload Length',
          `payload ${payloads.length + 1} has ${length} octets, and ${there} are there`,
          at,
        );
      }
      const out: Out = {};
      payloads.push(out);
      const body = reader.part(length - GENERIC_HEADER, 'payload');
      const wrong = faultOf(() => describe({ type, next, flags, length }, body, out));
      inside ??= wrong;
      if (isLast(type)) return;
      type = next;
    }
  });
  const earliest = inside ?? fault;
  return earliest === undefined ? { payloads } : { payloads, fault: earliest };
}
