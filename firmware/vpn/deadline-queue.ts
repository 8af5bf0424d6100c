import type { Instant } from '../protocol/machine.ts';

interface Entry<Item> {
  readonly at: Instant;
  readonly item: Item;
}

/**
 * The earliest deadline among many things that each know their own: a binary heap. A deadline that moves later costs
 * nothing until its old instant comes to the front, so a keepalive that every packet puts off stays cheap.
 */
export class DeadlineQueue<Item> {
  readonly #deadlineOf: (item: Item) => Instant | undefined;
  readonly #heap: Entry<Item>[] = [];
  /** The earliest instant at which each item stands in the heap. */
  readonly #queued = new Map<Item, Instant>();

  /** @param deadlineOf what the item says now; `undefined`: it has none, or is gone. */
  constructor(deadlineOf: (item: Item) => Instant | undefined) {
    this.#deadlineOf = deadlineOf;
  }

  /** The item's deadline may have changed. */
  update(item: Item): void {
    const at = this.#deadlineOf(item);
    if (at === undefined) return;
    const queued = this.#queued.get(item);
    if (queued !== undefined && queued <= at) return;
    this.#queued.set(item, at);
    this.#push({ at, item });
  }

  /** The items that are due, each once; they are forgotten until {@link update}. */
  takeDue(now: Instant): readonly Item[] {
    const due: Item[] = [];
    for (let first = this.first; first && first.at <= now; first = this.first) {
      this.#pop();
      this.#queued.delete(first.item);
      due.push(first.item);
    }
    return due;
  }

  /** The first item and its deadline; `undefined` while no item has one. */
  get first(): { readonly at: Instant; readonly item: Item } | undefined {
    for (let top = this.#heap[0]; top; top = this.#heap[0]) {
      const due = this.#deadlineOf(top.item);
      if (due === top.at && this.#queued.get(top.item) === top.at) return top;
      this.#pop();
      if (this.#queued.get(top.item) !== top.at) continue;
      this.#queued.delete(top.item);
      this.update(top.item);
    }
    return undefined;
  }

  #push(entry: Entry<Item>): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent];
      if (!above || above.at <= entry.at) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      let below = heap[child];
      const right = heap[child + 1];
      if (below && right && right.at < below.at) {
        child += 1;
        below = right;
      }
      if (!below || below.at >= last.at) break;
      heap[index] = below;
      index = child;
    }
    heap[index] = last;
  }
}
