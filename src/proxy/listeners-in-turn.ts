// One listener of a store that stands for several.
import type { StoreListener } from '../store/store.js';

/** Tells several listeners of one store, in the order given. */
export function listenersInTurn(...listeners: readonly StoreListener[]): StoreListener {
  return {
    changed: (name) => {
      for (const listener of listeners) listener.changed(name);
    },
    marksChanged: (name) => {
      for (const listener of listeners) listener.marksChanged?.(name);
    },
    recordChanged: (kind, name) => {
      for (const listener of listeners) listener.recordChanged?.(kind, name);
    },
    revisionChanged: () => {
      for (const listener of listeners) listener.revisionChanged?.();
    },
    nodeChanged: (id) => {
      for (const listener of listeners) listener.nodeChanged?.(id);
    },
    everythingChanged: () => {
      for (const listener of listeners) listener.everythingChanged();
    },
  };
}
