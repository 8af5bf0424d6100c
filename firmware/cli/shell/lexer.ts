/** A line of the console as words. Quotes hold a word together; a backslash takes the next character as it is. */

export interface Word {
  readonly text: string;
  /** Of the line, in characters (code points): where it begins, quotes included. */
  readonly start: number;
  /** Some of it is in quotes or behind a backslash: it is no keyword and no sign. */
  readonly quoted: boolean;
}

export interface Lexed {
  readonly words: readonly Word[];
  /** The quote that was never closed. */
  readonly open?: string;
  /** The line ends within a word, or in an open quote. */
  readonly within: boolean;
}

export function lexLine(line: string): Lexed {
  const words: Word[] = [];
  let word: { text: string; start: number; quoted: boolean } | undefined;
  let open: string | undefined;
  let escaped = false;
  for (const [at, character] of [...line].entries()) {
    const begun = (): { text: string; start: number; quoted: boolean } =>
      (word ??= { text: '', start: at, quoted: false });
    if (escaped) {
      begun().text += character;
      escaped = false;
    } else if (character === '\\' && open !== "'") {
      begun().quoted = true;
      escaped = true;
    } else if (open !== undefined) {
      if (character === open) open = undefined;
      else begun().text += character;
    } else if (character === '"' || character === "'") {
      begun().quoted = true;
      open = character;
    } else if (character === ' ' || character === '\t') {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else begun().text += character;
  }
  const within = word !== undefined;
  if (word !== undefined) words.push(word);
  return { words, within, ...(open === undefined ? {} : { open }) };
}

/** The word as it has to be typed. */
export function quoteWord(word: string): string {
  if (word !== '' && !/[\s"'\\|?#]/.test(word)) return word;
  return `"${word.replaceAll(/["\\]/g, '\\$&')}"`;
}
