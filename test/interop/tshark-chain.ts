/**
 * Which encrypted messages of IKEv1 tshark can read. The IV of a message is the last block of the one before it in its
 * exchange; tshark remembers that of the last message alone, so it loses the thread where two exchanges go on in turns, and
 * where a message is sent again.
 */
import type { DecodedMessage } from '../../firmware/diagnosis/decode/decoded.ts';

export class TsharkChain {
  /** By initiator cookie: the exchange of the last message, and who sent it. */
  readonly #last = new Map<string, { readonly exchange: string; readonly sender: string }>();
  readonly #begun = new Set<string>();

  /** Asked once for each message, in their order. @returns whether tshark reads it. */
  reads({ protocol, fields, source }: DecodedMessage): boolean {
    if (protocol !== 'ikev1') return true;
    const cookie = String(fields['initiatorCookie']);
    const exchange = `${cookie} ${fields['messageId']}`;
    const last = this.#last.get(cookie);
    const follows = last?.exchange === exchange && last.sender !== source.address;
    const readable = follows || !this.#begun.has(exchange);
    this.#begun.add(exchange);
    this.#last.set(cookie, { exchange, sender: source.address });
    return readable || fields['decrypted'] !== true;
  }
}
