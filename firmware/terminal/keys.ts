/** From the octets that a terminal sends to the keys that were struck. No I/O and no clock. */
import { StringDecoder } from 'node:string_decoder';

export type KeyName =
  | 'enter'
  | 'tab'
  | 'backspace'
  | 'delete'
  | 'left'
  | 'right'
  | 'word-left'
  | 'word-right'
  | 'up'
  | 'down'
  | 'home'
  | 'end'
  | 'page-up'
  | 'page-down'
  | 'interrupt'
  | 'end-of-input'
  | 'kill-to-end'
  | 'kill-line'
  | 'kill-word'
  | 'redraw';

/** `text`: characters that can be seen, one or more, as they came. */
export type Key = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'key'; readonly name: KeyName };

/** Control characters (ECMA-48), with the meanings that shells have given them. */
const CONTROLS: Readonly<Record<string, KeyName>> = {
  '\u0001': 'home',
  '\u0002': 'left',
  '\u0003': 'interrupt',
  '\u0004': 'end-of-input',
  '\u0005': 'end',
  '\u0006': 'right',
  '\b': 'backspace',
  '\t': 'tab',
  '\n': 'enter',
  '\u000b': 'kill-to-end',
  '\f': 'redraw',
  '\r': 'enter',
  '\u000e': 'down',
  '\u0010': 'up',
  '\u0012': 'redraw',
  '\u0015': 'kill-line',
  '\u0017': 'kill-word',
  '\u007f': 'backspace',
};

/** What follows CSI or SS3: of VT100, VT220, xterm, the Linux console and rxvt. */
const SEQUENCES: Readonly<Record<string, KeyName>> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  H: 'home',
  F: 'end',
  '1~': 'home',
  '3~': 'delete',
  '4~': 'end',
  '5~': 'page-up',
  '6~': 'page-down',
  '7~': 'home',
  '8~': 'end',
  '1;5C': 'word-right',
  '1;5D': 'word-left',
  '1;3C': 'word-right',
  '1;3D': 'word-left',
};

/** What follows ESC alone: Alt with a letter. */
const META: Readonly<Record<string, KeyName>> = {
  b: 'word-left',
  f: 'word-right',
  '\u007f': 'kill-word',
  '\b': 'kill-word',
};

const ESCAPE = '\u001b';

/** CSI takes parameters and intermediates, then one final character (ECMA-48 section 5.4); longer ones are noise. */
const MAX_SEQUENCE = 16;

/**
 * One terminal's keys. A sequence may come in pieces, as a serial line delivers it. What is not known is left out, and so
 * is a line feed that follows a carriage return.
 */
export class KeyDecoder {
  readonly #utf8 = new StringDecoder('utf8');
  /** Of a sequence: `ESC`, `ESC [`, `ESC [ 1 ;` ... */
  #sequence = '';
  #afterReturn = false;

  /** @returns the keys in order; neighbouring characters are one. */
  take(octets: Uint8Array): readonly Key[] {
    const keys: Key[] = [];
    let text = '';
    const flush = (): void => {
      if (text !== '') keys.push({ kind: 'text', text });
      text = '';
    };
    for (const character of this.#utf8.write(Buffer.from(octets))) {
      if (this.#sequence === '' && isVisible(character)) {
        text += character;
        this.#afterReturn = false;
        continue;
      }
      const name = this.#control(character);
      if (name === undefined) continue;
      flush();
      keys.push({ kind: 'key', name });
    }
    flush();
    return keys;
  }

  #control(character: string): KeyName | undefined {
    if (this.#sequence !== '') return this.#inSequence(character);
    const doubled = character === '\n' && this.#afterReturn;
    this.#afterReturn = character === '\r';
    if (doubled) return undefined;
    if (character === ESCAPE) this.#sequence = ESCAPE;
    return CONTROLS[character];
  }

  #inSequence(character: string): KeyName | undefined {
    const before = this.#sequence;
    if (character === ESCAPE) {
      this.#sequence = ESCAPE;
      return undefined;
    }
    if (before === ESCAPE && (character === '[' || character === 'O')) {
      this.#sequence = before + character;
      return undefined;
    }
    if (before === ESCAPE) {
      this.#sequence = '';
      return META[character] ?? CONTROLS[character];
    }
    const whole = before + character;
    // Parameters and intermediates are 2/0 to 3/15; whatever else comes is the last one.
    const goesOn = character >= ' ' && character <= '?' && whole.length < MAX_SEQUENCE;
    this.#sequence = goesOn ? whole : '';
    return goesOn ? undefined : SEQUENCES[whole.slice(2)];
  }
}

/** Neither a control character nor one that hides or turns others around. */
function isVisible(character: string): boolean {
  return !/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/u.test(character);
}
