// The mode `fifo`: all clients over one connection, one request at a time, in the order of their coming.
import { Multiplexer } from './multiplexer.js';
import type { StreamModeParts } from './stream.js';

/** Where there are several targets, one of them has the connection; the others are for when it cannot be connected to. */
export function createFifoMode(parts: StreamModeParts): Multiplexer {
  return new Multiplexer(parts, { most: () => 1, oneEach: () => false, async: () => false });
}
