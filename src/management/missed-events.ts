// What a listener has missed while it was away, told before what happens now: entries of the history after the one it heard last.
import type { ManagedStore } from '../store/managed-store.js';
import { type Changes, type ManagementEvent, mostAtOnce } from './changes.js';
import { type HistoryDocument, readHistory } from './operations/history.js';

/**
 * Listens as `Changes.listen` does. Where the entry is not among the latest any more, that is told as a reset.
 * @param lastId of the entry that was heard last
 * @returns ends the listening
 */
export function listenSince(
  changes: Changes,
  store: ManagedStore,
  lastId: string,
  listener: (event: ManagementEvent) => void,
): () => void {
  /** What happens while the history is read; null: it was read. */
  let held: ManagementEvent[] | null = [];
  const stop = changes.listen((event) => {
    if (held === null) listener(event);
    else held.push(event);
  });
  const go = (missed: readonly HistoryDocument[] | null): void => {
    const later = held ?? [];
    held = null;
    if (missed === null) listener({ type: 'reset' });
    const told = new Set(missed?.map(({ id }) => id));
    for (const entry of missed ?? []) listener({ type: 'history', entry });
    for (const event of later) if (event.type !== 'history' || !told.has(event.entry.id)) listener(event);
  };
  void readHistory({ store }, { limit: mostAtOnce }).then(
    (entries) => {
      const at = entries.findIndex(({ id }) => id === lastId);
      go(at === -1 ? null : entries.slice(0, at).reverse());
    },
    () => go(null),
  );
  return stop;
}
