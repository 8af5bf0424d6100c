/** The default alphabet of short messages, seven bits a character (3GPP TS 23.038 sections 6.1.2 and 6.2.1). */

const BASIC =
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà';
const ESCAPE = 0x1b;
/** Behind an escape: two septets a character. */
const EXTENSION: Readonly<Record<number, string>> = {
  10: '\f',
  20: '^',
  40: '{',
  41: '}',
  47: '\\',
  60: '[',
  61: '~',
  62: ']',
  64: '|',
  101: '€',
};

const SEPTETS = new Map<string, readonly number[]>([
  ...Array.from(BASIC, (character, septet) => [character, [septet]] as const).filter(([, [s]]) => s !== ESCAPE),
  ...Object.entries(EXTENSION).map(([septet, character]) => [character, [ESCAPE, Number(septet)]] as const),
]);

/** @returns `undefined` when a character is not in the alphabet. */
export function septetsOf(text: string): number[] | undefined {
  const out: number[] = [];
  for (const character of text) {
    const septets = SEPTETS.get(character);
    if (septets === undefined) return undefined;
    out.push(...septets);
  }
  return out;
}

export function textOfSeptets(septets: readonly number[]): string {
  let out = '';
  for (let at = 0; at < septets.length; at++) {
    const septet = septets[at] as number;
    if (septet !== ESCAPE) {
      out += BASIC[septet] ?? '';
      continue;
    }
    at += 1;
    const extended = septets[at];
    // A character that is not in the extension is shown as in the basic table (section 6.2.1.1).
    if (extended !== undefined) out += EXTENSION[extended] ?? BASIC[extended] ?? '';
  }
  return out;
}

/** @param fill bits before the first septet, 0..6: a header ends on an octet, text begins on a septet. */
export function packSeptets(septets: readonly number[], fill = 0): Uint8Array {
  const out = new Uint8Array(Math.ceil((fill + septets.length * 7) / 8));
  septets.forEach((septet, index) => {
    const bit = fill + index * 7;
    const value = septet << (bit & 7);
    const at = bit >> 3;
    out[at] = (out[at] as number) | (value & 0xff);
    if (value > 0xff) out[at + 1] = value >> 8;
  });
  return out;
}

/** The first `count` septets, or as many as there are. */
export function unpackSeptets(octets: Uint8Array, count: number, fill = 0): number[] {
  const out: number[] = [];
  for (let index = 0; index < count; index++) {
    const bit = fill + index * 7;
    if (bit + 7 > octets.length * 8) break;
    const at = bit >> 3;
    const pair = (octets[at] ?? 0) | ((octets[at + 1] ?? 0) << 8);
    out.push((pair >> (bit & 7)) & 0x7f);
  }
  return out;
}
