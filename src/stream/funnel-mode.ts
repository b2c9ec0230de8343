// The mode `funnel`: all clients over a number of connections, each with one request at a time, or with many one behind the other.
import { Multiplexer } from './multiplexer.js';
import type { StreamModeParts } from './stream.js';

/** Where no number is set every target has one connection. */
export function createFunnelMode(parts: StreamModeParts): Multiplexer {
  return new Multiplexer(parts, {
    most: ({ settings, targets }) => (settings.connections === 0 ? targets.length : settings.connections),
    oneEach: ({ settings }) => settings.connections === 0,
    async: ({ async }) => async,
  });
}
