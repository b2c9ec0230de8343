// A node that orders certificates from pebble, and what its clients see of them.
import tls from 'node:tls';
import type { AcmeConfig, HttpsConfig } from '../../src/config/config.js';
import type { Pebble } from './pebble.js';
import { type LogLine, recordingLogger } from './recording-logger.js';
import { type StartedProxy, startProxy } from './start-proxy.js';
import { tlsBind } from './tls-bind.js';

export interface AcmeNodeOptions {
  readonly pebble: Pebble;
  /** Driver URL. */
  readonly driver: string;
  /** 127.0.0.1 unless it says otherwise. */
  readonly address?: string;
  readonly ports: { readonly http: number; readonly https: number };
  readonly acme?: Partial<AcmeConfig>;
  readonly httpsSettings?: Partial<HttpsConfig>;
}

export interface AcmeNode {
  readonly proxy: StartedProxy;
  readonly lines: readonly LogLine[];
  /** The fingerprint of the certificate that a name is shown and that verifies by a root; null: the handshake fails. */
  shown(servername: string, root: string): Promise<string | null>;
  close(): Promise<void>;
}

/** How long an order may take on a busy machine. */
export const orderPatience = 20_000;

export async function startAcmeNode(options: AcmeNodeOptions): Promise<AcmeNode> {
  const { pebble, driver, address = '127.0.0.1', ports, acme = {}, httpsSettings = {} } = options;
  const bind = tlsBind({ address, port: ports.https });
  const { logger, lines } = recordingLogger();
  const settings = { directory: pebble.directory, agreeTerms: true, ca: [pebble.caFile], retryDelay: 200, ...acme };
  const http = [{ address, port: ports.http }];
  const proxy = await startProxy({ driver, http, https: [bind], acme: settings, httpsSettings }, { logger });
  return {
    proxy,
    lines,
    shown: (servername, root) => certificateShown(address, ports.https, servername, root),
    close: () => proxy.close(),
  };
}

/** As `shown`, of whoever listens there. */
function certificateShown(host: string, port: number, servername: string, root: string): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = tls.connect({ host, port, servername, ca: root }, () => {
      resolve(socket.getPeerX509Certificate()?.fingerprint256 ?? null);
      socket.destroy();
    });
    socket.on('error', () => resolve(null));
  });
}
