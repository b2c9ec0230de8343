// A TCP stream as it is in force: the settings of its listener, overridden by the hash `stream:<name>`, and its targets.
import { streamSettingFields } from '../config/schema-streams.js';
import type { StreamConfig, StreamModeName, StreamSettings } from '../config/stream-config.js';
import { mostFaults, type PolicyField, readField, unknownField } from './policy/field.js';
import type { StoredRecord } from './record-kind.js';
import { parseTargets, type StreamTarget } from './stream-target.js';

/** What a listener goes by until the next change. Immutable. */
export interface StreamPlan {
  readonly name: string;
  /** The mode by name, also where `settings.mode` is `auto`. */
  readonly mode: StreamModeName;
  readonly settings: StreamSettings;
  readonly targets: readonly StreamTarget[];
  /** One line for each thing that could not be understood; the value of the configuration is then in force, the wrong target left out. */
  readonly faults: readonly string[];
}

/** The fields of a `stream:` hash. */
export const streamFields: Readonly<Record<string, PolicyField>> = Object.fromEntries(
  Object.entries(streamSettingFields).map(([name, schema]) => [
    name,
    { schema, notation: 'json', guards: false } satisfies PolicyField,
  ]),
);
const fields: ReadonlyMap<string, PolicyField> = new Map(Object.entries(streamFields));

/**
 * Reads both records of a stream.
 * @param hash `stream:<name>`
 * @param list `stream:<name>:targets`; where it is empty or faulty, the targets of the configuration are in force
 */
export function parseStream(config: StreamConfig, hash: StoredRecord, list: StoredRecord): StreamPlan {
  const faults: string[] = [];
  if (hash.fault !== '') faults.push(`stream:${config.name}: ${hash.fault}`);
  const { found, faults: misread } = readOverrides(hash);
  for (const text of misread) faults.push(`stream:${config.name}: ${text}`);
  const settings = { ...config.settings, ...found };
  if (list.fault !== '') faults.push(`stream:${config.name}:targets: ${list.fault}`);
  const { targets, faults: wrong } = parseTargets(list.values.length > 0 ? list.values : config.targets);
  for (const text of wrong) faults.push(`stream:${config.name}:targets: ${text}`);
  return { name: config.name, mode: modeOf(settings, targets.length), settings, targets, faults };
}

/** What the hash `stream:<name>` says, and one line for each field of it that could not be understood. */
export function readOverrides(hash: StoredRecord): {
  readonly found: Partial<StreamSettings>;
  readonly faults: readonly string[];
} {
  const found: Record<string, unknown> = {};
  const faults: string[] = [];
  for (let at = 0; at + 1 < hash.values.length && faults.length < mostFaults; at += 2) {
    const key = hash.values[at] as string;
    const field = fields.get(key);
    if (field === undefined) {
      faults.push(unknownField(key, fields.keys()));
      continue;
    }
    const reading = readField(field, hash.values[at + 1] as string);
    if (reading.kind === 'value') found[key] = reading.value;
    else faults.push(`${key} ${reading.text}`);
  }
  return { found: found as Partial<StreamSettings>, faults };
}

/** Proximux's rule, in its order: as many targets as clients mean one for each, even where it is one. */
export function modeOf(
  { mode, maxConnections }: Pick<StreamSettings, 'mode' | 'maxConnections'>,
  targets: number,
): StreamModeName {
  if (mode !== 'auto') return mode;
  if (targets === maxConnections) return 'proxy';
  return targets === 1 ? 'fifo' : 'funnel';
}
