/** ESP packets (RFC 4303 section 2): what is in clear, and with keys what is inside. */
import { ESP_HEADER, ESP_TRAILER, espSequence, espSpi, NEXT_NONE } from '../../../protocol/esp/packet.ts';
import { transform } from '../../../protocol/ike/transforms.ts';
import type { DecodedBody, DecodeFault, Fields, FieldValue, MessagePlace } from '../decoded.ts';
import type { DecodeKeys, EspKeys } from '../keys/decode-keys.ts';
import { addressMatches } from '../keys/key-lines.ts';
import { EspOpener, type Opened } from './esp-opener.ts';

export interface DecodedEsp {
  readonly body: DecodedBody;
  /** What was inside, authentic as far as that could be checked. */
  readonly inner?: { readonly nextHeader: number; readonly bytes: Uint8Array };
}

/** Names of Next Header values that are usual inside ESP. */
const NEXT_HEADERS: Readonly<Record<number, string | undefined>> = {
  1: 'ICMP',
  4: 'IPv4',
  6: 'TCP',
  17: 'UDP',
  41: 'IPv6',
  47: 'GRE',
  50: 'ESP',
  51: 'AH',
  58: 'ICMPv6',
  59: 'nothing (a dummy packet)',
  89: 'OSPF',
  115: 'L2TPv3',
};

export class EspDecoder {
  readonly #bySpi = new Map<number, EspOpener[]>();
  readonly #ofAnySpi: EspOpener[] = [];

  constructor({ esp }: Pick<DecodeKeys, 'esp'>) {
    for (const keys of esp) {
      const opener = new EspOpener(keys);
      const { spi } = keys;
      if (spi === undefined) this.#ofAnySpi.push(opener);
      else this.#bySpi.set(spi, [...(this.#bySpi.get(spi) ?? []), opener]);
    }
  }

  /** @param packet from the SPI to the end of the ICV. Never throws, whatever it holds. */
  decode(packet: Uint8Array, place: MessagePlace): DecodedEsp {
    if (packet.length < ESP_HEADER) return tooShort(packet);
    const spi = espSpi(packet, 0);
    const fields: Record<string, FieldValue> = {
      spi: spi.toString(16).padStart(8, '0'),
      sequenceNumber: espSequence(packet, 0),
      length: packet.length,
    };
    const head = `ESP SPI ${spi.toString(16).padStart(8, '0')} sequence ${espSequence(packet, 0)}`;
    const known = this.#openersFor(spi, place);
    if (known.length === 0) {
      const summary = `${head}, ${packet.length - ESP_HEADER} octets encrypted`;
      return { body: { protocol: 'esp', summary, fields: { ...fields, decrypted: false } } };
    }
    const { opener, opened } = openWithOneOf(known, packet);
    Object.assign(fields, algorithmsOf(opener.keys));
    return opened.kind === 'open' ? inside(head, fields, opened) : closed(head, fields, opened);
  }

  #openersFor(spi: number, { source, destination }: MessagePlace): readonly EspOpener[] {
    const family = source.address.includes(':') ? 6 : 4;
    return [...(this.#bySpi.get(spi) ?? []), ...this.#ofAnySpi].filter(({ keys }) => {
      const ends = addressMatches(keys.source, source.address) && addressMatches(keys.destination, destination.address);
      return keys.family === family && ends;
    });
  }
}

/** The entry that verifies counts; else one whose ICV cannot be checked; else what was wrong with the first. */
function openWithOneOf(
  openers: readonly EspOpener[],
  packet: Uint8Array,
): { readonly opener: EspOpener; readonly opened: Opened } {
  let best: { readonly opener: EspOpener; readonly opened: Opened } | undefined;
  for (const opener of openers) {
    const opened = opener.open(packet);
    if (opened.kind === 'open' && opened.icv === 'good') return { opener, opened };
    if (best === undefined || (opened.kind === 'open' && best.opened.kind !== 'open')) best = { opener, opened };
  }
  if (best === undefined) throw new Error('no keys to open a packet with');
  return best;
}

function algorithmsOf({ cipher, integrity }: EspKeys): Fields {
  const encryption = cipher.kind === 'null' ? 'null' : cipher.name;
  const name = cipher.kind === 'known' ? transform('encryption', cipher.name).title : encryption;
  if (integrity.kind !== 'known') return { encryption: name };
  return { encryption: name, integrity: transform('integrity', integrity.name).title };
}

function inside(
  head: string,
  fields: Record<string, FieldValue>,
  { text, textAt, icv, sequenceHigh }: Extract<Opened, { kind: 'open' }>,
): DecodedEsp {
  const padLength = text.at(-2) ?? 0;
  const nextHeader = text.at(-1) ?? 0;
  const octets = text.length - ESP_TRAILER - padLength;
  const name = NEXT_HEADERS[nextHeader] ?? `protocol ${nextHeader}`;
  const more: Record<string, FieldValue> = { ...fields, decrypted: true, icv, padLength, nextHeader };
  if (sequenceHigh !== undefined) more['sequenceNumberHigh'] = sequenceHigh;
  if (octets < 0) {
    const error: DecodeFault = {
      offset: textAt + text.length - ESP_TRAILER,
      field: 'Pad Length',
      reason: `${padLength} octets of padding in ${text.length} octets of text: mostly another key`,
    };
    return { body: { protocol: 'esp', summary: `${head}, Pad Length is wrong`, fields: more, error } };
  }
  more['payloadLength'] = octets;
  const checked = icv === 'good' ? '' : icv === 'none' ? ', not authenticated' : ', ICV not checked';
  const body: DecodedBody = { protocol: 'esp', summary: `${head} carries ${name}${checked}`, fields: more };
  if (nextHeader === NEXT_NONE) return { body };
  return { body, inner: { nextHeader, bytes: text.subarray(0, octets) } };
}

function closed(
  head: string,
  fields: Record<string, FieldValue>,
  opened: Exclude<Opened, { kind: 'open' }>,
): DecodedEsp {
  const badIcv = opened.kind === 'bad-icv';
  const error: DecodeFault = badIcv
    ? {
        offset: opened.icvAt,
        field: 'ICV',
        reason: 'it does not match: the keys are not those of this packet, or it was changed on the way',
      }
    : { offset: opened.at, field: opened.field, reason: opened.reason };
  const all = { ...fields, decrypted: false, ...(badIcv ? { icv: 'bad' } : {}) };
  const summary = `${head}, ${badIcv ? 'ICV is wrong' : opened.reason}`;
  return { body: { protocol: 'esp', summary, fields: all, error } };
}

function tooShort(packet: Uint8Array): DecodedEsp {
  const field = packet.length < 4 ? 'Security Parameters Index' : 'Sequence Number';
  const reason = `an ESP packet has more than ${packet.length} octets`;
  const error: DecodeFault = { offset: packet.length < 4 ? 0 : 4, field, reason };
  return { body: { protocol: 'esp', summary: 'ESP, cut short', fields: { length: packet.length }, error } };
}
