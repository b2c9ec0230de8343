// Passes connections of an `https` address on to the backends of a frontend whose TLS is theirs, by the name in their greeting.

import type { CoarseClock } from '../../base/clock.js';
import { plainAddress } from '../../base/ip.js';
import type { ServerConfig } from '../../config/config.js';
import type { StreamSettings } from '../../config/stream-config.js';
import type { HealthView } from '../../health/health-view.js';
import { createStartProbe } from '../../health/probe.js';
import type { Connections } from '../../listener/connections.js';
import type { TakeOver, TlsDiversion } from '../../listener/tls-handshake.js';
import type { Route } from '../../model/frontend.js';
import type { AccessLog } from '../../observe/access-log.js';
import type { Logger } from '../../observe/logger.js';
import { createStreamCounters, type StreamCounters } from '../../observe/stream-counters.js';
import { jsonStreamLine, textStreamLine } from '../../observe/stream-line.js';
import { isMiss, type RouteCache, type RouteMiss } from '../../routing/route-cache.js';
import { ClientAccounts } from '../client-accounts.js';
import { type ClientOwner, StreamClient } from '../stream-client.js';
import { Destinations } from './destinations.js';
import { L4Client, type L4Parts } from './l4-client.js';
import { passesThrough } from './l4-routes.js';
import { Notes } from './notes.js';

export interface TlsPassageParts {
  readonly server: ServerConfig;
  readonly routes: Pick<RouteCache, 'find'>;
  readonly view: HealthView;
  readonly connections: Connections;
  readonly clock: CoarseClock;
  readonly log: Logger;
  readonly accessLog: Pick<AccessLog, 'enabled' | 'line'>;
  /** Gets the counters under the name below. */
  readonly counters: Map<string, StreamCounters>;
}

/** What lines and counters name in place of a stream; no stream can have the name. */
const name = 'https:passthrough';

export class TlsPassage implements ClientOwner {
  readonly #routes: Pick<RouteCache, 'find'>;
  readonly #settings: StreamSettings;
  readonly #accounts: ClientAccounts;
  readonly #parts: L4Parts;

  constructor({ server, routes, view, connections, clock, log, accessLog, counters: all }: TlsPassageParts) {
    const counters = createStreamCounters(name);
    all.set(name, counters);
    this.#routes = routes;
    this.#settings = settingsOf(server);
    const lineFormat = server.accessLogFormat === 'json' ? jsonStreamLine : textStreamLine;
    this.#accounts = new ClientAccounts({ name, counters, connections, clock, accessLog, lineFormat });
    // Bytes are TLS already: nothing here is verified or offered.
    const trust = { ca: [], alpn: [] };
    const notes = new Notes(log);
    const times = { deadTime: server.deadBackendTTL * 1000, recoveryInterval: server.recoveryInterval };
    const destinations = new Destinations({ view, log, counters, startProbe: createStartProbe(trust), ...times }, this.#settings);
    this.#parts = { trust, clock, counters, destinations, find: () => null, note: (text) => notes.note(text) };
  }

  /** The names of an address. @param port where `frontend:<host>:<port>` is looked for before `frontend:<host>` */
  names(port: number): TlsDiversion {
    return {
      find: (host) => {
        const found = this.#routes.find(port === 443 || port === 0 ? host : `${host}:${port}`, '/', true);
        if (found instanceof Promise) return found.then((later) => this.#takeOver(host, later));
        return this.#takeOver(host, found);
      },
    };
  }

  /** Told by the clock. */
  sweep(): void {
    this.#parts.destinations.sweep();
  }

  clientGone(client: StreamClient): void {
    this.#accounts.end(client);
  }

  /** Ends everything at once. */
  close(): void {
    this.#accounts.cut();
    // Sockets close later than the access log does.
    for (const client of this.#accounts) this.clientGone(client);
    this.#parts.destinations.close();
  }

  #takeOver(host: string, found: Route | RouteMiss): TakeOver | null {
    if (isMiss(found) || !passesThrough(found)) return null;
    return (socket, bytes, ends, byEvents) => {
      const client = new PassedClient(this);
      client.attach(socket, 'plain');
      client.pause();
      if (byEvents) client.readByEvents();
      client.source = { address: plainAddress(socket.remoteAddress ?? ''), port: socket.remotePort ?? 0 };
      client.destination = { address: plainAddress(socket.localAddress ?? ''), port: socket.localPort ?? 0 };
      if (ends !== null) ({ source: client.source, destination: client.destination } = ends);
      client.bytesIn = bytes.length;
      socket.setKeepAlive(true, this.#settings.keepAlive);
      this.#accounts.begin(client);
      new L4Client(client, { host, secure: true, bytes }, this.#settings, this.#parts).serve(found);
      return client;
    };
  }
}

/** Of the list of an `https` address, which cuts those whose address is blocked. */
class PassedClient extends StreamClient {
  get peer(): string {
    return this.source.address;
  }
}

/** What HTTP has for tunnels holds for what is passed through. */
function settingsOf(server: ServerConfig): StreamSettings {
  return {
    mode: 'l4',
    strategy: server.strategy,
    maxConnections: 0,
    overflow: 'drop',
    waitTimeout: 0,
    targetConnections: 0,
    connections: 0,
    async: false,
    framing: { kind: 'chunk' },
    maxMessage: 0,
    maxWaiting: 0,
    inactivityTimeout: server.tunnelTimeout,
    connectTimeout: server.connectTimeout,
    keepAlive: 60_000,
    retries: server.retryOnError,
    sendProxyProtocol: 'none',
    checkInterval: 0,
    cutBlocked: true,
    secure: true,
    specTimeout: 0,
    responseTimeout: server.backendTimeout,
    '404': false,
    '500': false,
    '504': false,
  };
}
