// A bounded map that forgets what was not asked for in a while, and in which names that strangers invent cannot push out others.
import { type Linked, LinkedList } from '../base/linked-list.js';
import { TextTable } from '../base/text-table.js';

/**
 * Where an entry stands: `written`: its name is one that somebody wrote; `guest`: it is not, but was asked for more than once; `newcomer`:
 * it is not, and was asked for once.
 */
export type Standing = 'written' | 'guest' | 'newcomer';

/**
 * What a value carries, so that it is its own entry: one object where there are a hundred thousand. All but the key are the map's, which
 * sets them when it takes the value.
 */
export interface Recent<V> extends Linked<V> {
  readonly key: string;
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
export class RecentMap<V extends Recent<V>> {
  readonly #bound: number;
  /** Of all together. */
  readonly #most: number;
  readonly #onForget: (value: V) => void;
  readonly #entries = new TextTable<V>();
  readonly #written = new LinkedList<V>();
  readonly #guests = new LinkedList<V>();
  readonly #newcomers = new LinkedList<V>();

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
    return entry;
  }

  /**
   * Puts a value in under its key, in the place of the one that was there.
   * @param written whether the name is one that somebody wrote, and not one that whoever asks could have invented
   */
  set(value: V, written: boolean): void {
    const { key } = value;
    const known = this.#entries.get(key);
    if (known === undefined) {
      if (written) this.#makeRoomForWritten();
      else this.#makeRoomForNewcomer();
      value.standing = written ? 'written' : 'newcomer';
      value.asked = false;
      this.#entries.set(value);
      this.#of(value.standing).append(value);
      return;
    }
    value.standing = known.standing;
    value.asked = known.asked;
    this.#of(known.standing).replace(known, value);
    this.#entries.set(value);
    if (written && value.standing !== 'written') {
      if (this.#written.size >= this.#bound) this.#forgetOldest(this.#written);
      this.#move(value, 'written');
    } else if (!written && value.standing === 'written') this.#move(value, 'guest');
    this.#onForget(known);
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
  #forgetOldest(list: LinkedList<V>): void {
    let oldest = list.first;
    while (oldest?.asked === true) {
      oldest.asked = false;
      list.remove(oldest);
      list.append(oldest);
      oldest = list.first;
    }
    if (oldest !== null) this.#forget(oldest);
  }

  #forget(entry: V): void {
    this.delete(entry.key);
    this.#onForget(entry);
  }

  #move(entry: V, standing: Standing): void {
    this.#of(entry.standing).remove(entry);
    entry.standing = standing;
    entry.asked = false;
    this.#of(standing).append(entry);
  }

  #of(standing: Standing): LinkedList<V> {
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
