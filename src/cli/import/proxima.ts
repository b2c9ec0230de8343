// `proxima.json`: its routes as host patterns, in the same order, behind those that are there: the last that matches wins.
import { CommandError } from '../command-error.js';
import type { ImportedState } from './imported-state.js';

interface ProximaFile {
  readonly listeners?: unknown;
  readonly routes?: unknown;
  readonly [member: string]: unknown;
}

/** Members that say where and how it listens, which is the configuration of a node. */
const ofNodes = ['listeners', '404', '500', '504', 'specTimeout', 'workers', 'uid', 'gid', 'verbose'];

/** Whether a file is one of Proxima. */
export function isProxima(text: string): boolean {
  const file = parsed(text);
  return file !== null && (Array.isArray(file.routes) || file.listeners !== undefined);
}

/**
 * @param there the patterns that are there
 * @throws CommandError for a file that is none of Proxima
 */
export function importProxima(text: string, name: string, there: readonly unknown[]): ImportedState {
  const file = parsed(text);
  if (file === null || !Array.isArray(file.routes))
    throw new CommandError(`${name} is no file of Proxima: it has no list "routes"`);
  const warnings = ofNodes
    .filter((member) => file[member] !== undefined)
    .map((member) => `${member} is left out: it is a setting of the node (docs/migrate-from-proxima.md)`);
  const known = new Set(there.map((pattern) => JSON.stringify(pattern)));
  const fresh = (file.routes as readonly unknown[]).filter((route) => !known.has(JSON.stringify(route)));
  return { document: { cjsProxy: 1, patterns: { patterns: [...there, ...fresh] } }, warnings };
}

function parsed(text: string): ProximaFile | null {
  try {
    const file: unknown = JSON.parse(text);
    return typeof file === 'object' && file !== null && !Array.isArray(file) ? (file as ProximaFile) : null;
  } catch {
    return null;
  }
}
