/** How wide text is on a terminal. */

/** East Asian wide and fullwidth characters, and pictures: two columns (Unicode Standard Annex 11, in blocks). */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;

const COMBINING = /\p{M}/u;

/** Columns of one character, 0 to 2. */
export function cellsOf(character: string): number {
  if (COMBINING.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

/** Columns of a text without control characters. */
export function textCells(text: string): number {
  let cells = 0;
  for (const character of text) cells += cellsOf(character);
  return cells;
}

/** Pieces of at most `columns` columns each, broken at spaces where there are some; an empty text is one empty piece. */
export function wrapped(text: string, columns: number): readonly string[] {
  const pieces: string[] = [];
  let piece: string[] = [];
  let cells = 0;
  for (const character of text) {
    const width = cellsOf(character);
    if (cells + width > columns && piece.length > 0) {
      const space = piece.lastIndexOf(' ');
      // An indentation is no place to break at.
      const words = space > 0 && piece.slice(0, space).some((one) => one !== ' ');
      const end = words ? space : piece.length;
      pieces.push(piece.slice(0, end).join(''));
      piece = piece.slice(words ? end + 1 : end);
      cells = textCells(piece.join(''));
    }
    piece.push(character);
    cells += width;
  }
  return [...pieces, piece.join('')];
}
