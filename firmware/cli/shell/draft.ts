/** The candidate as somebody edits it in the console: changed here line by line, and kept by the router. */
import type { ConfigurationClient } from '../../api/configuration-client.ts';
import { type Edit, withEdit } from '../../config/derived/edits.ts';
import type { Author } from '../../config/store/revision.ts';
import { ShellError } from './grammar.ts';

const FILE_NAME = 'the draft';

export class Draft {
  readonly #client: ConfigurationClient;
  readonly #author: Author;
  #document: unknown = {};
  /** The router has one. */
  #begun = false;
  #changed = false;

  constructor(client: ConfigurationClient, author: Author) {
    this.#client = client;
    this.#author = author;
  }

  /** Stars stand for secrets, but for those that were given since: nobody is to be shown it as it is. */
  get document(): unknown {
    return this.#document;
  }

  /** Somebody has changed something that is not in force. */
  get begun(): boolean {
    return this.#begun || this.#changed;
  }

  /**
   * Takes up the candidate, or what is in force where there is none.
   * @param takeover also when it is somebody else's.
   * @throws ShellError when it is somebody else's.
   */
  async open(takeover: boolean): Promise<void> {
    const found = await this.#client.candidate();
    if (!found.ok) throw new ShellError(`${found.reason}: ${found.remedy}`);
    const { candidate } = found;
    this.#begun = candidate !== undefined;
    this.#changed = false;
    if (candidate === undefined) {
      this.#document = (await this.#client.running()) ?? {};
      return;
    }
    const { who, via } = candidate;
    const own = who === this.#author.who && via === this.#author.via;
    if (!own && !takeover) {
      const since = new Date(candidate.at).toISOString().slice(0, 16).replace('T', ' ');
      throw new ShellError(
        `${who} works on the draft over ${via}, since ${since} UTC: wait until it is committed or discarded, or take it ` +
          'over with "configure takeover"',
      );
    }
    this.#document = JSON.parse(candidate.text);
    if (!own) await this.#put(candidate.text, true);
  }

  edit(edit: Edit): void {
    this.#document = withEdit(this.#document, edit);
    this.#changed = true;
  }

  /** Gives the router what was changed since the last time. @throws ShellError when it is refused; then nothing is kept. */
  async flush(): Promise<void> {
    if (!this.#changed) return;
    await this.#put(JSON.stringify(this.#document), false);
  }

  /** Puts a whole text in place of the draft. @throws ShellError when it is refused; then the draft stays. */
  async load(text: string): Promise<void> {
    await this.#put(text, false);
    await this.open(false);
  }

  /** @throws ShellError */
  async discard(): Promise<void> {
    this.#changed = false;
    if (this.#begun) {
      const result = await this.#client.discardCandidate(this.#author, false);
      if (!result.ok) throw new ShellError(`${result.reason}: ${result.remedy ?? 'try again'}`);
    }
    await this.open(false);
  }

  async #put(text: string, takeover: boolean): Promise<void> {
    const result = await this.#client.editCandidate(text, FILE_NAME, this.#author, takeover);
    if (!result.ok) {
      await this.open(false).catch(() => undefined);
      throw new ShellError(`${result.reason}: ${result.remedy}`);
    }
    this.#changed = false;
    this.#begun = true;
  }
}
