// `cjs-proxy frontend …`: sites, with their backends and their policy.
import type { RouteDocument } from '../../management/operations/route-records.js';
import { backendOf } from '../backend-text.js';
import { CommandError, exitCodes } from '../command-error.js';
import { membersOf, memberText } from '../field-words.js';
import { Refusal, recordPath } from '../fleet/fleet.js';
import { pairLines, Table } from '../output/table.js';
import type { Session } from '../session.js';
import { backendLines } from './backend.js';

const path = '/routes';
/** What is shown of a frontend elsewhere than among its policy. */
const notPolicy: readonly string[] = ['id', 'vHost', 'backends', 'ssl', 'faults', 'strategy', 'autoHttps'];

export interface AddFrontendOptions {
  readonly id?: string;
  readonly strategy?: string;
  readonly set?: readonly string[];
}

/** Makes a frontend, or says that there is one. */
export async function addFrontend(
  session: Session,
  [name = '', ...entries]: readonly string[],
  { id, strategy, set = [] }: AddFrontendOptions,
): Promise<number> {
  const body = {
    // A limit that nobody asked for would surprise: a frontend that is written to Redis by hand has none either.
    ...{ strategy: 'RANDOM', reqActiveLength: null, reqQueueLength: null },
    ...membersOf(set),
    ...(strategy === undefined ? {} : { strategy }),
    id: id ?? name,
    vHost: name,
    backends: entries.map(backendOf),
  };
  const route = await session.write<RouteDocument>({ method: 'post', path, body }).catch((error: unknown) => {
    if (!(error instanceof Refusal) || error.status !== 409) throw error;
    throw new CommandError(
      `there is a frontend ${name} already: change it by \`frontend set\` and \`backend add\`, or remove it`,
    );
  });
  session.tell(`added ${route.vHost} with ${count(route.backends.length, 'backend')}`, route);
  return exitCodes.done;
}

/** Changes members of a frontend. */
export async function setFrontend(session: Session, [name = '', ...words]: readonly string[]): Promise<number> {
  const body = membersOf(words);
  const route = await session.write<RouteDocument>({ method: 'patch', path: recordPath(path, name), body });
  session.tell(`changed ${Object.keys(body).join(', ')} of ${route.vHost}`, route);
  return exitCodes.done;
}

/** Removes frontends: all that are there; one that is not makes it fail. */
export async function removeFrontends(session: Session, names: readonly string[]): Promise<number> {
  for (const name of names) {
    await session.write({ method: 'delete', path: recordPath(path, name) });
    session.tell(`removed ${name}`, { removed: name });
  }
  return exitCodes.done;
}

/** @param words a part of the names that are wanted, or nothing */
export async function listFrontends(session: Session, [search = '']: readonly string[]): Promise<number> {
  const table = new Table([
    { title: 'FRONTEND' },
    { title: 'NAME' },
    { title: 'BACKENDS', align: 'right' },
    { title: 'DEAD', align: 'right' },
    { title: 'STRATEGY' },
    { title: 'TIER' },
    { title: 'TLS' },
    { title: 'FAULTS' },
  ]);
  const seen = new Set<string>();
  const all: RouteDocument[] = [];
  for await (const page of session.pages<RouteDocument>(path, search === '' ? {} : { search })) {
    const fresh = page.filter(({ vHost }) => !seen.has(vHost));
    for (const { vHost } of fresh) seen.add(vHost);
    if (session.json) all.push(...fresh);
    else if (fresh.length > 0) session.print(table.lines(fresh.map(rowOf)).join('\n'));
  }
  if (session.json) session.print(JSON.stringify(all));
  else if (seen.size === 0) session.note(search === '' ? 'there is no frontend yet' : `no frontend has ${search} in its name`);
  return exitCodes.done;
}

/** A frontend with all that is known of it. */
export async function showFrontend(session: Session, [name = '']: readonly string[]): Promise<number> {
  const found = await session.readIfThere<RouteDocument>(recordPath(path, name));
  if (found === null) throw new CommandError(`there is no frontend ${name}`);
  const route = found.value;
  if (session.json) {
    session.print(JSON.stringify(route));
    return exitCodes.done;
  }
  const policy = Object.entries(route).filter(([member]) => !notPolicy.includes(member));
  const pairs: (readonly [string, string])[] = [
    ['frontend', route.vHost],
    ['name', route.id],
    ['strategy', memberText(route.strategy)],
    ...(route.autoHttps === true ? ([['autoHttps', 'true']] as const) : []),
    ...(route.ssl === undefined ? [] : ([['tls', 'has a certificate']] as const)),
    ...policy.map(([member, value]) => [member, memberText(value)] as const),
    ...(route.faults ?? []).map((fault) => ['fault', fault] as const),
  ];
  session.print([...pairLines(pairs), '', ...backendLines(route.backends)].join('\n'));
  return exitCodes.done;
}

function rowOf({ vHost, id, backends, strategy, tier, ssl, faults = [] }: RouteDocument): string[] {
  const dead = backends.filter(({ isDead }) => isDead).length;
  const texts = [memberText(strategy), tier === undefined ? '' : memberText(tier), ssl === undefined ? '' : 'yes'];
  return [vHost, id, String(backends.length), dead === 0 ? '' : String(dead), ...texts, faults.join('; ')];
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
