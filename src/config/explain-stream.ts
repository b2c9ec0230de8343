// A stream as a person may see it: in the units and the shape of the file.
import { settingNotes } from './fields.js';
import { streamSettingFields } from './schema-streams.js';
import type { FramingSetting, StreamConfig } from './stream-config.js';

/** An item of `streams` that could be loaded again. */
export function describeStream({
  name,
  address,
  port,
  path,
  proxyProtocol,
  tls,
  targets,
  routes,
  settings,
}: StreamConfig): object {
  const place = path === '' ? { address, port } : { path };
  const fields = Object.entries(settings).map(([key, value]) => [key, inFileUnits(key, value)]);
  return {
    name,
    ...place,
    proxyProtocol,
    ...(tls === null ? {} : { tls }),
    targets,
    ...(routes.length === 0 ? {} : { routes: routes.map((text) => JSON.parse(text) as unknown) }),
    ...Object.fromEntries(fields),
  };
}

function inFileUnits(key: string, value: unknown): unknown {
  if (key === 'framing') {
    const { kind, ...rest } = value as FramingSetting;
    return { type: kind, ...rest };
  }
  const schema = new Map(Object.entries(streamSettingFields)).get(key);
  const kind = schema === undefined ? undefined : settingNotes.get(schema)?.kind;
  return kind === 'duration' ? Number(value) / 1_000 : value;
}
