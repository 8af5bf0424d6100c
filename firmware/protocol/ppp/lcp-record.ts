/** The Configure-Requests of LCP that an LNS is told of when a call is handed on (RFC 2661 section 4.4.5). */
import { CONFIGURE_REQUEST, type ControlPacket } from './packet.ts';

/** The options of three Configure-Requests, as they stood in the packets. Empty: none was sent or came. */
export interface LcpHistory {
  readonly initialReceivedConfreq: Uint8Array;
  readonly lastSentConfreq: Uint8Array;
  readonly lastReceivedConfreq: Uint8Array;
}

export class LcpRecord {
  #initialReceived: Uint8Array | undefined;
  #lastSent = new Uint8Array(0);
  #lastReceived = new Uint8Array(0);

  sent({ code, data }: ControlPacket): void {
    if (code === CONFIGURE_REQUEST) this.#lastSent = data.slice();
  }

  received({ code, data }: ControlPacket): void {
    if (code !== CONFIGURE_REQUEST) return;
    this.#lastReceived = data.slice();
    this.#initialReceived ??= this.#lastReceived;
  }

  /** What another negotiated in our place. */
  adopted(sent: Uint8Array, received: Uint8Array): void {
    this.#lastSent = sent.slice();
    this.#lastReceived = received.slice();
    this.#initialReceived ??= this.#lastReceived;
  }

  get history(): LcpHistory {
    return {
      initialReceivedConfreq: this.#initialReceived ?? new Uint8Array(0),
      lastSentConfreq: this.#lastSent,
      lastReceivedConfreq: this.#lastReceived,
    };
  }
}
