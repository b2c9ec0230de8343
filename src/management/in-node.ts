// The management inside a node whose store lives in its own memory: nobody else could reach that.
import type { Config } from '../config/config.js';
import type { Logger } from '../observe/logger.js';
import type { Beside } from '../proxy/beside.js';
import type { StoreListener } from '../store/store.js';
import { createManagement, type Management } from './create-management.js';
import { listen, type ManagementListener } from './listen.js';

/** @param config with `api.port` set */
export function managementInNode(config: Config): (logger: Logger) => Beside {
  return (logger) => {
    let management: Management | null = null;
    let listener: ManagementListener | null = null;
    const told = (): StoreListener | null => management?.listener ?? null;
    return {
      listener: {
        changed: (name) => told()?.changed(name),
        recordChanged: (kind, name) => told()?.recordChanged?.(kind, name),
        revisionChanged: () => told()?.revisionChanged?.(),
        nodeChanged: (id) => told()?.nodeChanged?.(id),
        everythingChanged: () => told()?.everythingChanged(),
      },
      async prepare(store) {
        management = createManagement({ config, store, logger });
        await management.begin();
        listener = await listen(config.api, management.app);
        logger.info(`Serving the management API on ${listener.url}/api/v1`);
      },
      async close() {
        management?.close();
        await listener?.close();
      },
    };
  };
}
