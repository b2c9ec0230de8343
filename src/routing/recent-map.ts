// A bounded map that forgets what was not asked for in a while, and in which names that strangers invent cannot push out others.
import { type Linked, LinkedList } from '../base/linked-list.js';

/**
 * Where an entry stands: `written`: its name is one that somebody wrote; `guest`: it is not, but was asked for more than once; `newcomer`:
 * it is not, and was asked for once.
 */
type Standing = 'written' | 'guest' | 'newcomer';

interface Entry<V> extends Linked<Entry<V>> {
  readonly key: string;
  value: V;
  standing: Standing;
  /** It was asked for since it was looked at last as a candidate to be forgotten. */
  asked: boolean;
}

/** Of the bound, the part that newcomers may have, and the part that strangers have beside it however much is written. */
const newcomersShare = 1 / 8;
const strangersShare = 1 / 4;

/**
 * What is written pushes out guests, and what is written itself where that has reached the bound. Guests have what is left. While there is
 * room a newcomer becomes one when others come after it, later only if it was asked for again: a flood of invented names passes
 * through the newcomers and pushes out nothing else. Among its like the one goes that was put in first and not asked for since its last
 * turn. Compared with an order by age, a hit changes one field and no list.
 */
export class RecentMap<V extends object> {
  readonly #bound: number;
  /** Of all together. */
  readonly #most: number;
  readonly #onForget: (value: V) => void;
  readonly #entries = new Map<string, Entry<V>>();
  readonly #written = new LinkedList<Entry<V>>();
  readonly #guests = new LinkedList<Entry<V>>();
  readonly #newcomers = new LinkedList<Entry<V>>();

  /**
   * @param bound the most that is held of what is written; all together are at most a quarter more
   * @param onForget told of each value that is forgotten or replaced, not of those that are deleted
   */
  constructor(bound: number, onForget: (value: V) => void) {
    this.#bound = Math.max(1, Math.floor(bound));
    this.#most = this.#bound + Math.max(1, Math.floor(this.#bound * strangersShare));
    this.#onForget = onForget;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    entry.asked = true;
    return entry.value;
  }

  /** @param written whether the name is one that somebody wrote, and not one that whoever asks could have invented */
  set(key: string, value: V, written: boolean): void {
    const known = this.#entries.get(key);
    if (known === undefined) {
      if (written) this.#makeRoomForWritten();
      else this.#makeRoomForNewcomer();
      const standing: Standing = written ? 'written' : 'newcomer';
      const entry: Entry<V> = { key, value, standing, asked: false, previous: null, next: null };
      this.#entries.set(key, entry);
      this.#of(standing).append(entry);
      return;
    }
    const before = known.value;
    known.value = value;
    if (written && known.standing !== 'written') {
      if (this.#written.size >= this.#bound) this.#forgetOldest(this.#written);
      this.#move(known, 'written');
    } else if (!written && known.standing === 'written') this.#move(known, 'guest');
    if (before !== value) this.#onForget(before);
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#of(entry.standing).remove(entry);
    this.#entries.delete(key);
  }

  #makeRoomForWritten(): void {
    if (this.#written.size >= this.#bound) this.#forgetOldest(this.#written);
    else if (this.#entries.size >= this.#most) this.#forgetStranger();
  }

  #makeRoomForNewcomer(): void {
    const oldest = this.#newcomers.first;
    if (oldest !== null && this.#newcomers.size >= this.#bound * newcomersShare) {
      if (oldest.asked || this.#entries.size < this.#most) this.#move(oldest, 'guest');
      else this.#forget(oldest);
    }
    if (this.#entries.size >= this.#most) this.#forgetStranger();
  }

  #forgetStranger(): void {
    this.#forgetOldest(this.#guests.size > 0 ? this.#guests : this.#newcomers);
  }

  /** Each that was asked for gets another turn, behind the others. */
  #forgetOldest(list: LinkedList<Entry<V>>): void {
    let oldest = list.first;
    while (oldest?.asked === true) {
      oldest.asked = false;
      list.remove(oldest);
      list.append(oldest);
      oldest = list.first;
    }
    if (oldest !== null) this.#forget(oldest);
  }

  #forget(entry: Entry<V>): void {
    this.delete(entry.key);
    this.#onForget(entry.value);
  }

  #move(entry: Entry<V>, standing: Standing): void {
    this.#of(entry.standing).remove(entry);
    entry.standing = standing;
    entry.asked = false;
    this.#of(standing).append(entry);
  }

  #of(standing: Standing): LinkedList<Entry<V>> {
    switch (standing) {
      case 'written':
        return this.#written;
      case 'guest':
        return this.#guests;
      case 'newcomer':
        return this.#newcomers;
    }
  }
}
