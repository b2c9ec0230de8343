// Backends of a route: added, removed, taken out for maintenance, drained, and given back.
import { randomUUID } from 'node:crypto';
import type { Backend } from '../../model/backend.js';
import { maintenanceOf, membersOf } from '../../model/dead-set.js';
import { parseBackends } from '../../model/parse-backends.js';
import { parsePolicy } from '../../model/policy/policy.js';
import { invalidBody, notFound, Problem } from '../problem.js';
import type { Workspace, WriteConditions, Written } from '../workspace.js';
import { frontendName, touchable } from './names.js';
import { type BackendDocument, entryOf, patchedPolicy } from './route-records.js';
import { changeRoute, readRoute, readRoutes } from './routes.js';
import type { BackendBody } from './schemas.js';
import { writeRecords } from './write-records.js';

/** Adds a backend at the end of the list. @throws Problem `not-found` for an unknown route, `exists` for an id that is used */
export async function addBackend(
  workspace: Workspace,
  vHost: string,
  body: BackendBody,
  conditions: WriteConditions = {},
): Promise<Written<BackendDocument>> {
  const id = body.id ?? randomUUID();
  const entry = entryOf({ ...body, id });
  const written = await changeRoute(workspace, vHost, 'add backend', conditions, (list, policy) => {
    if (parseBackends(list.slice(1)).backends.some((backend) => backend.id === id))
      throw new Problem('exists', `There is a backend ${id} already`);
    const { faults } = parseBackends([entry]);
    if (faults.length > 0) throw invalidBody(faults.map((detail) => ({ pointer: '', detail })));
    return { list: [...list, entry], policy };
  });
  return { ...written, value: backendIn(written.value.backends, id), created: true };
}

/** Removes a backend: the first of its id. @throws Problem `not-found` */
export async function removeBackend(
  workspace: Workspace,
  vHost: string,
  id: string,
  conditions: WriteConditions = {},
): Promise<{ readonly revision: number; readonly warnings: readonly string[] }> {
  const { revision, warnings } = await changeRoute(workspace, vHost, 'remove backend', conditions, (list, policy) => {
    const { index } = found(list, id);
    const weights = weightsOf(policy);
    const { [id]: gone, ...others } = weights;
    return {
      list: list.filter((_entry, at) => at !== index + 1),
      policy: gone === undefined ? policy : patchedPolicy(policy, { weights: Object.keys(others).length === 0 ? null : others }),
    };
  });
  return { revision, warnings };
}

/** Takes a backend out until a person gives it back: it gets no new sessions, and no probe revives it. */
export function takeOut(workspace: Workspace, vHost: string, id: string): Promise<Written<BackendDocument>> {
  return maintain(workspace, vHost, id, true);
}

/** Ends the maintenance of a backend, or revives one that was found dead. */
export function giveBack(workspace: Workspace, vHost: string, id: string): Promise<Written<BackendDocument>> {
  return maintain(workspace, vHost, id, false);
}

/** Gives a backend no new clients, while those that are pinned to it stay: its weight is 0 from now on. */
export function drainBackend(workspace: Workspace, vHost: string, id: string): Promise<Written<BackendDocument>> {
  return weigh(workspace, vHost, id, 'drain backend', (weights) => ({ ...weights, [id]: 0 }));
}

/** Gives it its share again. */
export function undrainBackend(workspace: Workspace, vHost: string, id: string): Promise<Written<BackendDocument>> {
  return weigh(workspace, vHost, id, 'undrain backend', ({ [id]: _drained, ...others }) => others);
}

async function weigh(
  workspace: Workspace,
  vHost: string,
  id: string,
  action: string,
  change: (weights: Readonly<Record<string, number>>) => Readonly<Record<string, number>>,
): Promise<Written<BackendDocument>> {
  const written = await changeRoute(workspace, vHost, action, {}, (list, policy) => {
    found(list, id);
    const weights = change(weightsOf(policy));
    return { list, policy: patchedPolicy(policy, { weights: Object.keys(weights).length === 0 ? null : weights }) };
  });
  return { ...written, value: backendIn(written.value.backends, id), created: false };
}

async function maintain(workspace: Workspace, vHost: string, id: string, on: boolean): Promise<Written<BackendDocument>> {
  const name = touchable(workspace, frontendName(vHost));
  const [record] = await workspace.store.readFrontends([name]);
  if (record === undefined || record.list.length === 0) throw notFound('Route');
  const backend = found(record.list, id);
  const members = on ? [] : membersOf(record, backend);
  const held = maintenanceOf([record], backend) !== null;
  const isSo = on ? held : !held && members.length === 0;
  const deed = { action: on ? 'take backend out' : 'give backend back', target: `route ${name} backend ${id}` };
  const request = { frontend: name, backend, on, ttl: workspace.deadTtl };
  const { revision } = await writeRecords(workspace, deed, [{ kind: 'frontend', name }], ([list]) => {
    // Somebody may have shifted the list since it was read.
    if (list!.values[backend.index + 1] !== backend.entry)
      throw new Problem('conflict', 'The backends have changed meanwhile; try again');
    return { after: [null], maintenance: isSo ? [] : [{ request, members }] };
  });
  const { route, etag } = await readRoute(workspace, name);
  return { value: backendIn(route.backends, id), etag, revision, created: false, warnings: [] };
}

/** The backend of an id. @throws Problem `not-found` */
function found(list: readonly string[], id: string): Backend {
  const backend = parseBackends(list.slice(1)).backends.find((one) => one.id === id);
  if (backend === undefined) throw notFound('Backend');
  return backend;
}

function backendIn(backends: readonly BackendDocument[], id: string): BackendDocument {
  const backend = backends.find((one) => one.id === id);
  if (backend === undefined) throw notFound('Backend');
  return backend;
}

function weightsOf(policy: readonly string[]): Readonly<Record<string, number>> {
  return parsePolicy(policy).policy.weights ?? {};
}

/** The backends of a route. @throws Problem `not-found` */
export async function listBackends(workspace: Workspace, vHost: string): Promise<readonly BackendDocument[]> {
  const [one] = await readRoutes(workspace, [touchable(workspace, frontendName(vHost))]);
  if (one === undefined) throw notFound('Route');
  return one.route.backends;
}
