/** What the decoder is told beside the capture. */
import type { DecodeKeys } from './keys/decode-keys.ts';

export interface DecodeOptions {
  /** Tunnel secrets, tried in turn: to unhide AVPs and to verify challenge responses. */
  readonly secrets?: readonly Uint8Array[];
  /** Passwords, tried in turn: to verify what users prove themselves with. */
  readonly passwords?: readonly string[];
  /** Of IKE and ESP. Without them only what stands in clear is said. */
  readonly keys?: DecodeKeys;
  /** Also say a line of each user packet, and of each ESP packet around one. */
  readonly all?: boolean;
  /** Also say a line of each packet outside of every tunnel that is none of the protocols, such as DNS and ICMP errors. */
  readonly outside?: boolean;
}
