/** Looks for a mark, alone at the end of a line, in octets that come in pieces. */
export class MarkScanner {
  readonly #mark: Uint8Array;
  #matched = 0;

  /** @param mark ASCII, whose first character does not come again in it. */
  constructor(mark: string) {
    this.#mark = Buffer.from(mark, 'latin1');
  }

  /** @returns the index of the end of line that follows the mark; `undefined` when none does. What is behind it is not looked at. */
  find(octets: Uint8Array): number | undefined {
    for (const [index, octet] of octets.entries()) {
      if (this.#matched === this.#mark.length && (octet === 0x0d || octet === 0x0a)) {
        this.#matched = 0;
        return index;
      }
      if (octet === this.#mark[this.#matched]) this.#matched += 1;
      else this.#matched = octet === this.#mark[0] ? 1 : 0;
    }
    return undefined;
  }
}
