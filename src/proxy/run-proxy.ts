// Starts a node as its configuration says: a supervisor with workers, or all in one process.
import type { Config } from '../config/config.js';
import { createLogger, type Logger } from '../observe/logger.js';
import type { Beside } from './beside.js';

/**
 * Serves until SIGTERM or SIGINT; resolves when everything that was running has finished or the drain timeout is over.
 * @param load reads the configuration again, as it was read for this start
 * @param beside makes what runs in the process of a node with the memory store
 * @throws StartError with one clear line if the node cannot start
 */
export async function runProxy(
  config: Config,
  load: () => Config,
  beside: ((logger: Logger) => Beside) | null = null,
): Promise<void> {
  const logger = createLogger(config.logLevel);
  const { workers, memoryLimit } = config.server;
  const inMemory = config.driver.read.startsWith('memory:');
  if (workers > 0 && inMemory) {
    logger.info(
      `The memory store lives in one process: server.workers = ${workers} has no effect with driver ${config.driver.read}`,
    );
  }
  // Each way loads only what it needs: a supervisor, which may be root, holds no code of the data plane.
  if (workers > 0 && !inMemory) {
    const { runSupervised } = await import('./run-supervised.js');
    return runSupervised(config, load, logger);
  }
  if (memoryLimit > 0) {
    logger.warn('server.memoryLimit has no effect in one process: there is no supervisor to start a replacement');
  }
  const { createProxy } = await import('./create-proxy.js');
  const { runSingle } = await import('./run-single.js');
  return runSingle(config, load, createProxy, logger, inMemory && beside !== null ? beside(logger) : null);
}
