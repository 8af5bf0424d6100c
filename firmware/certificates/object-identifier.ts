/** Contents of an OBJECT IDENTIFIER, in hexadecimal, as dotted numbers (X.690 section 8.19): `551d13` is `2.5.29.19`. */
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
