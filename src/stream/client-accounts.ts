// Keeps account of the clients of a listener: its counters, the list that the clock walks, and a line in the access log at the end.
import type { CoarseClock } from '../base/clock.js';
import type { Connections } from '../listener/connections.js';
import type { AccessLog } from '../observe/access-log.js';
import type { StreamCounters } from '../observe/stream-counters.js';
import type { StreamLineFormat } from '../observe/stream-line.js';
import type { StreamClient } from './stream-client.js';

export interface ClientAccountsParts {
  /** What the lines name. */
  readonly name: string;
  readonly counters: StreamCounters;
  readonly connections: Connections;
  readonly clock: Pick<CoarseClock, 'wall'>;
  readonly accessLog: Pick<AccessLog, 'enabled' | 'line'>;
  readonly lineFormat: StreamLineFormat;
}

export class ClientAccounts implements Iterable<StreamClient> {
  readonly #parts: ClientAccountsParts;
  readonly #clients = new Set<StreamClient>();

  constructor(parts: ClientAccountsParts) {
    this.#parts = parts;
  }

  [Symbol.iterator](): Iterator<StreamClient> {
    return this.#clients.values();
  }

  begin(client: StreamClient): void {
    const { counters, connections } = this.#parts;
    counters.connections++;
    counters.active++;
    connections.add(client);
    this.#clients.add(client);
  }

  /** @returns false: it was told before */
  end(client: StreamClient): boolean {
    if (!this.#clients.delete(client)) return false;
    const { name, counters, connections, accessLog, lineFormat, clock } = this.#parts;
    connections.remove(client);
    counters.active--;
    counters.bytesIn += client.bytesIn;
    counters.bytesOut += client.bytesOut;
    const end = client.endedBy ?? 'closed';
    counters.ends.set(end, (counters.ends.get(end) ?? 0) + 1);
    if (!accessLog.enabled) return true;
    const { source, host, target, bytesIn, bytesOut, startedAt } = client;
    const milliseconds = performance.now() - startedAt;
    const record = { stream: name, client: source.address, host, target, bytesIn, bytesOut, milliseconds, end };
    accessLog.line(lineFormat({ ...record, endedAt: clock.wall }));
    return true;
  }

  /** Ends all at once. */
  cut(): void {
    for (const client of this.#clients) client.finish('cut');
  }
}
