// A list of objects in an order of their own, of which any can be taken out, and the first be found, in constant time.

/** What a member carries: its neighbours. The list's own: begin with null and leave them alone. */
export interface Linked<T> {
  previous: T | null;
  next: T | null;
}

/**
 * For orders that lose their front all the time. A `Map` finds its first key by walking over all that were deleted before it, which takes
 * longer than anything else where there are a hundred thousand of them.
 */
export class LinkedList<T extends Linked<T>> {
  #first: T | null = null;
  #last: T | null = null;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get first(): T | null {
    return this.#first;
  }

  /** Adds a member that is in no list, at the end. */
  append(member: T): void {
    member.previous = this.#last;
    member.next = null;
    if (this.#last === null) this.#first = member;
    else this.#last.next = member;
    this.#last = member;
    this.#size++;
  }

  /** Puts one that is in no list in the place of a member. */
  replace(member: T, by: T): void {
    const { previous, next } = member;
    by.previous = previous;
    by.next = next;
    if (previous === null) this.#first = by;
    else previous.next = by;
    if (next === null) this.#last = by;
    else next.previous = by;
    member.previous = null;
    member.next = null;
  }

  /** Takes a member of this list out of it. */
  remove(member: T): void {
    const { previous, next } = member;
    if (previous === null) this.#first = next;
    else previous.next = next;
    if (next === null) this.#last = previous;
    else next.previous = previous;
    member.previous = null;
    member.next = null;
    this.#size--;
  }
}
