// What a node is called in the fleet.
import { hostname } from 'node:os';
import { v4, v5 } from 'uuid';
import type { Config } from '../config/config.js';
import type { NodeIdentity } from './worker-messages.js';

/** Names made here are in a space of their own (RFC 9562 section 5.5). */
const nameSpace = '5d0a7a6e-3f0c-4d7b-9a43-0c5f6c3b8f21';

/**
 * The identity of this process: `server.nodeId`, or host name with a short hash of configuration file and addresses, so that
 * several nodes of one machine differ and each is the same after a restart.
 */
export function createNodeIdentity(config: Config): NodeIdentity {
  const { nodeId } = config.server;
  const places = [...config.http.bind, ...config.https.bind].map(({ address, port }) => `${address} ${port}`);
  const made = v5([hostname(), config.source, ...places].join('\n'), nameSpace);
  const id = nodeId === '' ? `${hostname()}-${made.slice(0, 8)}` : nodeId;
  return { id, boot: v4(), pid: process.pid, startedAt: Date.now() };
}
