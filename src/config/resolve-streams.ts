// The streams of a file with what they take over from `server`, and the rules between them.
import type { Bind } from './config.js';
import type { Draft } from './draft.js';
import type { StreamItemSettings } from './schema-streams.js';
import type { Strategy } from './strategy.js';
import type { StreamConfig } from './stream-config.js';

/** What streams take from `server` where they say nothing. */
export interface StreamDefaults {
  readonly strategy: Strategy;
  readonly connectTimeout: number;
  readonly backendTimeout: number;
}

/**
 * Makes the streams. Faults go to the draft.
 * @param taken addresses that HTTP listens on
 */
export function resolveStreams(
  items: readonly StreamItemSettings[],
  defaults: StreamDefaults,
  taken: readonly Bind[],
  draft: Draft,
): StreamConfig[] {
  const names = new Set<string>();
  const places = new Set(taken.map(({ address, port }) => `${address}:${port}`));
  return items.map((item, index) => {
    const {
      name,
      address,
      port,
      path,
      proxyProtocol,
      tls,
      targets,
      routes,
      strategy,
      connectTimeout,
      responseTimeout,
      ...settings
    } = item;
    const refuse = (key: string, value: string, allowed: string): void => {
      const { key: written, source } = draft.origin(['streams', index, key]);
      draft.refuse({ kind: value === '' ? 'missing' : 'wrong', path: written, value, allowed, source });
    };
    if (names.has(name)) refuse('name', JSON.stringify(name), 'a name that no other stream has');
    names.add(name);
    if (tls !== undefined && item.mode === 'l4') refuse('tls', 'an object', 'nothing: the mode l4 passes TLS on as it is');
    if (routes.length > 0 && item.mode !== 'l4') refuse('routes', 'a list', 'nothing but with "mode": "l4"');
    if (path !== undefined && port !== undefined) refuse('path', JSON.stringify(path), 'a port or a path, not both');
    if (path === undefined && port === undefined) refuse('port', '', 'a port from 0 to 65535, or a path');
    const place = path ?? `${address}:${port}`;
    if (port !== 0 && places.has(place))
      refuse(path === undefined ? 'port' : 'path', place, 'a place that nothing else listens on');
    places.add(place);
    return {
      name,
      address,
      port: port ?? 0,
      path: path ?? '',
      proxyProtocol,
      tls: tls ?? null,
      targets,
      routes: routes.map((route) => JSON.stringify(route)),
      settings: {
        ...settings,
        strategy: strategy ?? defaults.strategy,
        connectTimeout: connectTimeout ?? defaults.connectTimeout,
        responseTimeout: responseTimeout ?? defaults.backendTimeout,
      },
    };
  });
}
