// The modes of TCP streams, by name.
import { createFifoMode } from './fifo-mode.js';
import { createFunnelMode } from './funnel-mode.js';
import { createL4Mode, type L4ModeParts } from './l4-mode.js';
import { createProxyMode } from './proxy-mode.js';
import type { StreamModeTable } from './stream.js';

export function createStreamModes(l4: L4ModeParts): StreamModeTable {
  return { proxy: createProxyMode, fifo: createFifoMode, funnel: createFunnelMode, l4: createL4Mode(l4) };
}
