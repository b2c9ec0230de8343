// What is wrong with one record, and what to do about it. Keys and commands are told without the prefix of the driver URL.
import { collectAddresses } from '../../base/ip.js';
import { checkCertificate } from '../../certs/check-certificate.js';
import { tellFaults } from '../../limits/list-faults.js';
import { parseAuthProvider } from '../../model/auth-provider.js';
import type { FrontendRecord } from '../../model/frontend.js';
import { parseHealthcheck } from '../../model/healthcheck.js';
import { parseBackend } from '../../model/parse-backend.js';
import type { RecordKind, StoredRecord } from '../../model/record-kind.js';
import { readOverrides } from '../../model/stream.js';
import { parseTargets } from '../../model/stream-target.js';
import { parseTier } from '../../model/tier.js';
import { noTier, standardTiers } from '../../model/tier-name.js';
import { compileRoute } from '../../routing/compile-route.js';
import { PatternList } from '../../routing/pattern-list.js';
import { Problem } from '../problem.js';
import type { Workspace } from '../workspace.js';
import { frontendName } from './names.js';
import { quoted, redis } from './redis-words.js';
import { ownWarnings } from './warnings.js';

/** One thing that is wrong, or odd. */
export interface Finding {
  /** Without the prefix of the driver URL. */
  readonly key: string;
  /** `error`: something does not work as it is written. `warning`: it works, but hardly as it is meant. */
  readonly level: 'error' | 'warning';
  readonly text: string;
  /** What to do. */
  readonly mend: string;
}

/** Days before its end in which a certificate is told of. */
const soon = 14;
const day = 86_400_000;

/** Names without a list and without a fault are no frontends any more, and have none. */
export async function lintFrontends(workspace: Workspace, names: readonly string[]): Promise<Finding[]> {
  const records = await workspace.store.readFrontends(names);
  return (await Promise.all(records.map((record) => lintFrontend(workspace, record)))).flat();
}

async function lintFrontend(workspace: Workspace, record: FrontendRecord): Promise<Finding[]> {
  const { name, list, policy, fault } = record;
  const key = `frontend:${name}`;
  if (fault !== '') return [error(key, fault, `${redis('del', key)}, then write it as a list: a name, then backends`)];
  const [identifier] = list;
  if (identifier === undefined) return [];
  const findings: Finding[] = [];
  const known = canonical(name);
  if (known !== name) {
    const mend = known === null ? `cjs-proxy frontend rm ${quoted(name)}` : redis('rename', key, `frontend:${known}`);
    findings.push(error(key, 'no request has this name', mend));
  }
  // As somebody wrote who did not know that a name comes first.
  if (/^(?:https?:\/\/|unix:\/)/i.test(identifier) && parseBackend(identifier, 0).kind === 'backend') {
    const text = `the list has no identifier: its first element, ${identifier}, is taken for one and gets no request`;
    findings.push(error(key, text, redis('lpush', key, 'NAME')));
  }
  for (const text of compileRoute(name, [record]).faults) {
    const inKey = text.startsWith(`route:${name}`) ? `route:${name}` : key;
    const plain = text.startsWith(`${inKey}: `) ? text.slice(inKey.length + 2) : text;
    findings.push(error(inKey, plain, mendOf(record, inKey, plain)));
  }
  for (const text of await ownWarnings(workspace.store, list, policy)) findings.push(warning(key, text, oddityMend(name, text)));
  return findings;
}

function mendOf({ name, list }: FrontendRecord, key: string, text: string): string {
  const index = /^backend (\d+) /.exec(text)?.[1];
  const entry = index === undefined ? undefined : list[Number(index) + 1];
  if (entry !== undefined) return redis('lrem', key, '1', entry);
  const field = /^([A-Za-z]\w*) (?:is|has|must)\b/.exec(text)?.[1];
  return field === undefined ? `see \`cjs-proxy frontend show ${quoted(name)}\`` : redis('hdel', key, field);
}

function oddityMend(name: string, text: string): string {
  if (text.startsWith('it has no backend')) return `cjs-proxy backend add ${quoted(name)} http://HOST:PORT`;
  const tier = /^there is no tier (\S+):/.exec(text)?.[1];
  if (tier !== undefined) return `cjs-proxy tier set ${quoted(tier)} --points NUMBER`;
  const provider = /^there is no auth provider (\S+):/.exec(text)?.[1];
  if (provider !== undefined) return redis('hset', `auth:${provider}`, 'type', '…');
  return 'give it a weight instead: #weight=2';
}

/** One record of another kind; none is wrong where there is no such record any more. */
export async function lintRecord(workspace: Workspace, kind: RecordKind, name: string): Promise<Finding[]> {
  // A scan gives targets under the name of their stream, and block lists with the colon that parts it.
  if (kind === 'stream' && name.endsWith(':targets')) return lintRecord(workspace, 'targets', name.slice(0, -':targets'.length));
  if (kind === 'blocklist' && name.startsWith(':')) return lintRecord(workspace, kind, name.slice(1));
  const record = await workspace.store.readRecord(kind, name);
  if (record.fault === '' && record.values.length === 0) return [];
  const key = keyOf(kind, name);
  // That of a frontend is told with it.
  if (record.fault !== '' && kind !== 'route') return [error(key, record.fault, `${redis('del', key)}, then write it anew`)];
  const errors = (texts: readonly string[]): Finding[] => texts.map((text) => error(key, text, fieldMend(key, text)));
  switch (kind) {
    case 'route':
    case 'healthcheck':
      return [...(await orphan(workspace, key, name)), ...(kind === 'route' ? [] : errors(parseHealthcheck(record).faults))];
    case 'tls':
      return lintCertificate(workspace, key, name, record);
    case 'tier':
      return errors(parseTier(name, record).faults);
    case 'member':
      return lintMember(workspace, key, record);
    case 'auth': {
      const parsed = parseAuthProvider(record);
      return parsed.kind === 'faulty' ? errors(parsed.faults) : [];
    }
    case 'targets':
      return errors(parseTargets(record.values).faults);
    case 'blocklist': {
      const { wrong } = collectAddresses(record.values);
      return wrong.length === 0 ? [] : [error(key, tellFaults(wrong), redis('srem', key, ...wrong.slice(0, 5)))];
    }
    case 'patterns':
      return errors(new PatternList(record).faults);
    case 'stream':
      return errors(readOverrides(record).faults);
    case 'acme':
    case 'tickets':
    case 'registered':
    case 'premium':
    case 'drained':
      return [];
  }
}

async function orphan({ store }: Workspace, key: string, name: string): Promise<Finding[]> {
  const [record] = await store.readFrontends([name]);
  if (record === undefined || record.list.length > 0 || record.fault !== '') return [];
  return [warning(key, `there is no frontend ${name} that it could be for`, redis('del', key))];
}

function lintCertificate({ vault }: Workspace, key: string, name: string, record: StoredRecord): Finding[] {
  const now = Date.now();
  const { faults, warnings, pairs } = checkCertificate(name, record, (host, text) => vault.open(`tls:${host}`, text), now);
  const mend = `cjs-proxy cert add ${quoted(name)} --cert FILE --key FILE`;
  const ending = pairs.filter(({ notAfter }) => notAfter > now && notAfter < now + soon * day);
  return [
    ...faults.map((text) => error(key, text, mend)),
    ...warnings.map((text) => (/ expired on /.test(text) ? error : warning)(key, text, mend)),
    ...ending.map(({ notAfter }) => warning(key, `certificate expires on ${new Date(notAfter).toISOString()}`, mend)),
  ];
}

async function lintMember({ store }: Workspace, key: string, { values }: StoredRecord): Promise<Finding[]> {
  const [tier = ''] = values;
  if (tier === noTier || standardTiers.has(tier) || (await store.readRecord('tier', tier)).values.length > 0) return [];
  const text = `there is no tier ${tier}: the numbers of anonymous are in force`;
  return [error(key, text, `cjs-proxy tier set ${quoted(tier)} --points NUMBER`)];
}

function fieldMend(key: string, text: string): string {
  const target = /^(target|entry) \d+ /.test(text);
  const field = /^(\w[\w:]*) (?:is|has|must)\b/.exec(text)?.[1];
  if (target || field === undefined || key === 'patterns') return `write ${key} anew without it`;
  return field === 'points' && text.includes('missing') ? redis('hset', key, 'points', 'NUMBER') : redis('hdel', key, field);
}

/** The name as requests have it; null: none can. */
function canonical(name: string): string | null {
  try {
    return frontendName(name);
  } catch (problem) {
    if (problem instanceof Problem) return null;
    throw problem;
  }
}

function keyOf(kind: RecordKind, name: string): string {
  if (kind === 'targets') return `stream:${name}:targets`;
  return name === '' ? kind : `${kind}:${name}`;
}

function error(key: string, text: string, mend: string): Finding {
  return { key, level: 'error', text, mend };
}

function warning(key: string, text: string, mend: string): Finding {
  return { key, level: 'warning', text, mend };
}
