// An engine that is loaded when it is first asked for: whoever has no use for it does not pay for it.
import { ProxyError } from '../errors/proxy-error.js';
import type { Exchange } from '../exchange/exchange.js';
import type { Backend } from '../model/backend.js';
import type { AttemptReport, Engine } from './engine.js';

export class LateEngine implements Engine {
  readonly #load: () => Promise<Engine>;
  #engine: Engine | null = null;
  #loading: Promise<Engine> | null = null;

  constructor(load: () => Promise<Engine>) {
    this.#load = load;
  }

  send(exchange: Exchange, backend: Backend, fresh: boolean, report: AttemptReport): void {
    if (this.#engine !== null) {
      this.#engine.send(exchange, backend, fresh, report);
      return;
    }
    let cut = false;
    exchange.upstream = {
      resume: () => {},
      cut: () => {
        cut = true;
        exchange.upstream = null;
      },
    };
    this.#loading ??= this.#load();
    this.#loading.then(
      (engine) => {
        this.#engine = engine;
        if (!cut) engine.send(exchange, backend, fresh, report);
      },
      (error: unknown) => {
        exchange.upstream = null;
        if (!cut) report.failed(exchange, backend, new ProxyError('internal', 'an engine could not be loaded', error));
      },
    );
  }

  close(): void {
    this.#engine?.close();
  }
}
