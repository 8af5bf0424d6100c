/** LCP, IPCP or IPv6CP of a link in a capture: who asked, who answered, what was refused (RFC 1661 section 4). */
import type { DecodedMessage, FieldValue } from '../decode/decoded.ts';
import { listOf, namedValue, type Speaker, textOf } from './fields.ts';

/** Names of options that are counted: a peer may make any number up. */
const MAX_OPTIONS = 64;

class Side {
  /** Packets of this protocol from this end. */
  packets = 0;
  /** Configure-Requests from it. */
  requests = 0;
  /** Whether it answered the other end's. */
  answered = false;
  /** Whether its own last request was acknowledged. */
  acknowledged = false;
  magic: FieldValue | undefined;
  readonly values = new Map<string, string>();
  readonly #refused = new Map<string, number>();

  /** How often this option of this end was refused by the other one. */
  refusals(option: string): number {
    return this.#refused.get(option) ?? 0;
  }

  noteRefusal(option: string): void {
    if (this.#refused.size < MAX_OPTIONS) this.#refused.set(option, this.refusals(option) + 1);
  }
}

export class PppNegotiation {
  readonly sides: Readonly<Record<Speaker, Side>> = { client: new Side(), server: new Side() };
  /** How often one end asked with the very Magic-Number of the other (RFC 1661 section 6.4). */
  loops = 0;
  /** The last packet opened it. */
  justOpened = false;

  get open(): boolean {
    return this.sides.client.acknowledged && this.sides.server.acknowledged;
  }

  receive({ fields }: DecodedMessage, from: Speaker): void {
    const before = this.open;
    const own = this.sides[from];
    const other = this.sides[from === 'client' ? 'server' : 'client'];
    const options = listOf(fields, 'options');
    own.packets += 1;
    switch (textOf(fields, 'code')) {
      case 'Configure-Request': {
        // In Opened a request begins anew, for both (RFC 1661 section 4.3).
        if (this.open) other.acknowledged = false;
        own.requests += 1;
        own.acknowledged = false;
        own.magic = namedValue(options, 'Magic-Number');
        if (own.magic !== undefined && own.magic !== 0 && own.magic === other.magic) this.loops += 1;
        const address = namedValue(options, 'IP-Address');
        if (typeof address === 'string') own.values.set('IP-Address', address);
        break;
      }
      case 'Configure-Ack':
        own.answered = true;
        other.acknowledged = true;
        break;
      case 'Configure-Nak':
      case 'Configure-Reject':
        own.answered = true;
        for (const option of options) other.noteRefusal(textOf(option, 'name'));
        break;
      default:
    }
    this.justOpened = this.open && !before;
  }

  /** What either end last asked for. */
  lastValue(option: string): Partial<Record<Speaker, string>> {
    const client = this.sides.client.values.get(option);
    const server = this.sides.server.values.get(option);
    return { ...(client === undefined ? {} : { client }), ...(server === undefined ? {} : { server }) };
  }
}
