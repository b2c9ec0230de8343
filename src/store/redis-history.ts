// The stream `history` in Redis: every change that was made through the management API, as it is read again.
import type { RedisSide } from '../redis/kept-link.js';
import type { RedisKeys } from '../redis/keys.js';
import type { HistoryEntry } from './change.js';
import { namedRun } from './named-run.js';

export class RedisHistory {
  readonly #keys: RedisKeys;
  readonly #read: RedisSide;

  constructor(keys: RedisKeys, read: RedisSide) {
    this.#keys = keys;
    this.#read = read;
  }

  /** As `ManagedStore.readHistory`. */
  entries(before: string, count: number): Promise<HistoryEntry[]> {
    return namedRun(this.#read, 'reading history', async (commands) => {
      const newest = before === '' ? '+' : `(${before}`;
      return entriesIn(await commands.one(['XREVRANGE', this.#keys.history, newest, '-', 'COUNT', count]));
    });
  }

  /** As `ManagedStore.readHistoryEntry`. */
  async entry(id: string): Promise<HistoryEntry | null> {
    const reply = await namedRun(this.#read, 'reading history', (commands) =>
      commands.one(['XRANGE', this.#keys.history, id, id]),
    );
    return entriesIn(reply)[0] ?? null;
  }
}

/** What XRANGE replies in RESP2. */
function entriesIn(reply: unknown): HistoryEntry[] {
  if (!Array.isArray(reply)) return [];
  return reply.flatMap((entry: unknown) => {
    if (!Array.isArray(entry) || !Array.isArray(entry[1])) return [];
    const fields = entry[1].map(String);
    const at = fields.findIndex((name, place) => place % 2 === 0 && name === 'change');
    return at === -1 ? [] : [{ id: String(entry[0]), text: fields[at + 1] ?? '' }];
  });
}
