// The management process: `cjs-proxy api`.
import type { Config } from '../config/config.js';
import { maskDriverUrl } from '../config/driver-url.js';
import { StartError } from '../errors/start-error.js';
import { createLogger } from '../observe/logger.js';
import { createStore } from '../store/create-store.js';
import { createManagement, type Management } from './create-management.js';
import { listen, standardPort } from './listen.js';

/**
 * Serves until SIGTERM or SIGINT.
 * @throws StartError with one clear line if it cannot start
 */
export async function runApi(config: Config): Promise<void> {
  const logger = createLogger(config.logLevel);
  const { read } = config.driver;
  if (read.startsWith('memory:'))
    throw new StartError(
      'a memory: store lives in the node that serves from it: set api.port there, and the node answers the management API itself',
    );
  const store = createStore(config, (level, text) => logger[level](text), { followNodes: true });
  const management: Management = createManagement({ config, store, logger });
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
  await store.start(management.listener);
  try {
    await management.begin().catch((error: unknown) => logger.warn(`The nodes are not known yet: ${String(error)}`));
    const listener = await listen({ ...config.api, port: config.api.port || standardPort }, management.app);
    logger.info(`Serving the management API on ${listener.url}/api/v1`, { driver: maskDriverUrl(read) });
    await stopped;
    management.close();
    await listener.close();
  } finally {
    await store.close();
  }
}
