/** The one draft that somebody works on. It is sealed as a whole, since it need not be a configuration yet. */
import { hash } from 'node:crypto';
import { mergePatch } from '../derived/merge-patch.ts';
import { MAX_CONFIGURATION_OCTETS, readDocument } from '../parse.ts';
import { formatProblem } from '../problem.ts';
import type { Configuration } from '../schema.ts';
import { isObject } from '../schema-node.ts';
import type { DeviceKey } from '../secrets/device-key.ts';
import { checkShape } from '../shape.ts';
import type { Author } from './revision.ts';
import { fillStars, withStars } from './stars.ts';
import type { StoreDatabase } from './store-database.ts';
import type { CandidateAnswer, CandidateChange, CandidateMatch } from './store-types.ts';

const CONTEXT = 'candidate';

/** Of a draft after a patch, octets: what is in force has its defaults in it, and is some times longer than what was sent. */
const MAX_PATCHED_OCTETS = 4 * MAX_CONFIGURATION_OCTETS;

/** Of the hash in an entity tag, characters of Base64: 132 bits. */
const ETAG_LENGTH = 22;

type Refusal = CandidateAnswer & { readonly ok: false };

export class CandidateDraft {
  readonly #key: DeviceKey;
  #database: StoreDatabase | undefined;

  constructor(key: DeviceKey) {
    this.#key = key;
  }

  on(database: StoreDatabase): this {
    this.#database = database;
    return this;
  }

  /** `undefined`: there is none. */
  document(): { readonly document: unknown } | undefined {
    const stored = this.#database?.candidate();
    return stored && { document: JSON.parse(this.#key.open(stored.sealed, CONTEXT)) };
  }

  view(): CandidateAnswer {
    const stored = this.#database?.candidate();
    const found = this.document();
    if (stored === undefined || found === undefined) return { ok: true };
    const { who, via, base, at, sealed } = stored;
    const text = JSON.stringify(withStars(found.document), undefined, 2);
    return { ok: true, candidate: { who, via, base, at, text, etag: etagOf(sealed) } };
  }

  /** `undefined`: there is no draft. */
  get etag(): string | undefined {
    const stored = this.#database?.candidate();
    return stored && etagOf(stored.sealed);
  }

  /**
   * Why a change or commit of the draft that somebody has seen is none of this one; `undefined` when it is.
   * @param match `undefined` fits whatever there is.
   */
  mismatch(match: CandidateMatch | undefined): Refusal | undefined {
    if (match === undefined) return undefined;
    const stored = this.#database?.candidate();
    const remedy = 'get it again, make the change in what is there now, and send it with its ETag';
    if (stored === undefined) {
      const reason = 'there is no candidate any more: it was committed or discarded meanwhile';
      return { ok: false, reason, remedy, stale: true };
    }
    if (match === '*' || match.includes(etagOf(stored.sealed))) return undefined;
    const { who, via, at } = stored;
    const reason = `${who} changed the candidate over ${via} meanwhile, at ${new Date(at).toISOString()}`;
    return { ok: false, reason, remedy, stale: true };
  }

  /** @param base the revision that is in force, where the draft is begun now. */
  edit(
    change: CandidateChange,
    { who, via }: Author,
    { base, at, running }: { readonly base: number; readonly at: number; readonly running: Configuration },
  ): CandidateAnswer {
    const refused = this.#stranger({ who, via }, change.takeover) ?? this.mismatch(change.match);
    if (refused) return refused;
    const before = this.document();
    const read = change.patch === true ? patched(change.text, before?.document ?? running) : given(change);
    if ('reason' in read) return { ok: false, reason: `the draft is refused: ${read.reason}`, remedy: UNCHANGED };
    const document = fillStars(before ? fillStars(read.value, before.document) : read.value, running);
    const sealed = this.#key.seal(JSON.stringify(document), CONTEXT);
    const since = before === undefined ? base : (this.#database?.candidate()?.base ?? base);
    this.#database?.setCandidate({ who, via, base: since, at, sealed });
    return this.view();
  }

  discard(author: Author, takeover: boolean, match?: CandidateMatch): CandidateAnswer {
    const refused = this.#stranger(author, takeover) ?? this.mismatch(match);
    if (refused) return refused;
    this.#database?.removeCandidate();
    return { ok: true };
  }

  /** It has become a revision; one with another entity tag has not, and stays. */
  remove(etag: string): void {
    if (this.etag === etag) this.#database?.removeCandidate();
  }

  #stranger({ who, via }: Author, takeover: boolean): Refusal | undefined {
    const stored = this.#database?.candidate();
    if (takeover || stored === undefined || (stored.who === who && stored.via === via)) return undefined;
    const reason = `${stored.who} works on the candidate over ${stored.via}, since ${new Date(stored.at).toISOString()}`;
    const remedy = 'wait until it is committed or discarded, or take it over';
    return { ok: false, reason, remedy, owner: { who: stored.who, via: stored.via } };
  }
}

const UNCHANGED = 'correct that; it is unchanged';

/** Of the sealed text, which is another one each time and tells nothing of what is in it. */
function etagOf(sealed: string): string {
  return `"${hash('sha256', sealed, 'base64url').slice(0, ETAG_LENGTH)}"`;
}

/** What may stand in a draft, or why not. */
type Read = { readonly value: unknown } | { readonly reason: string };

function given({ text, fileName }: CandidateChange): Read {
  const { value, problems } = readDocument(text, fileName, MAX_CONFIGURATION_OCTETS);
  const [problem] = problems;
  return problem === undefined ? shaped(value) : { reason: formatProblem(problem) };
}

function patched(text: string, before: unknown): Read {
  const { value: patch, problems } = readDocument(text, 'patch.json', MAX_CONFIGURATION_OCTETS);
  const [problem] = problems;
  if (problem !== undefined) return { reason: formatProblem(problem) };
  if (!isObject(patch)) return { reason: 'the patch is no JSON object' };
  const value = mergePatch(before, patch);
  if (Buffer.byteLength(JSON.stringify(value)) > MAX_PATCHED_OCTETS)
    return { reason: `with the patch it has more than ${MAX_PATCHED_OCTETS} octets` };
  return shaped(value);
}

/** What is not there yet may still come; what is wrong stays wrong, and would be shown with its secrets. */
function shaped(value: unknown): Read {
  const wrong = checkShape(value).problems.find(({ rule }) => rule !== 'missing');
  return wrong === undefined ? { value } : { reason: formatProblem(wrong) };
}
