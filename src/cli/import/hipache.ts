// The Redis of a Hipache or PlanB as it stands: frontends, their health checks, and certificates with their keys.
import { loadConfig } from '../../config/load.js';
import { writtenRoute } from '../../management/operations/document.js';
import { hashDocument } from '../../management/operations/hash-document.js';
import { routeDocument } from '../../management/operations/route-records.js';
import type { FrontendRecord } from '../../model/frontend.js';
import { fieldsOf, type RecordKind } from '../../model/record-kind.js';
import { createStore } from '../../store/create-store.js';
import type { Store } from '../../store/store.js';
import { CommandError } from '../command-error.js';
import { Progress } from '../output/progress.js';
import type { ImportedState } from './imported-state.js';

/** Records that are read at a time. */
const together = 500;

/** @param driver `redis://host:port/db#prefix`. Nothing is written there */
export async function importHipache(driver: string): Promise<ImportedState> {
  const store = createStore(loadConfig({ settings: { driver }, env: {} }), () => undefined);
  const progress = new Progress('frontends read:');
  const warnings: string[] = [];
  try {
    await store.start({ changed: () => undefined, everythingChanged: () => undefined });
    const routes = await readRoutes(store, warnings, progress);
    const healthchecks = await readHashes(store, 'healthcheck', hashDocument);
    const certificates = await readHashes(store, 'tls', (record) => {
      const fields = fieldsOf(record);
      return { cert: fields.get('certificate') ?? '', key: fields.get('key') ?? '' };
    });
    const sections = { certificates, healthchecks, routes };
    const filled = Object.entries(sections).filter(([, entries]) => Object.keys(entries).length > 0);
    return { document: { cjsProxy: 1, ...Object.fromEntries(filled) }, warnings };
  } catch (error) {
    if (!(error instanceof Error && /Redis/.test(error.message))) throw error;
    throw new CommandError(`the source cannot be asked: ${error.message}`);
  } finally {
    progress.end();
    await store.close();
  }
}

async function readRoutes(store: Store, warnings: string[], progress: Progress): Promise<Record<string, unknown>> {
  const names = await namesOf(store, 'frontend');
  const routes: Record<string, unknown> = {};
  for (let at = 0; at < names.length; at += together) {
    for (const record of await store.readFrontends(names.slice(at, at + together))) {
      const { list, fault, name } = record;
      if (fault !== '') warnings.push(`${fault}: it is left out`);
      else if (list.length > 0) routes[name] = routeOf(record, warnings);
    }
    progress.at(Math.min(at + together, names.length), names.length);
  }
  return routes;
}

/** A backend that cannot be understood stays behind, as Hipache could not use it either. */
function routeOf(record: FrontendRecord, warnings: string[]): Record<string, unknown> {
  const { faults = [] } = routeDocument(record, '');
  warnings.push(...faults.map((fault) => `${fault}: it is left out`));
  return writtenRoute(routeDocument(record, ''));
}

async function readHashes<T>(
  store: Store,
  kind: RecordKind,
  read: (record: Awaited<ReturnType<Store['readRecord']>>) => T,
): Promise<Record<string, T>> {
  const names = await namesOf(store, kind);
  const entries = await Promise.all(names.map(async (name) => [name, read(await store.readRecord(kind, name))] as const));
  return Object.fromEntries(entries);
}

async function namesOf(store: Store, kind: RecordKind | 'frontend'): Promise<string[]> {
  const names = new Set<string>();
  await store.scanNames(kind, '', (page) => {
    for (const name of page) names.add(name);
  });
  return [...names].sort();
}
