// A node with workers: starts the supervisor and follows the signals until it is told to stop.

import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { untuneEngine } from '../base/engine-flags.js';
import type { Config } from '../config/config.js';
import type { Logger } from '../observe/logger.js';
import { createForkWorker } from './fork-worker.js';
import { createNodeIdentity } from './node-identity.js';
import { listenForSignals } from './node-signals.js';
import { createNotifier } from './notify.js';
import { Reload } from './reload.js';
import { formatAddresses } from './served-proxy.js';
import { Supervisor } from './supervisor.js';

/**
 * Serves until a stop signal; resolves when every worker has left.
 * @param load reads the configuration again, as it was read for this start
 * @throws StartError if the node cannot start, or its workers end again and again (`server.workerExits`)
 */
export async function runSupervised(config: Config, load: () => Config, logger: Logger): Promise<void> {
  untuneEngine();
  const supervisor = new Supervisor(config, createForkWorker(workerProgram()), logger, createNodeIdentity(config));
  const notifier = createNotifier(process.env, logger, () => supervisor.alive);
  const reload = new Reload({ supervisor, config, load, notifier, logger });
  let serving = false;
  const stop = listenForSignals(
    {
      reopenLogs: () => supervisor.reopenLogs(),
      // Until it serves, what it starts with is the newest there is.
      reload: () => {
        if (serving) reload.reload();
      },
      roll: () => {
        if (serving) reload.roll();
      },
      stopNow: () => supervisor.kill(),
    },
    logger,
  );
  const stopped = stop.then(() => {
    serving = false;
    notifier.stopping();
    return supervisor.stop();
  });
  const addresses = await supervisor.start();
  if (addresses.length > 0) {
    serving = true;
    const { workers } = config.server;
    const text = `Serving ${formatAddresses(addresses)} with ${workers} ${workers === 1 ? 'worker' : 'workers'}`;
    logger.info(text, { driver: config.driver.read });
    notifier.ready(text);
  }
  try {
    await Promise.race([stopped, supervisor.gaveUp]);
  } catch (error) {
    notifier.stopping();
    await supervisor.stop();
    throw error;
  } finally {
    await notifier.flush();
  }
}

/** The worker's program beside this file, with the same ending: it runs from sources (.ts, under a loader) as it does built (.js). */
function workerProgram(): string {
  return fileURLToPath(new URL(`worker-main${extname(import.meta.url)}`, import.meta.url));
}
