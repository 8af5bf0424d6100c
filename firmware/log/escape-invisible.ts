/** A second guard behind `printable()`: nothing that reaches a log or a terminal moves a cursor or hides a character. */

/** C0 (but line feed), DEL, C1, soft hyphen, zero width, bidirectional controls, byte order mark, tags, lone surrogates. */
const INVISIBLE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
  /[\u{0}-\u{9}\u{b}-\u{1f}\u{7f}-\u{9f}\u{ad}\u{200b}-\u{200f}\u{2028}-\u{202e}\u{2060}-\u{206f}\u{d800}-\u{dfff}\u{feff}\u{e0000}-\u{e007f}]/gu;

/**
 * Each invisible character as `\uNNNN`, one per UTF-16 unit; line feeds stay. Inside a JSON text that changes nothing of
 * what it means.
 */
export function escapeInvisible(text: string): string {
  return text.replace(INVISIBLE, (character) => {
    let escaped = '';
    for (let unit = 0; unit < character.length; unit++)
      escaped += `\\u${character.charCodeAt(unit).toString(16).padStart(4, '0')}`;
    return escaped;
  });
}
