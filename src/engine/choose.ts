// Which engine speaks to a backend: for HTTP/2 backends that of HTTP/2, for all others the product's own, or the http-proxy package by setting.
import type { ProxyServer } from 'http-proxy';
import type { CoarseClock } from '../base/clock.js';
import type { ServerConfig } from '../config/config.js';
import type { Exchange } from '../exchange/exchange.js';
import { type Backend, speaksHttp2 } from '../model/backend.js';
import type { BackendTls } from '../upstream/dial.js';
import type { AttemptReport, Engine } from './engine.js';
import { LateEngine } from './late-engine.js';
import { WireEngine } from './wire/wire-engine.js';

/** Gives each attempt to the engine that its backend is spoken to by. */
class EngineByBackend implements Engine {
  readonly #http1: Engine;
  readonly #http2: Engine;

  constructor(http1: Engine, http2: Engine) {
    this.#http1 = http1;
    this.#http2 = http2;
  }

  send(exchange: Exchange, backend: Backend, fresh: boolean, report: AttemptReport): void {
    (speaksHttp2(backend) ? this.#http2 : this.#http1).send(exchange, backend, fresh, report);
  }

  close(): void {
    this.#http1.close();
    this.#http2.close();
  }
}

/**
 * Both engines of HTTP/1.1 pass the same suite (test/contract/engine.contract.ts); the wire engine costs a fifth of the other.
 * @param packageServer what forwards if the engine is the package; absent: one of the engine's own
 */
export async function createEngine(
  server: ServerConfig,
  trust: BackendTls,
  clock: CoarseClock,
  packageServer?: ProxyServer,
): Promise<Engine> {
  const http2 = new LateEngine(async () => {
    const { Http2Engine } = await import('./http2/http2-engine.js');
    const engine = new Http2Engine({ ...server, trust }, clock);
    clock.add(engine);
    return engine;
  });
  return new EngineByBackend(await createHttp1Engine(server, trust, clock, packageServer), http2);
}

async function createHttp1Engine(
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
