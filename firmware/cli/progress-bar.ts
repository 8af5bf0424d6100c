/** How far a long command is, on a terminal. */

const WIDTH = 40;
/** Octets between two looks: often enough to be seen moving. */
const STEP = 1_048_576;

export class ProgressBar {
  readonly #total: number;
  readonly #show: ((text: string) => void) | undefined;
  #have = 0;
  #shown = 0;

  /**
   * @param total octets there are; 0 where that is not known
   * @param show puts a line on the terminal in place of the last one; absent where there is no terminal
   */
  constructor(total: number, show: ((text: string) => void) | undefined) {
    this.#total = total;
    this.#show = show;
  }

  advance(octets: number): void {
    this.#have += octets;
    if (this.#show === undefined || this.#have - this.#shown < STEP) return;
    this.#shown = this.#have;
    const mebibytes = `${Math.round(this.#have / STEP)} MiB`;
    if (this.#total === 0) {
      this.#show(mebibytes);
      return;
    }
    const share = Math.min(1, this.#have / this.#total);
    const filled = Math.round(share * WIDTH);
    const bar = `${'#'.repeat(filled)}${'.'.repeat(WIDTH - filled)}`;
    this.#show(`[${bar}] ${Math.floor(share * 100)} %, ${mebibytes}`);
  }

  remove(): void {
    if (this.#shown > 0) this.#show?.('');
  }
}
