// A node with workers: starts the supervisor and follows the signals until it is told to stop.
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '../config/config.js';
import type { Logger } from '../observe/logger.js';
import { createForkWorker } from './fork-worker.js';
import { listenForSignals } from './node-signals.js';
import { formatAddresses } from './served-proxy.js';
import { Supervisor } from './supervisor.js';

/**
 * Serves until a stop signal; resolves when every worker has left.
 * @throws StartError if the node cannot start
 */
export async function runSupervised(config: Config, logger: Logger): Promise<void> {
  const supervisor = new Supervisor(config, createForkWorker(workerProgram()), logger);
  const stop = listenForSignals({ reopenLogs: () => supervisor.reopenLogs(), stopNow: () => supervisor.kill() }, logger);
  const stopped = stop.then(() => supervisor.stop());
  const addresses = await supervisor.start();
  if (addresses.length > 0) {
    const { workers } = config.server;
    logger.info(`Serving ${formatAddresses(addresses)} with ${workers} ${workers === 1 ? 'worker' : 'workers'}`, {
      driver: config.driver.read,
    });
  }
  await stopped;
}

/** The worker's program beside this file, with the same ending: it runs from sources (.ts, under a loader) as it does built (.js). */
function workerProgram(): string {
  return fileURLToPath(new URL(`worker-main${extname(import.meta.url)}`, import.meta.url));
}
