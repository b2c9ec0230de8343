// Tells the bus what the store tells of frontends.
import type { EventBus } from '../observe/events.js';
import type { StoreListener } from '../store/store.js';

/** Told after whoever keeps something of the store: who asks for the route of a changed frontend then gets the new one. */
export function createRouteEvents(events: EventBus): StoreListener {
  const tell = (vHost: string): void => {
    if (events.listens('route.changed')) events.emit('route.changed', { vHost });
  };
  return { changed: tell, everythingChanged: () => tell('') };
}
