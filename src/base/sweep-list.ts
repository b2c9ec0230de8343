// A dense list of objects that come and go often and are all looked at now and then: connections, running exchanges.

/** What a member carries so that it is removed without a search. */
export interface Slotted {
  /** Place in the one list that holds it; -1: in none. The list's own: set it to -1 once and leave it alone. */
  slot: number;
}

/** A list with constant-time `add` and `remove`. Order means nothing: a removed member's place is taken by the last. */
export class SweepList<T extends Slotted> {
  readonly #members: T[] = [];

  get size(): number {
    return this.#members.length;
  }

  /** Adds a member; nothing happens when it is in the list already. */
  add(member: T): void {
    if (member.slot !== -1) return;
    member.slot = this.#members.length;
    this.#members.push(member);
  }

  /** Removes a member; nothing happens when it is not in the list. */
  remove(member: T): void {
    const { slot } = member;
    if (slot === -1 || this.#members[slot] !== member) return;
    member.slot = -1;
    const last = this.#members.pop() as T;
    if (last === member) return;
    this.#members[slot] = last;
    last.slot = slot;
  }

  /**
   * Visits every member. The visit may remove any member, its own or others: none is left out, though one that takes
   * a removed member's place may be visited twice. Members added by a visit wait for the next round.
   * @param now handed through, so that a sweep by the clock needs no closure
   */
  each(visit: (member: T, now: number) => void, now = 0): void {
    // From the end: what takes a removed member's place comes from behind, where the visit has been.
    for (let at = this.#members.length - 1; at >= 0; at--) {
      const member = this.#members[at];
      if (member !== undefined) visit(member, now);
    }
  }
}
