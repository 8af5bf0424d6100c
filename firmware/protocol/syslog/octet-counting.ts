/** How messages follow each other in a stream: the octets of each are told before it (RFC 6587 section 3.4.1, RFC 5425 section 4.3). */
import { utf8Bytes } from '../bytes.ts';

/** SYSLOG-FRAME: MSG-LEN, a space, the message, which is not empty. */
export function octetCounted(message: Uint8Array): Uint8Array {
  const length = utf8Bytes(`${message.length} `);
  const frame = new Uint8Array(length.length + message.length);
  frame.set(length);
  frame.set(message, length.length);
  return frame;
}
