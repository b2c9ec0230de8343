// The contract of a stage: one step that every exchange passes.
import type { ProxyError } from '../errors/proxy-error.js';
import type { Exchange } from '../exchange/exchange.js';

/** An answer that the proxy makes itself. */
export interface Answer {
  readonly status: number;
  readonly contentType: string;
  /** A text is sent as UTF-8. */
  readonly body: string | Buffer;
  /** Names and values in turn. */
  readonly headers?: readonly string[];
}

/**
 * What a stage decides: `undefined` to go on, an answer or an error to stop with it, `taken` when the stage will end
 * the exchange by itself. A promise only where something must be waited for: the pipeline awaits nothing else.
 */
export type StageResult = undefined | Answer | ProxyError | 'taken';

/** One step. */
export type Stage = (exchange: Exchange) => StageResult | Promise<StageResult>;
