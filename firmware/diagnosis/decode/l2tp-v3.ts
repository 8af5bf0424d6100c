/** L2TPv3 over UDP (RFC 3931 sections 3.2.1 and 4.1.2): recognised, and said by name; its AVPs are not read. */
import type { DecodedBody } from './decoded.ts';
import { FieldError, FieldReader, type Octets } from './field-reader.ts';

const CONTROL = 0x8000;
/** Octets before the value of an AVP, and where its type stands. */
const AVP_HEADER = 6;

/** Message Types (RFC 3931 section 3.1), as far as they are those of L2TPv2 or new. */
const MESSAGES: ReadonlyMap<number, string> = new Map([
  [1, 'SCCRQ'],
  [2, 'SCCRP'],
  [3, 'SCCCN'],
  [4, 'StopCCN'],
  [6, 'HELLO'],
  [7, 'OCRQ'],
  [8, 'OCRP'],
  [9, 'OCCN'],
  [10, 'ICRQ'],
  [11, 'ICRP'],
  [12, 'ICCN'],
  [14, 'CDN'],
  [15, 'WEN'],
  [16, 'SLI'],
  [20, 'ACK'],
]);

/** Whether it is a data message, with a user's frame in it. */
export function isL2tpv3Data({ bytes }: Octets): boolean {
  return ((bytes[0] ?? 0) & (CONTROL >>> 8)) === 0;
}

export function l2tpv3Body(message: Octets): DecodedBody {
  try {
    return read(new FieldReader(message));
  } catch (error) {
    if (!(error instanceof FieldError)) throw error;
    const { fault } = error;
    return {
      protocol: 'l2tpv3',
      summary: `malformed L2TPv3 message: ${fault.field}: ${fault.reason}`,
      fields: {},
      error: fault,
    };
  }
}

function read(reader: FieldReader): DecodedBody {
  const bits = reader.u16('L2TPv3 header');
  if ((bits & CONTROL) === 0) {
    reader.u16('Reserved');
    const sessionId = reader.u32('Session ID');
    return { protocol: 'l2tpv3', summary: `L2TPv3 data, session ${sessionId}`, fields: { version: 3, sessionId } };
  }
  reader.u16('Length');
  const controlConnectionId = reader.u32('Control Connection ID');
  const ns = reader.u16('Ns');
  const nr = reader.u16('Nr');
  const messageType = reader.remaining === 0 ? 'ZLB' : typeOf(reader);
  return {
    protocol: 'l2tpv3',
    summary: `${messageType} (L2TPv3) control connection ${controlConnectionId} Ns ${ns} Nr ${nr}`,
    fields: { version: 3, messageType, controlConnectionId, ns, nr },
  };
}

/** The Message Type AVP is the first one. */
function typeOf(reader: FieldReader): string {
  reader.bytes(AVP_HEADER, 'Message Type AVP');
  const type = reader.u16('Message Type');
  return MESSAGES.get(type) ?? `message type ${type}`;
}
