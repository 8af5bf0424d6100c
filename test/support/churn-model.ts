/** What must be true of a store after whatever ended the program that used it; see `commit-churn.ts`. */

/** A line of that program. */
export type ChurnLine =
  /** What it is about to do. */
  | { readonly does: 'refused' }
  | { readonly does: 'commit' | 'try' | 'confirm'; readonly name: string; readonly digest: string }
  | { readonly does: 'draft'; readonly name: string }
  /** What was acknowledged. */
  | { readonly did: 'try' | 'draft'; readonly name: string }
  | { readonly did: 'confirm'; readonly name: string; readonly revision: number }
  | { readonly did: 'revert' }
  | FoundLine;

/** What it found at the start. */
export interface FoundLine {
  /** Host name of what is in force. */
  readonly found: string;
  /** Of the whole configuration in force. */
  readonly digest: string;
  readonly secret: string;
  readonly revision: number;
  readonly state: string;
  readonly reason: string;
  readonly draft: string;
  readonly history: readonly { readonly id: number; readonly state: string; readonly hash: string }[];
}

/** Revisions that the store keeps. */
const KEPT = 100;

const FACTORY = 'culvert';

export class ChurnModel {
  #confirmed: { readonly name: string; readonly revision: number; readonly digest?: string } = {
    name: FACTORY,
    revision: 0,
  };
  /** A configuration whose confirmation was under way when the program ended. */
  #underWay: { readonly name: string; readonly digest: string } | undefined;
  #draft = '';
  #draftUnderWay: string | undefined;
  /** Acknowledged, in order. */
  readonly #acknowledged: number[] = [];
  #hashes = new Map<number, string>();
  #greatest = 0;
  /** How often each end was seen. */
  readonly counts = { starts: 0, operations: 0, kept: 0, completed: 0 };

  /** Takes the output of one run, the last line of which may be cut. @returns what is wrong; empty: nothing. */
  run(output: string): string[] {
    const lines = output.split('\n').slice(0, -1);
    return lines.flatMap((text) => this.#line(JSON.parse(text) as ChurnLine));
  }

  #line(line: ChurnLine): string[] {
    if ('found' in line) return this.#start(line);
    if ('does' in line) {
      this.counts.operations += 1;
      if (line.does === 'commit' || line.does === 'confirm') this.#underWay = line;
      if (line.does === 'draft') this.#draftUnderWay = line.name;
      return [];
    }
    if (line.did === 'confirm') {
      const digest = this.#underWay?.name === line.name ? this.#underWay.digest : undefined;
      this.#confirmed = { ...line, ...(digest === undefined ? {} : { digest }) };
      this.#underWay = undefined;
      this.#acknowledged.push(line.revision);
      if (line.revision <= this.#greatest) return [`revision ${line.revision} was there before`];
      this.#greatest = line.revision;
    }
    if (line.did === 'draft') {
      this.#draft = line.name;
      this.#draftUnderWay = undefined;
    }
    return [];
  }

  #start({ found, digest, secret, revision, state, reason, draft, history }: FoundLine): string[] {
    this.counts.starts += 1;
    const wrong: string[] = [];
    const underWay = this.#underWay;
    if (found === underWay?.name && digest === underWay.digest && revision > this.#confirmed.revision) {
      this.counts.completed += 1;
      this.#confirmed = { name: found, revision, digest };
      this.#acknowledged.push(revision);
      this.#greatest = Math.max(this.#greatest, revision);
    } else if (
      found === this.#confirmed.name &&
      revision === this.#confirmed.revision &&
      digest === (this.#confirmed.digest ?? digest)
    ) {
      this.counts.kept += 1;
    } else wrong.push(`${found} (${revision}) is in force, and ${JSON.stringify(this.#confirmed)} was confirmed last`);
    this.#underWay = undefined;
    if (state !== (revision === 0 ? 'factory' : 'confirmed')) wrong.push(`the state is ${state}: ${reason}`);
    if (secret !== (revision === 0 ? '' : `password of ${found}`)) wrong.push(`the secret of ${found} is ${secret}`);
    const named = /"hostname": "([^"]*)"/.exec(draft)?.[1] ?? '';
    if (named === this.#draftUnderWay) this.#draft = named;
    else if (named !== this.#draft) wrong.push(`the draft is ${named}, and ${this.#draft} was acknowledged`);
    this.#draftUnderWay = undefined;
    const ids = history.map(({ id }) => id);
    if (new Set(ids).size !== ids.length) wrong.push('a number is there twice');
    const newest = Math.max(0, ...ids);
    for (const id of this.#acknowledged.slice(-KEPT / 2)) {
      const kept = history.find((one) => one.id === id);
      if (kept?.state === 'confirmed') continue;
      if (newest - id < KEPT) wrong.push(`revision ${id} was confirmed and is ${kept?.state ?? 'lost'}`);
    }
    for (const { id, state: of, hash } of history) {
      if (of === 'pending') wrong.push(`revision ${id} still waits`);
      const before = this.#hashes.get(id);
      if (before !== undefined && before !== hash) wrong.push(`revision ${id} has another hash than before`);
    }
    this.#hashes = new Map(history.map(({ id, hash }) => [id, hash]));
    return wrong;
  }
}
