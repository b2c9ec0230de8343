// `cjs-proxy backend …`: backends of a frontend, added, removed, taken out and given back.
import type { BackendDocument } from '../../management/operations/route-records.js';
import { addressOf, backendOf } from '../backend-text.js';
import { CommandError, exitCodes } from '../command-error.js';
import { recordPath } from '../fleet/fleet.js';
import { Table } from '../output/table.js';
import type { Session } from '../session.js';

export async function addBackend(session: Session, [frontend = '', text = '']: readonly string[]): Promise<number> {
  const address = backendOf(text);
  const body = { ...address, id: address.id ?? addressOf(address) };
  const backend = await session.write<BackendDocument>({ method: 'post', path: pathOf(frontend), body });
  session.tell(`added ${backend.id} to ${frontend}`, backend);
  return exitCodes.done;
}

export async function removeBackend(session: Session, [frontend = '', text = '']: readonly string[]): Promise<number> {
  const { id } = await found(session, frontend, text);
  await session.write({ method: 'delete', path: pathOf(frontend, id) });
  session.tell(`removed ${id} from ${frontend}`, { removed: id });
  return exitCodes.done;
}

export async function listBackends(session: Session, [frontend = '']: readonly string[]): Promise<number> {
  const backends = await session.read<readonly BackendDocument[]>(pathOf(frontend));
  session.print(session.json ? JSON.stringify(backends) : backendLines(backends).join('\n'));
  return exitCodes.done;
}

/** Takes a backend out for maintenance. */
export async function killBackend(session: Session, [frontend = '', text = '']: readonly string[]): Promise<number> {
  const { id } = await found(session, frontend, text);
  const backend = await session.write<BackendDocument>({ method: 'post', path: pathOf(frontend, id, 'dead') });
  session.tell(`${id} of ${frontend} is out until \`backend alive\``, backend);
  return exitCodes.done;
}

/** Gives a backend new clients again, whyever it got none. */
export async function reviveBackend(session: Session, [frontend = '', text = '']: readonly string[]): Promise<number> {
  const { id, draining } = await found(session, frontend, text);
  let backend = await session.write<BackendDocument>({ method: 'delete', path: pathOf(frontend, id, 'dead') });
  if (draining === true) backend = await session.write({ method: 'delete', path: pathOf(frontend, id, 'drain') });
  session.tell(`${id} of ${frontend} is used again`, backend);
  return exitCodes.done;
}

/** Gives a backend no new clients, while those that are pinned to it stay. */
export async function drainBackend(session: Session, [frontend = '', text = '']: readonly string[]): Promise<number> {
  const { id } = await found(session, frontend, text);
  const backend = await session.write<BackendDocument>({ method: 'post', path: pathOf(frontend, id, 'drain') });
  session.tell(`${id} of ${frontend} gets no new clients until \`backend alive\``, backend);
  return exitCodes.done;
}

/** A table of backends. */
export function backendLines(backends: readonly BackendDocument[]): string[] {
  const titles = ['BACKEND', 'ADDRESS', 'STATE', 'WEIGHT', 'GROUP'].map((title) => ({ title }));
  const rows = backends.map((backend) => {
    const weight = `${backend.weight ?? 1}${backend.backup === true ? ' backup' : ''}`;
    return [backend.id, addressOf(backend), stateOf(backend), weight, backend.group ?? ''];
  });
  return new Table(titles).lines(rows);
}

function stateOf({ isDead, maintenance, deadSince, draining, failureCount }: BackendDocument): string {
  const drained = draining === true ? ['draining'] : [];
  if (maintenance === true) return ['maintenance', ...drained].join(', ');
  if (!isDead) return drained[0] ?? 'alive';
  const since = deadSince === undefined ? '' : ` since ${new Date(deadSince).toISOString()}`;
  return [`${failureCount > 0 ? 'failing' : 'dead'}${since}`, ...drained].join(', ');
}

function pathOf(frontend: string, ...rest: readonly string[]): string {
  return recordPath('/routes', frontend, 'backends', ...rest);
}

/** A backend by its id, or by its address where that is one backend's alone. */
async function found(session: Session, frontend: string, text: string): Promise<BackendDocument> {
  const backends = await session.read<readonly BackendDocument[]>(pathOf(frontend));
  const same = backends.filter(({ id }) => id === text);
  const there = same.length > 0 ? same : backends.filter((backend) => isAt(backend, text));
  const [first, second] = there;
  if (first === undefined) {
    const known = backends.map(({ id }) => id).join(', ');
    throw new CommandError(`${frontend} has no backend ${text}; it has ${known === '' ? 'none at all' : known}`);
  }
  if (second !== undefined && same.length === 0)
    throw new CommandError(`${text} is the address of several backends; say which: ${there.map(({ id }) => id).join(', ')}`);
  return first;
}

function isAt(backend: BackendDocument, text: string): boolean {
  const address = addressOf(backend);
  return address === text || `http://${address}` === text;
}
