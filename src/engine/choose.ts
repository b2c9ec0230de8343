// Which engine speaks to the backends: the product's own, or the http-proxy package for whoever asks for it.
import type { ProxyServer } from 'http-proxy';
import type { CoarseClock } from '../base/clock.js';
import type { ServerConfig } from '../config/config.js';
import type { BackendTls } from '../upstream/dial.js';
import type { Engine } from './engine.js';
import { WireEngine } from './wire/wire-engine.js';

/**
 * Both engines pass the same suite (test/contract/engine.contract.ts); the wire engine costs a fifth of the other.
 * @param packageServer what forwards if the engine is the package; absent: one of the engine's own
 */
export async function createEngine(
  server: ServerConfig,
  trust: BackendTls,
  clock: CoarseClock,
  packageServer?: ProxyServer,
): Promise<Engine> {
  switch (server.engine) {
    case 'http-proxy': {
      // The package and what it brings along are loaded by those who use it alone.
      const { createHttpProxyEngine } = await import('./http-proxy/http-proxy-engine.js');
      return createHttpProxyEngine({ ...server, trust }, packageServer);
    }
    case 'wire': {
      const engine = new WireEngine({ ...server, trust }, clock);
      clock.add(engine);
      return engine;
    }
  }
}
