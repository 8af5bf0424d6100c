/** Lines of the log that wait for one server, bounded; where the oldest had to go, there is a note of how many. */

export type QueueEntry =
  | { readonly kind: 'line'; readonly line: string }
  /** So many lines stood here. */
  | { readonly kind: 'lost'; readonly count: number };

/** Lines kept for a server: twice what the ring of the log has. */
export const MAX_QUEUE_LINES = 2_000;

/** UTF-16 units of all lines kept: some 4 MB at worst, 300 KB of common ones. */
export const MAX_QUEUE_LENGTH = 2 * 1024 * 1024;

export class LineQueue {
  readonly #entries: QueueEntry[] = [];
  #units = 0;
  #dropped = 0;

  /** @param entries what an earlier queue still had. */
  constructor(entries: readonly QueueEntry[] = []) {
    for (const entry of entries) {
      if (entry.kind === 'line') this.push(entry.line, 0);
      else this.#entries.push(entry);
    }
  }

  /** Lines and notes. */
  get length(): number {
    return this.#entries.length;
  }

  /** Lines that have gone to make room. */
  get dropped(): number {
    return this.#dropped;
  }

  get entries(): readonly QueueEntry[] {
    return [...this.#entries];
  }

  at(index: number): QueueEntry | undefined {
    return this.#entries[index];
  }

  /** The first line behind the entry at `index`. */
  lineAfter(index: number): string | undefined {
    const next = this.#entries[index + 1];
    return next?.kind === 'line' ? next.line : undefined;
  }

  /** @param held so many at the head are out of its hands already, and are not what makes room. */
  push(line: string, held: number): void {
    this.#entries.push({ kind: 'line', line });
    this.#units += line.length;
    while (this.#entries.length > MAX_QUEUE_LINES || this.#units > MAX_QUEUE_LENGTH) {
      if (!this.#dropOldest(held)) return;
    }
  }

  /** Takes the oldest away. @returns what it was. */
  shift(): QueueEntry['kind'] | undefined {
    const entry = this.#entries.shift();
    if (entry?.kind === 'line') this.#units -= entry.line.length;
    return entry?.kind;
  }

  /** The oldest entry that is not held becomes part of the note in its place. @returns whether there was one. */
  #dropOldest(held: number): boolean {
    const note = this.#entries[held];
    const index = note?.kind === 'lost' ? held + 1 : held;
    const entry = this.#entries[index];
    if (entry === undefined) return false;
    if (entry.kind === 'line') {
      this.#units -= entry.line.length;
      this.#dropped += 1;
    }
    const count = (note?.kind === 'lost' ? note.count : 0) + (entry.kind === 'lost' ? entry.count : 1);
    this.#entries.splice(held, index - held + 1, { kind: 'lost', count });
    return true;
  }
}
