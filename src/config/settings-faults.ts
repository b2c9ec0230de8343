// What zod says about a draft, told in the words of a person who wrote the file.
import type * as z from 'zod';
import { type Fault, shownValue } from './config-error.js';
import type { Draft } from './draft.js';
import { maskDriverUrl } from './driver-url.js';
import { nearestName } from './nearest.js';
import { allSettings, sections } from './schema.js';
import { streamKeys } from './schema-streams.js';

const bindKeys = ['address', 'port', 'proxyProtocol'];

/**
 * Turns zod's issues into faults.
 * @param draft knows under which spelling and where each setting was written
 */
export function settingsFaults(issues: readonly z.core.$ZodIssue[], draft: Draft): Fault[] {
  return issues.flatMap((issue): Fault[] => {
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey([...issue.path, key], draft));
    const { key, source } = draft.origin(issue.path);
    const value = writtenAt(issue.path, draft) ?? issue.input;
    const kind = value === undefined ? 'missing' : 'wrong';
    return [{ kind, path: key, value: shownSetting(issue.path, value), allowed: issue.message, source }];
  });
}

function unknownKey(path: readonly PropertyKey[], draft: Draft): Fault {
  const { key, source } = draft.origin(path);
  const nearest = nearestSetting(path);
  return {
    kind: 'unknown',
    path: key,
    value: '',
    allowed: 'a known setting',
    ...(nearest === undefined ? {} : { nearest }),
    source,
  };
}

/** A sibling that is spelt alike, else a setting of that very name elsewhere, else the nearest of all. */
function nearestSetting(path: readonly PropertyKey[]): string | undefined {
  const written = String(path[path.length - 1]);
  const parent = path
    .slice(0, -1)
    .filter((key) => typeof key === 'string')
    .join('.');
  const siblings = knownKeys(parent);
  const sibling = nearestName(written, siblings);
  if (sibling !== undefined) return parent === '' ? sibling : `${parent}.${sibling}`;
  const elsewhere = allSettings.find((setting) => lastKey(setting.path).toLowerCase() === written.toLowerCase());
  return (
    elsewhere?.path ??
    nearestName(
      parent === '' ? written : `${parent}.${written}`,
      allSettings.map((setting) => setting.path),
    )
  );
}

function knownKeys(parent: string): string[] {
  if (parent === 'http.bind') return bindKeys;
  if (parent === 'https.bind') return [...bindKeys, ...knownKeys('https').filter((key) => key !== 'bind')];
  if (parent === 'streams') return [...streamKeys];
  if (parent === 'streams.tls') return ['key', 'cert', 'minVersion'];
  const below = allSettings.filter(({ path }) => (parent === '' ? !path.includes('.') : path.startsWith(`${parent}.`)));
  const keys = below.map(({ path }) => lastKey(path));
  return parent === '' ? [...sections, ...keys] : keys;
}

function lastKey(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1);
}

/** The value as it was written, before a duration became milliseconds; undefined where the schema made a list or an object of a text. */
function writtenAt(path: readonly PropertyKey[], draft: Draft): unknown {
  let value: unknown = draft.settings;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Reflect.get(value, key);
  }
  return value;
}

/** A value that may be shown. */
function shownSetting(path: readonly PropertyKey[], value: unknown): string {
  if (value === undefined) return '';
  const key = path.findLast((part) => typeof part === 'string');
  if (['passphrase', 'stickySecret', 'storeKeys', 'eabKey', 'sha256'].includes(String(key))) return '(hidden)';
  if (key === 'driver' && typeof value === 'string') return shownValue(maskDriverUrl(value));
  if (typeof value === 'string' && value.includes('-----BEGIN')) return 'the text of a PEM file';
  return shownValue(value);
}
