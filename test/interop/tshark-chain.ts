/**
 * Which encrypted messages of IKEv1 tshark can read. The IV of a message is the last block of the one before it in its
 * exchange; tshark remembers that of the last message alone, so it loses the thread where two exchanges go on in turns, and
 * where a message is sent again, or was no IKE to it: a NAT may give a client a port of which tshark knows another use.
 */
import type { DecodedMessage } from '../../firmware/diagnosis/decode/decoded.ts';

export class TsharkChain {
  /** By initiator cookie: the exchange of the last message, and who sent it. */
  readonly #last = new Map<string, { readonly exchange: string; readonly sender: string }>();
  readonly #begun = new Set<string>();
  readonly #missed: ReadonlySet<string>;

  /** @param missed what tshark did not take for IKE. */
  constructor(missed: readonly DecodedMessage[]) {
    this.#missed = new Set(missed.map(cookieOf));
  }

  /** Asked once for each message, in their order. @returns whether tshark reads it. */
  reads({ protocol, fields, source }: DecodedMessage): boolean {
    if (protocol !== 'ikev1') return true;
    const cookie = cookieOf({ fields });
    const exchange = `${cookie} ${fields['messageId']}`;
    const last = this.#last.get(cookie);
    const follows = last?.exchange === exchange && last.sender !== source.address;
    const readable = !this.#missed.has(cookie) && (follows || !this.#begun.has(exchange));
    this.#begun.add(exchange);
    this.#last.set(cookie, { exchange, sender: source.address });
    return readable || fields['decrypted'] !== true;
  }
}

function cookieOf({ fields }: Pick<DecodedMessage, 'fields'>): string {
  return String(fields['initiatorCookie']);
}
