// A node in one process: no supervisor, no workers. For small machines, containers that are scaled from outside, and the memory store.
import type { Config } from '../config/config.js';
import type { Logger } from '../observe/logger.js';
import { handOverAccessLog } from './access-log-owner.js';
import { crashOnUncaught } from './crash.js';
import { drainProxy } from './drain.js';
import { listenForSignals } from './node-signals.js';
import { dropPrivileges, resolveIdentity } from './privileges.js';
import { formatAddresses, type OpenProxy, type ServedProxy } from './served-proxy.js';

/**
 * Serves until a stop signal; resolves when the proxy has finished and is closed.
 * @throws StartError if it cannot start
 */
export async function runSingle(config: Config, open: OpenProxy, logger: Logger): Promise<void> {
  const identity = resolveIdentity(config.user, config.group);
  let proxy: ServedProxy | null = null;
  const stop = listenForSignals({ reopenLogs: () => proxy?.reopenLogs(), stopNow: () => {} }, logger);
  handOverAccessLog(config.server.accessLog, identity, logger);
  proxy = await open(config, { workerId: 0, logger });
  if (identity !== null) {
    try {
      dropPrivileges(identity, logger);
    } catch (error) {
      await proxy.close();
      throw error;
    }
  }
  crashOnUncaught(logger);
  logger.info(`Serving ${formatAddresses(proxy.addresses)} in one process`, { driver: config.driver.read });
  await stop;
  await drainProxy(proxy, config.server.drainTimeout, logger);
}
