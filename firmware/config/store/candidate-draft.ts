/** The one draft that somebody works on. It is sealed as a whole, since it need not be a configuration yet. */

import type { RandomSource } from '../../protocol/machine.ts';
import { MAX_CONFIGURATION_OCTETS, readDocument } from '../parse.ts';
import { formatProblem } from '../problem.ts';
import type { Configuration } from '../schema.ts';
import type { DeviceKey } from '../secrets/device-key.ts';
import { checkShape } from '../shape.ts';
import { hashPasswords, starUsersInForce } from './hash-passwords.ts';
import type { Author } from './revision.ts';
import { fillStars, withStars } from './stars.ts';
import type { StoreDatabase } from './store-database.ts';
import type { CandidateAnswer } from './store-types.ts';

const CONTEXT = 'candidate';

export class CandidateDraft {
  readonly #key: DeviceKey;
  readonly #random: RandomSource;
  #database: StoreDatabase | undefined;

  constructor(key: DeviceKey, random: RandomSource) {
    this.#key = key;
    this.#random = random;
  }

  on(database: StoreDatabase): this {
    this.#database = database;
    return this;
  }

  /** With stars for what is as it is in force. `undefined`: there is none. */
  document(): { readonly document: unknown } | undefined {
    const stored = this.#database?.candidate();
    return stored && { document: JSON.parse(this.#key.open(stored.sealed, CONTEXT)) };
  }

  view(): CandidateAnswer {
    const stored = this.#database?.candidate();
    const found = this.document();
    if (stored === undefined || found === undefined) return { ok: true };
    const { who, via, base, at } = stored;
    const text = JSON.stringify(withStars(found.document), undefined, 2);
    return { ok: true, candidate: { who, via, base, at, text } };
  }

  /** @param base the revision that is in force, where the draft is begun now. */
  edit(
    given: { readonly text: string; readonly fileName: string; readonly takeover: boolean },
    { who, via }: Author,
    { base, at, running }: { readonly base: number; readonly at: number; readonly running: Configuration },
  ): CandidateAnswer {
    const stranger = this.#stranger({ who, via }, given.takeover);
    if (stranger) return stranger;
    const read = readDocument(given.text, given.fileName, MAX_CONFIGURATION_OCTETS);
    // What is not there yet may still come; what is wrong stays wrong, and would be shown with its secrets.
    const wrong = [...read.problems, ...(read.problems.length > 0 ? [] : checkShape(read.value).problems)].find(
      ({ rule }) => rule !== 'missing',
    );
    if (wrong !== undefined) {
      return {
        ok: false,
        reason: `the draft is refused: ${formatProblem(wrong)}`,
        remedy: 'correct that; it is unchanged',
      };
    }
    const before = this.document();
    const filled = fillStars(before ? fillStars(read.value, before.document) : read.value, running);
    const document = starUsersInForce(hashPasswords(filled, running, this.#random), running);
    const sealed = this.#key.seal(JSON.stringify(document), CONTEXT);
    const since = before === undefined ? base : (this.#database?.candidate()?.base ?? base);
    this.#database?.setCandidate({ who, via, base: since, at, sealed });
    return this.view();
  }

  discard(author: Author, takeover: boolean): CandidateAnswer {
    const stranger = this.#stranger(author, takeover);
    if (stranger) return stranger;
    this.#database?.removeCandidate();
    return { ok: true };
  }

  /** It has become a revision. */
  remove(): void {
    this.#database?.removeCandidate();
  }

  #stranger({ who, via }: Author, takeover: boolean): CandidateAnswer | undefined {
    const stored = this.#database?.candidate();
    if (takeover || stored === undefined || (stored.who === who && stored.via === via)) return undefined;
    const reason = `${stored.who} works on the candidate over ${stored.via}, since ${new Date(stored.at).toISOString()}`;
    const remedy = 'wait until it is committed or discarded, or take it over';
    return { ok: false, reason, remedy, owner: { who: stored.who, via: stored.via } };
  }
}
