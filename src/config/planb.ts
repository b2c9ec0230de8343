// PlanB's command line flags as configuration keys: those that have a meaning here move to the key of today, with a warning each.
import type { Draft, Origin } from './draft.js';
import { applyPlanbRedis } from './planb-redis.js';
import { parseBindText } from './schema-listen.js';

/** Flags whose value moves as it is. */
const moved: Readonly<Record<string, string>> = {
  'request-timeout': 'server.totalTimeout',
  'dial-timeout': 'server.connectTimeout',
  'client-read-timeout': 'server.bodyTimeout',
  'client-read-header-timeout': 'server.headTimeout',
  'client-idle-timeout': 'server.idleTimeout',
  'dead-backend-time': 'server.deadBackendTTL',
};

/** Flags without effect, and why. */
const inert: Readonly<Record<string, string>> = {
  'client-write-timeout': 'a client that does not read is held back, not cut',
  'flush-interval': 'bytes are passed on as they arrive',
  'backend-cache': 'records are always cached and dropped as soon as they change',
  'active-healthcheck': 'backends are checked wherever there is a record `healthcheck:<host>`',
  // Alone it is a misplaced `server.engine` rather than a sign of PlanB.
  engine: 'the engine is chosen by `server.engine`; TLS is passed through where `route:<host>` has `tls passthrough`',
  'load-certificates-from': 'certificates are taken from the records `tls:<name>`, and else from `https.key` and `https.cert`',
};

/** Flags that take part in the decision of how to listen, and others with rules of their own. */
const special = ['listen', 'tls-listen', 'tls-preset', 'access-log', 'request-id-header', 'metrics-address'];

/** Rewrites PlanB's keys. A key of today that is there as well wins. Without any of them nothing happens. */
export function applyPlanb(draft: Draft): void {
  const redis = applyPlanbRedis(draft);
  const present = [...Object.keys(moved), ...Object.keys(inert), ...special].filter((key) => draft.has(key));
  if (present.every((key) => key === 'engine') && !redis) return;

  for (const [key, target] of Object.entries(moved)) move(draft, key, target, draft.take(key));
  for (const [key, reason] of Object.entries(inert)) {
    if (draft.take(key) !== undefined) draft.warn(`WARNING! \`${key}\` has no effect: ${reason}.`);
  }
  applyListen(draft);
  applyTls(draft);
  applyAccessLog(draft);
  applyRequestId(draft);
  applyMetrics(draft);
  if (!draft.has('server.strategy')) {
    draft.warn('WARNING! Backends are taken in turn, as PlanB does. Please set `server.strategy` to choose.');
    draft.set('server.strategy', 'ROUND_ROBIN', origin(draft, present[0] ?? 'read-redis-host'));
  }
}

/** Without `listen` PlanB takes port 8989 of all IPv4 interfaces. */
function applyListen(draft: Draft): void {
  const listen = draft.take('listen');
  if (listen === 'disabled') {
    move(draft, 'listen', 'http.bind', []);
    return;
  }
  if (listen !== undefined) {
    listenOn(draft, 'listen', 'http', listen);
    return;
  }
  if (draft.has('http')) return;
  draft.warn(
    'WARNING! `listen` is absent: listening on 0.0.0.0:8989, as PlanB did. Please set `http.bind` and `http.port` to choose.',
  );
  draft.set('http.bind', ['0.0.0.0'], origin(draft, 'listen'));
  draft.set('http.port', 8989, origin(draft, 'listen'));
}

function applyTls(draft: Draft): void {
  const listen = draft.take('tls-listen');
  if (listen !== undefined) listenOn(draft, 'tls-listen', 'https', listen);
  const preset = draft.take('tls-preset');
  if (preset === undefined) return;
  if (preset !== 'modern') draft.warn('WARNING! `tls-preset` is taken as "modern": protocols before TLS 1.2 are not served.');
  move(draft, 'tls-preset', 'https.minVersion', 'TLSv1.2');
}

/** `address:port`, or `:port` for all interfaces, as Go writes it; else null, and the draft is refused. */
function bindOf(draft: Draft, key: string, value: unknown): { readonly address: string; readonly port: number } | null {
  const bind = typeof value === 'string' ? parseBindText(/^:\d+$/.test(value) ? `[::]${value}` : value) : null;
  if (bind !== null && bind.port !== undefined) return { address: bind.address, port: bind.port };
  const allowed = 'an address with a port, such as "0.0.0.0:8989"';
  draft.refuse({ kind: 'wrong', path: key, value: JSON.stringify(value), allowed, source: draft.source });
  return null;
}

function listenOn(draft: Draft, key: string, section: string, value: unknown): void {
  const bind = bindOf(draft, key, value);
  if (bind === null) return;
  move(draft, key, `${section}.bind`, [bind.address]);
  if (!draft.has(`${section}.port`)) draft.set(`${section}.port`, bind.port, origin(draft, key));
}

function applyAccessLog(draft: Draft): void {
  const log = draft.take('access-log');
  if (log === 'syslog') draft.warn('WARNING! `access-log` cannot be "syslog" in this version: the log goes to stdout.');
  move(draft, 'access-log', 'server.accessLog', log === 'syslog' ? 'stdout' : log);
}

function applyRequestId(draft: Draft): void {
  const header = draft.take('request-id-header');
  if (typeof header === 'string' && header !== '' && header.toLowerCase() !== 'x-request-id') {
    draft.warn('WARNING! `request-id-header` has no effect: the id of a request is sent as `X-Request-Id`.');
  }
}

/** Its monitors go on finding what they know. */
function applyMetrics(draft: Draft): void {
  const listen = draft.take('metrics-address');
  if (listen === undefined || listen === '') return;
  const bind = bindOf(draft, 'metrics-address', listen);
  if (bind === null) return;
  move(draft, 'metrics-address', 'admin.address', bind.address);
  if (!draft.has('admin.port')) draft.set('admin.port', bind.port, origin(draft, 'metrics-address'));
  if (!draft.has('metrics.names')) draft.set('metrics.names', 'both', origin(draft, 'metrics-address'));
}

function move(draft: Draft, key: string, target: string, value: unknown): void {
  if (value === undefined) return;
  draft.deprecated(key, target);
  if (draft.has(target)) draft.warn(`WARNING! \`${key}\` has no effect: \`${target}\` is set too.`);
  else draft.set(target, value, origin(draft, key));
}

function origin(draft: Draft, key: string): Origin {
  return { key, source: draft.source };
}
