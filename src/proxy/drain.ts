// The end of a proxy that may finish what it does.
import type { Logger } from '../observe/logger.js';
import type { ServedProxy } from './served-proxy.js';

/**
 * Says what is still running, and resolves when the proxy has finished and is closed.
 * @param limit milliseconds that running requests get; Infinity: as long as they take
 */
export async function drainProxy(proxy: ServedProxy, limit: number, logger: Logger): Promise<void> {
  const running = proxy.activeExchanges;
  if (running > 0) {
    const patience = limit === Infinity ? 'as long as it takes' : `for up to ${limit / 1000} s`;
    logger.info(`${running} ${running === 1 ? 'request is' : 'requests are'} still running: waiting ${patience}`);
  }
  await proxy.drain(limit);
}
