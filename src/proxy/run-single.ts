// A node in one process: no supervisor, no workers. For small machines, containers that are scaled from outside, and the memory store.
import type { Config } from '../config/config.js';
import { ConfigError } from '../config/config-error.js';
import { findUnreadableFiles } from '../config/unreadable-files.js';
import type { NodePhase } from '../model/node.js';
import type { Logger } from '../observe/logger.js';
import { handOverAccessLog } from './access-log-owner.js';
import type { Beside } from './beside.js';
import { crashOnUncaught } from './crash.js';
import { drainProxy } from './drain.js';
import { createNodeIdentity } from './node-identity.js';
import { listenForSignals, type SignalActions } from './node-signals.js';
import { NodeStats } from './node-stats.js';
import { createNotifier } from './notify.js';
import { Presence } from './presence.js';
import { dropPrivileges, resolveIdentity } from './privileges.js';
import { Publication } from './publication.js';
import { formatAddresses, type OpenProxy, type ServedProxy } from './served-proxy.js';
import { sumUp } from './worker-status.js';

/** There are no workers to be told apart. */
const ownSource = 0;

/**
 * Serves until a stop signal; resolves when the proxy has finished and is closed.
 * @param load reads the configuration again, as it was read for this start
 * @param beside what runs on the same store
 * @throws StartError if it cannot start
 */
export async function runSingle(
  config: Config,
  load: () => Config,
  open: OpenProxy,
  logger: Logger,
  beside: Beside | null = null,
): Promise<void> {
  const identity = resolveIdentity(config.user, config.group);
  const notifier = createNotifier(process.env, logger, () => true);
  let proxy: ServedProxy | null = null;
  let phase: NodePhase = 'starting';
  const actions: SignalActions = {
    reopenLogs: () => proxy?.reopenLogs(),
    reload: () => sayRestart(load, logger),
    roll: () => logger.warn('There are no workers to replace: this node is one process (server.workers is 0)'),
    stopNow: () => {},
  };
  const stop = listenForSignals(actions, logger);
  const node = createNodeIdentity(config);
  const stats = new NodeStats(config.metrics.frontends, (text) => logger.warn(text));
  const presence: Presence = new Presence({
    config,
    node,
    logger,
    tell: (status) => presence.follow({ phase, serving: 1, wanted: 1, ...sumUp([status]), leads: true }),
    tellCounts: (counts) => {
      stats.hear(ownSource, ownSource, counts);
      if (counts.last) publication.leaves(ownSource);
      else publication.heard(ownSource);
    },
    metrics: async () => stats.snapshot(),
  });
  const publication: Publication = new Publication({
    totals: stats.totals,
    boot: node.boot,
    send: (_, order) => void presence.followStats(order).then((answer) => publication.answered(answer)),
    telling: () => 1,
    writer: () => ownSource,
  });
  handOverAccessLog(config.server.accessLog, identity, logger);
  await presence.open();
  proxy = await open(config, {
    workerId: 0,
    logger,
    revisionChanged: () => presence.revisionChanged(),
    async closing() {
      await beside?.close();
      await presence.end();
    },
    ...(beside === null ? {} : { prepare: (store) => beside.prepare(store), storeListener: beside.listener }),
  });
  if (identity !== null) {
    try {
      dropPrivileges(identity, logger);
    } catch (error) {
      await proxy.close();
      throw error;
    }
  }
  crashOnUncaught(logger);
  phase = 'serving';
  presence.watch(proxy);
  const text = `Serving ${formatAddresses(proxy.addresses)} in one process`;
  logger.info(text, { driver: config.driver.read });
  notifier.ready(text);
  await stop;
  phase = 'stopping';
  presence.stopping();
  notifier.stopping();
  await drainProxy(proxy, config.server.drainTimeout, logger);
  await notifier.flush();
}

/**
 * There is no second process that could take the listening sockets and the connections over, and the memory store has but one
 * owner. So the new configuration is checked, and a person told what to do.
 */
function sayRestart(load: () => Config, logger: Logger): void {
  try {
    const faults = findUnreadableFiles(load());
    if (faults.length > 0) throw new ConfigError(faults);
    logger.warn(
      'The configuration is right, but a node in one process takes it over only by a restart; with server.workers = 1 or more it does so while it runs',
    );
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const fault of error.message.split('\n')) logger.error(`The new configuration is refused, the old one stays: ${fault}`);
  }
}
