// Whether a request may be sent a second time after a backend may have seen it.
import type { Exchange } from './exchange.js';

const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** RFC 9110 section 9.2.2: only idempotent methods are repeated, and only while the whole body is still at hand. */
export function isRepeatable(exchange: Exchange): boolean {
  return idempotent.has(exchange.head.method) && exchange.upgrade === '' && exchange.body.repeatable;
}
