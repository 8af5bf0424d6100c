/** OBJECT IDENTIFIERs (X.690 section 8.19): contents in hexadecimal, `551d13`, and dotted numbers, `2.5.29.19`. */

/** @param id contents in hexadecimal. */
export function objectIdentifierText(id: string): string {
  const arcs: bigint[] = [];
  let arc = 0n;
  for (const octet of Buffer.from(id, 'hex')) {
    arc = (arc << 7n) | BigInt(octet & 0x7f);
    if (octet >= 0x80) continue;
    arcs.push(arc);
    arc = 0n;
  }
  const [first = 0n, ...rest] = arcs;
  const top = first < 80n ? first / 40n : 2n;
  return [top, first - top * 40n, ...rest].join('.').slice(0, 80);
}

/** Contents. @param text dotted numbers, at least two. */
export function objectIdentifier(text: string): Uint8Array {
  const [top = 0, second = 0, ...rest] = text.split('.').map(Number);
  return Uint8Array.from([top * 40 + second, ...rest].flatMap(base128));
}

function base128(arc: number): number[] {
  const octets = [arc % 128];
  for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) octets.unshift(0x80 | (left % 128));
  return octets;
}
