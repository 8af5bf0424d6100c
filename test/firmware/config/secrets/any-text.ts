import fc from 'fast-check';

/** Well-formed text of any code points, control characters and all; cheaper to set up than the library's own of that kind. */
export function anyText(maxLength: number): fc.Arbitrary<string> {
  const points = fc.array(fc.oneof(fc.integer({ min: 0, max: 0x7f }), fc.integer({ min: 0, max: 0x10ffff })), {
    maxLength,
  });
  return points.map((codes) => String.fromCodePoint(...codes).toWellFormed());
}
