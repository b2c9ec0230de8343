// Requests that must be refused, as tables: what is sent, and what the client is told.
import { expect, it } from 'vitest';
import { catalog, type ErrorCode } from '../../src/errors/catalog.js';
import { ok } from '../helpers/backend.js';
import type { Wire } from './use-proxy.js';

/** One way to send a request that has two meanings, or none. */
export interface Refusal {
  /** Ends the sentence `refuses …`. */
  readonly what: string;
  /** HOST stands for a host that is served. */
  readonly bytes: string;
  readonly code: ErrorCode;
  /** A head that is served and a body that is not: the backend may have seen the beginning, but nothing behind it. */
  readonly inBody?: boolean;
}

/** A request that would be executed if bytes of the one before it were taken for a request. */
export const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: HOST\r\n\r\n';

/** A test for each row. */
export function refuses(wire: Wire, rows: readonly Refusal[]): void {
  for (const row of rows) {
    it(`refuses ${row.what}`, async () => {
      const { world } = wire;
      const backend = await world.backend(ok('served'));
      const host = await world.frontend(backend);
      const client = await world.client();
      client.send(row.bytes.replaceAll('HOST', host));
      const response = await client.response();
      expect(response.fields.all('x-cjs-proxy-error')).toEqual([row.code]);
      expect(response.status).toBe(catalog[row.code].status);
      expect(response.fields.all('connection')).toEqual(['close']);
      // The answer is whole and the last: the connection ends in good order, and nothing else comes.
      const rest = await client.queue.rest();
      expect(rest.end).toBe('end');
      expect(rest.bytes.toString('latin1')).toBe('');
      expect(backend.requests.map((request) => request.target)).toEqual(
        row.inBody === true ? backend.requests.map(() => '/body') : [],
      );
      for (const request of backend.requests) expect(request.body).toBeNull();
    });
  }
}
