// The modes of TCP streams, by name.
import { createFifoMode } from './fifo-mode.js';
import { createFunnelMode } from './funnel-mode.js';
import { createProxyMode } from './proxy-mode.js';
import type { StreamModeTable } from './stream.js';

export const streamModeTable: StreamModeTable = { proxy: createProxyMode, fifo: createFifoMode, funnel: createFunnelMode };
