// The resources that are one record each, or two: how each is checked, written and shown. `records` does the rest for all of them.
import * as z from 'zod';
import { parseRange } from '../../base/ip.js';
import type { ApiRole } from '../../config/config.js';
import { parseAuthProvider } from '../../model/auth-provider.js';
import { tokenText } from '../../model/auth-values.js';
import { healthcheckFields } from '../../model/healthcheck.js';
import type { RecordKind, StoredRecord } from '../../model/record-kind.js';
import { streamFields } from '../../model/stream.js';
import { parseTargets } from '../../model/stream-target.js';
import { tierFields } from '../../model/tier.js';
import { standardTiers, tierName } from '../../model/tier-name.js';
import { normaliseHost } from '../../routing/host-name.js';
import { parseHostPatterns } from '../../routing/host-pattern.js';
import { type Fault, invalidBody } from '../problem.js';
import { redacted } from './concealed.js';
import { hashDocument, hashValues } from './hash-document.js';
import { frontendName } from './names.js';
import { fieldsSchema } from './schemas.js';

/** Members of a document. */
export type Members = Readonly<Record<string, unknown>>;

/** One kind of resource. */
export interface RecordResource {
  /** Where it is: `/tiers`; the section of an exported document has this name too. */
  readonly path: string;
  /** E.g. `Tier`. */
  readonly title: string;
  /** Records that it consists of; the first one says whether it is there. */
  readonly kinds: readonly RecordKind[];
  /** There is one, without a name. */
  readonly single: boolean;
  /** Who may write it. */
  readonly role: ApiRole;
  readonly summary: string;
  readonly schema: z.ZodObject;
  /** The name in the store. @throws Problem for one that cannot be */
  nameOf(written: string): string;
  /** The values of each record. @throws Problem */
  valuesOf(body: Members, present: readonly StoredRecord[]): readonly (readonly string[])[];
  /** What callers see, without the name. */
  documentOf(records: readonly StoredRecord[]): Members;
}

const told = {
  name: z.string().optional().describe('Told by the API.'),
  faults: z.array(z.string()).optional().describe('Told by the API: what cannot be understood of the record.'),
};
const asIs = (written: string): string => written;

function wrongName(allowed: string): never {
  throw invalidBody([{ pointer: '/name', detail: `allowed: ${allowed}` }]);
}

function named(pattern: RegExp, allowed: string): (written: string) => string {
  return (written) => (pattern.test(written) ? written : wrongName(allowed));
}

/** Faults of a parser, each of which begins with the name of a field. */
function refuse(lines: readonly string[]): void {
  if (lines.length === 0) return;
  throw invalidBody(
    lines.map((line): Fault => {
      const [field = '', ...rest] = line.split(' ');
      return { pointer: `/${field}`, detail: rest.join(' ') };
    }),
  );
}

const tiers: RecordResource = {
  path: '/tiers',
  title: 'Tier',
  kinds: ['tier'],
  single: false,
  role: 'write',
  summary: 'Rate limits with a name. anonymous, registered and premium are there without a record.',
  schema: fieldsSchema('a tier', tierFields, told).meta({ id: 'Tier' }),
  nameOf: named(tierName, '1 to 64 letters, digits and any of . _ -'),
  valuesOf: (body) => [hashValues(body)],
  documentOf: ([hash]) => hashDocument(hash),
};

const memberAllowed = 'key:SHA-256 of an API key, ip:ADDRESS or host:HOST';

const members: RecordResource = {
  path: '/members',
  title: 'Member',
  kinds: ['member'],
  single: false,
  role: 'write',
  summary: 'The tier of a client, by the SHA-256 of its API key, by its address or by the asked host.',
  schema: z
    .strictObject({ tier: z.string({ error: 'the name of a tier' }).regex(tierName, 'the name of a tier, or "none"'), ...told })
    .meta({ id: 'Member' }),
  nameOf(written) {
    const [kind, ...rest] = written.split(':');
    const id = rest.join(':').toLowerCase();
    if (kind === 'key' && /^[0-9a-f]{64}$/.test(id)) return `key:${id}`;
    if (kind === 'ip' && !id.includes('/') && parseRange(id) !== null) return `ip:${id}`;
    const host = kind === 'host' ? normaliseHost(id) : null;
    return host === null || host.host === '' ? wrongName(memberAllowed) : `host:${host.host}`;
  },
  valuesOf: ({ tier }) => [[String(tier)]],
  documentOf: ([record]) => ({ tier: record?.values[0] ?? '', ...faultsOfRecord(record) }),
};

const auth: RecordResource = {
  path: '/auth-providers',
  title: 'Auth provider',
  kinds: ['auth'],
  single: false,
  role: 'admin',
  summary: 'Who decides whether clients may pass. Hashes of passwords are not told; `[redacted]` sent back leaves one as it is.',
  schema: z
    .looseObject(
      {
        type: z.enum(['basic', 'bearer', 'jwt', 'http', 'callback'], { error: '"basic", "bearer", "jwt", "http", "callback"' }),
        users: z
          .record(z.string(), z.string())
          .optional()
          .describe('Type basic: hash of the password by user, as `cjs-proxy hash-password` prints it.'),
        tokens: z.record(z.string(), z.string()).optional().describe('Type bearer: label by SHA-256 of the token.'),
        ...told,
      },
      { error: 'an auth provider' },
    )
    .meta({ id: 'AuthProvider', description: 'Further members are the fields of its type: docs/access.md.' }),
  nameOf: (written) => (tokenText.safeParse(written).success ? written : wrongName('up to 200 letters, digits and . : @ / _ -')),
  valuesOf(body, [present]) {
    const { users, tokens, ...fields } = body;
    const values = hashValues(fields);
    for (const [user, hash] of Object.entries((users ?? {}) as Record<string, string>)) {
      const at = present?.values.indexOf(`user:${user}`) ?? -1;
      const kept = at === -1 ? undefined : present?.values[at + 1];
      if (hash === redacted && kept === undefined)
        throw invalidBody([{ pointer: `/users/${user}`, detail: 'there is no hash yet that could stay; send it' }]);
      values.push(`user:${user}`, hash === redacted ? (kept as string) : hash);
    }
    for (const [digest, label] of Object.entries((tokens ?? {}) as Record<string, string>)) values.push(`token:${digest}`, label);
    const parsed = parseAuthProvider({ values, fault: '' });
    if (parsed.kind === 'faulty') refuse(parsed.faults);
    return [values];
  },
  documentOf([record]) {
    const users: Record<string, string> = {};
    const tokens: Record<string, string> = {};
    const { values = [] } = record ?? {};
    const rest: string[] = [];
    for (let at = 0; at + 1 < values.length; at += 2) {
      const [name, text] = [values[at] as string, values[at + 1] as string];
      if (name.startsWith('user:')) users[name.slice('user:'.length)] = redacted;
      else if (name.startsWith('token:')) tokens[name.slice('token:'.length)] = text;
      else rest.push(name, text);
    }
    return {
      ...hashDocument({ values: rest, fault: record?.fault ?? '' }),
      ...(Object.keys(users).length === 0 ? {} : { users }),
      ...(Object.keys(tokens).length === 0 ? {} : { tokens }),
    };
  },
};

const streamName = named(/^[A-Za-z0-9._-]{1,64}$/, '1 to 64 letters, digits and any of . _ -');

const streams: RecordResource = {
  path: '/streams',
  title: 'Stream',
  kinds: ['stream', 'targets'],
  single: false,
  role: 'admin',
  summary: 'What TCP listeners do, in place of what their configuration says, and their targets.',
  schema: fieldsSchema('a stream', streamFields, {
    targets: z
      .array(z.string(), { error: 'a list of targets' })
      .max(4_096)
      .optional()
      .describe('`tcp://host:port`, `tls://host:port`, `unix:/path`; absent: those of the configuration.'),
    ...told,
  }).meta({ id: 'Stream' }),
  nameOf: streamName,
  valuesOf(body) {
    const { targets = [], ...fields } = body;
    const { faults } = parseTargets(targets as string[]);
    if (faults.length > 0) throw invalidBody(faults.map((detail) => ({ pointer: '/targets', detail })));
    return [hashValues(fields), targets as string[]];
  },
  documentOf([hash, list]) {
    const targets = list?.values ?? [];
    return { ...hashDocument(hash), ...(targets.length === 0 ? {} : { targets }), ...faultsOfRecord(list) };
  },
};

const rangeAllowed = 'an address or a range such as "10.0.0.0/8"';

const blockLists: RecordResource = {
  path: '/block-lists',
  title: 'Block list',
  kinds: ['blocklist'],
  single: false,
  role: 'admin',
  summary: 'Addresses and ranges that are refused: by the TCP listener of that name, or by all where the name is `*`.',
  schema: z
    .strictObject({
      entries: z
        .array(
          z.string({ error: rangeAllowed }).refine((text) => parseRange(text) !== null, rangeAllowed),
          { error: `a list, each ${rangeAllowed}` },
        )
        .max(65_536),
      ...told,
    })
    .meta({ id: 'BlockList' }),
  nameOf: (written) => (written === '*' ? '' : streamName(written)),
  valuesOf: ({ entries }) => [[...new Set(entries as string[])].sort()],
  documentOf: ([set]) => ({ entries: [...(set?.values ?? [])].sort(), ...faultsOfRecord(set) }),
};

const healthchecks: RecordResource = {
  path: '/healthchecks',
  title: 'Health check',
  kinds: ['healthcheck'],
  single: false,
  role: 'write',
  summary: 'What active probes ask of the backends of a frontend.',
  schema: fieldsSchema('a health check', healthcheckFields, told).meta({ id: 'Healthcheck' }),
  nameOf: (written) => frontendName(written, '/name'),
  valuesOf: (body) => [hashValues(body)],
  documentOf: ([hash]) => hashDocument(hash),
};

const patterns: RecordResource = {
  path: '/patterns',
  title: 'Patterns',
  kinds: ['patterns'],
  single: true,
  role: 'admin',
  summary: 'Host patterns, asked before hosts; the last one that matches wins.',
  schema: z
    .strictObject({
      patterns: z
        .array(z.looseObject({}, { error: 'an object {"hostname": "a.?.com", "to": "frontend:NAME"}' }))
        .max(65_536)
        .describe('`hostname`: a glob or an expression between slashes; `secure`: true, false or absent; `to`: where it leads.'),
      ...told,
    })
    .meta({ id: 'Patterns' }),
  nameOf: asIs,
  valuesOf({ patterns: list }) {
    const entries = (list as readonly object[]).map((entry) => JSON.stringify(entry));
    const faults = entries.flatMap((entry, at): Fault[] => {
      const parsed = parseHostPatterns(entry);
      return parsed.kind === 'fault' ? [{ pointer: `/patterns/${at}`, detail: parsed.text }] : [];
    });
    if (faults.length > 0) throw invalidBody(faults);
    return [entries];
  },
  documentOf([record]) {
    const faults: string[] = [];
    const list = (record?.values ?? []).flatMap((text, at) => {
      try {
        return [JSON.parse(text) as unknown];
      } catch {
        faults.push(`entry ${at} is no JSON`);
        return [];
      }
    });
    return { patterns: list, ...(faults.length === 0 ? faultsOfRecord(record) : { faults }) };
  },
};

function hostSet(kind: 'registered' | 'premium'): RecordResource {
  return {
    path: `/hosts/${kind}`,
    title: `Hosts of ${kind}`,
    kinds: [kind],
    single: true,
    role: 'write',
    summary: `Hosts with the tier ${kind} (${standardTiers.get(kind)} requests a minute unless it has a record).`,
    schema: z
      .strictObject({ hosts: z.array(z.string(), { error: 'a list of hosts' }).max(1_000_000), ...told })
      .meta({ id: `${kind}Hosts` }),
    nameOf: asIs,
    valuesOf({ hosts }) {
      const list = (hosts as string[]).map((text) => normaliseHost(text)?.host ?? '');
      const wrong = list.indexOf('');
      if (wrong !== -1) throw invalidBody([{ pointer: `/hosts/${wrong}`, detail: 'is no host' }]);
      return [[...new Set(list)].sort()];
    },
    documentOf: ([set]) => ({ hosts: [...(set?.values ?? [])].sort(), ...faultsOfRecord(set) }),
  };
}

function faultsOfRecord(record: StoredRecord | undefined): Members {
  return record === undefined || record.fault === '' ? {} : { faults: [record.fault] };
}

/** All of them. */
export const recordResources: readonly RecordResource[] = [
  tiers,
  members,
  hostSet('registered'),
  hostSet('premium'),
  auth,
  healthchecks,
  patterns,
  streams,
  blockLists,
];
