// The modes of TCP streams, by name.
import { createProxyMode } from './proxy-mode.js';
import type { StreamModeTable } from './stream.js';

export const streamModeTable: StreamModeTable = { proxy: createProxyMode };
