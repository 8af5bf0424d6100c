/** Messages that came, the latest ones, long ones put together. */
import type { ReceivedSms } from './pdu.ts';

export interface Sms {
  readonly sender: string;
  /** Of the message centre; empty when it gave none. */
  readonly at: string;
  readonly text: string;
  /** Parts of a long message that have not come; 0 when it is whole. */
  readonly missing: number;
}

interface Entry {
  readonly first: ReceivedSms;
  readonly parts: Map<number, string>;
}

export class SmsInbox {
  readonly #most: number;
  #entries: Entry[] = [];

  /** @param most messages that are kept; the oldest goes first. */
  constructor(most: number) {
    this.#most = most;
  }

  /** One that is there already, as after a restart of the modem, is not taken twice. */
  add(sms: ReceivedSms): void {
    const number = sms.part?.number ?? 1;
    const known = this.#entries.find((entry) => belongs(entry, sms));
    if (known !== undefined) {
      known.parts.set(number, sms.text);
      return;
    }
    this.#entries.push({ first: sms, parts: new Map([[number, sms.text]]) });
    this.#entries = this.#entries.slice(-this.#most);
  }

  get count(): number {
    return this.#entries.length;
  }

  /** The oldest first. */
  list(): Sms[] {
    return this.#entries.map(({ first, parts }) => {
      const of = first.part?.of ?? 1;
      const text = Array.from({ length: of }, (_, index) => parts.get(index + 1) ?? '[...]').join('');
      return { sender: first.sender, at: first.at, text, missing: of - parts.size };
    });
  }
}

function belongs({ first, parts }: Entry, { sender, at, text, part }: ReceivedSms): boolean {
  if (first.sender !== sender) return false;
  if (part === undefined || first.part === undefined)
    return part === first.part && first.at === at && first.text === text;
  if (first.part.reference !== part.reference || first.part.of !== part.of) return false;
  const there = parts.get(part.number);
  return there === undefined || there === text;
}
