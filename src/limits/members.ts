// Who belongs to which tier: the `member:` records, read one by one as they are asked for, and the sets of cjs-proxy.
import type { RecordKind, StoredRecord } from '../model/record-kind.js';
import { tierName } from '../model/tier-name.js';
import { LiveRecords, type RecordSource } from '../store/live-records.js';
import type { StoreListener } from '../store/store.js';

/** What a member is: an API key (its SHA-256), an address (IPv6 as /64), or a host. */
export type MemberKind = 'key' | 'ip' | 'host';

export class Members implements StoreListener {
  readonly #members: LiveRecords<string>;
  readonly #sets: Readonly<Record<'registered' | 'premium', LiveRecords<ReadonlySet<string>>>>;

  /** @param bound the most members that are kept in memory, and the most of those that turned out to be none */
  constructor(store: RecordSource, bound: number) {
    // Anybody can send a key that nobody has given out.
    const absent = { isAbsent: (tier: string) => tier === '', bound };
    this.#members = new LiveRecords(store, 'member', (_, record) => tierOf(record), bound, absent);
    const setOf = (kind: 'registered' | 'premium') => new LiveRecords(store, kind, (_, record) => membersOf(record), 1);
    this.#sets = { registered: setOf('registered'), premium: setOf('premium') };
  }

  /** The tier of a member; empty: it is none, or nothing can be found out. A promise only when the store must be asked. */
  tierOf(kind: MemberKind, id: string): string | Promise<string> {
    const found = this.#members.getSoon(`${kind}:${id}`);
    return found instanceof Promise ? found.catch(() => '') : found;
  }

  /** Whether a set has a host. */
  isIn(set: 'registered' | 'premium', host: string): boolean | Promise<boolean> {
    const found = this.#sets[set].getSoon('');
    if (!(found instanceof Promise)) return found.has(host);
    return found.then(
      (later) => later.has(host),
      () => false,
    );
  }

  /** Frontends are no concern of it. */
  changed(): void {}

  recordChanged(kind: RecordKind, name: string): void {
    this.#members.recordChanged(kind, name);
    this.#sets.registered.recordChanged(kind, name);
    this.#sets.premium.recordChanged(kind, name);
  }

  everythingChanged(): void {
    this.#members.everythingChanged();
    this.#sets.registered.everythingChanged();
    this.#sets.premium.everythingChanged();
  }
}

function tierOf({ values }: StoredRecord): string {
  const tier = values[0]?.trim() ?? '';
  return tierName.test(tier) ? tier : '';
}

function membersOf({ values }: StoredRecord): ReadonlySet<string> {
  return new Set(values.map((host) => host.trim().toLowerCase()));
}
