/**
 * Octets of a modem in command state to lines. Modems end a line by CR LF, by CR CR LF, by LF alone or, where echo is on, by CR
 * alone; they put NULs before the first one and noise anywhere (ITU-T V.250 section 5.7, and what modems make of it).
 */

/** Longest line that is kept, characters: more than a short message in hexadecimal. What is longer is no answer to anything. */
const LONGEST = 1024;

const CR = 0x0d;
const LF = 0x0a;
const PROMPT = 0x3e;

export type AtToken = { readonly kind: 'line'; readonly text: string } | { readonly kind: 'prompt' };

export class AtLineReader {
  #line = '';
  #overlong = false;
  /** Whether `>` at the beginning of a line asks for the text of a message, as after +CMGS. */
  awaitsPrompt = false;

  /** Takes a piece of any size. @returns the lines that it ended, none of them empty, in order. */
  push(octets: Uint8Array): AtToken[] {
    const tokens: AtToken[] = [];
    for (const octet of octets) {
      if (octet === CR || octet === LF) {
        const text = this.#take();
        if (text !== undefined) tokens.push({ kind: 'line', text });
      } else if (this.awaitsPrompt && octet === PROMPT && this.#line.trim() === '') {
        this.#line = '';
        this.awaitsPrompt = false;
        tokens.push({ kind: 'prompt' });
      } else {
        this.#keep(octet);
      }
    }
    return tokens;
  }

  /** What was begun is no part of a line. */
  reset(): void {
    this.#line = '';
    this.#overlong = false;
    this.awaitsPrompt = false;
  }

  #keep(octet: number): void {
    // NULs and other control characters are noise anywhere, octets above ASCII where a line begins.
    if (octet < 0x20 || octet === 0x7f || (octet > 0x7f && this.#line === '')) return;
    if (this.#line.length < LONGEST) this.#line += String.fromCharCode(octet);
    else this.#overlong = true;
  }

  #take(): string | undefined {
    const text = this.#line.trim();
    const overlong = this.#overlong;
    this.#line = '';
    this.#overlong = false;
    // Some Huawei modems leave a plus sign between CR and LF.
    return overlong || text === '' || text === '+' ? undefined : text;
  }
}
