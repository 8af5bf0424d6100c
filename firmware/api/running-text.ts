/** What is in force as text, made once and asked for often. */
import type { ConfigurationControl } from './configuration-control.ts';
import { etagOfText } from './entity-tags.ts';

export class RunningText {
  readonly #config: Pick<ConfigurationControl, 'running' | 'state'>;
  #of: unknown;
  #text = '';
  #hash = '';

  constructor(config: Pick<ConfigurationControl, 'running' | 'state'>) {
    this.#config = config;
  }

  /** The tag is of the revision and of what is shown, in which there is no secret: it tells nothing of one. */
  now(): { readonly text: string; readonly etag: string } {
    const running = this.#config.running() ?? null;
    if (running !== this.#of || this.#hash === '') {
      this.#of = running;
      this.#text = JSON.stringify(running);
      this.#hash = etagOfText(this.#text).slice(1, -1);
    }
    return { text: this.#text, etag: `"${this.#config.state().revision}-${this.#hash}"` };
  }
}
