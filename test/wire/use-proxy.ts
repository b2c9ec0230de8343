// One proxy for the tests of a file; every test gets backends and clients of its own, which end with it.
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { World } from '../contract/engine/world.js';
import type { RawBackend } from '../helpers/backend.js';
import { type ProxyOverrides, type StartedProxy, startProxy } from '../helpers/start-proxy.js';

/** What a test works with; valid while it runs. */
export interface Wire {
  readonly world: World;
}

/** Starts the proxy before the first test and closes it after the last. */
export function useProxy(overrides: ProxyOverrides = {}): Wire {
  let proxy: StartedProxy | null = null;
  let world: World | null = null;

  beforeAll(async () => {
    proxy = await startProxy(overrides);
  });
  beforeEach(() => {
    if (proxy === null) throw new Error('the proxy did not start');
    world = new World(proxy, 'wire');
  });
  afterEach(async () => {
    await world?.close();
    world = null;
  });
  afterAll(() => proxy?.close());

  return {
    get world() {
      if (world === null) throw new Error('there is a world only while a test runs');
      return world;
    },
  };
}

/** Whether the proxy has closed every connection to a backend that it ever made; a backend keeps its own side open. */
export function isLetGo({ connections }: RawBackend): boolean {
  return connections.length > 0 && connections.every((connection) => connection.closed || connection.queue.end !== null);
}
