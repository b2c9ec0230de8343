// The composition of the management: a store that runs, to an application that can be listened on.
import type { Express } from 'express';
import { openVault } from '../certs/key-vault.js';
import type { Config } from '../config/config.js';
import type { Logger } from '../observe/logger.js';
import type { ManagedStore } from '../store/managed-store.js';
import type { StoreListener } from '../store/store.js';
import { createApp } from './app.js';
import { Authenticator } from './auth.js';
import { Changes } from './changes.js';
import { allEndpoints } from './endpoints.js';
import { Fleet } from './fleet.js';
import { serveReference } from './reference.js';
import { serveRegister } from './register.js';
import type { Workspace } from './workspace.js';

export interface ManagementParts {
  readonly config: Config;
  readonly store: ManagedStore;
  readonly logger: Logger;
}

/** The application, and what it is to be told of the store. */
export interface Management {
  readonly app: Express;
  readonly listener: StoreListener;
  readonly fleet: Fleet;
  /** Resolves when the nodes are known; the store runs. */
  begin(): Promise<void>;
  close(): void;
}

/** Nothing is asked of the store before `begin`. */
export function createManagement({ config, store, logger }: ManagementParts): Management {
  const { api, https, server } = config;
  const workspace: Omit<Workspace, 'author'> = {
    store,
    vault: openVault(https.storeKeys, https.storeKeyFile ?? ''),
    deadTtl: server.deadBackendTTL,
  };
  const changes = new Changes(store);
  const fleet: Fleet = new Fleet(store, (id, beat) => changes.nodeChanged(id, beat));
  const endpoints = allEndpoints(fleet, changes);
  const app = createApp({
    config: api,
    workspace,
    endpoints,
    authenticator: new Authenticator(api.tokens, api.failures),
    fleet,
    logger,
    open: (express) => {
      serveRegister(express, workspace, logger);
      serveReference(express, endpoints);
    },
  });
  return {
    app,
    fleet,
    listener: {
      ...changes.storeListener,
      changed: (name) => changes.frontendChanged(name),
      nodeChanged: (id) => fleet.nodeChanged(id),
      everythingChanged() {
        fleet.everythingChanged();
        changes.storeListener.everythingChanged();
      },
    },
    begin: () => fleet.load(),
    close: () => fleet.close(),
  };
}
