// A target of a TCP stream, parsed once from its list entry: what backends of HTTP are, without anything of HTTP.
import { type Backend, changedBackend, type ProxyProtocol } from './backend.js';
import { parseBackend } from './parse-backend.js';

/** A target as a list names it. Immutable. `scheme` https stands for TLS, http for clear text; `origin` is as it is written. */
export interface StreamTarget extends Backend {
  /** The option `max`: connections at a time, of all workers; 0: as the stream says. */
  readonly max: number;
  /** The option `keepAlive`: false where TCP keep-alive was turned off for this target, true where on; null: as the stream says. */
  readonly keepAlive: boolean | null;
  /** The option `proxyProtocol`, where it is there; null: as the stream says. */
  readonly sendProxyProtocol: ProxyProtocol | null;
}

/** The targets of a list, and one line for each entry that is none. */
export interface ParsedTargets {
  readonly targets: readonly StreamTarget[];
  readonly faults: readonly string[];
}

const forms = 'write tcp://host:port, tls://host:port, host:port or unix:/path';
/** What an address of a backend would be read from, by the scheme of the target. */
const schemes: Readonly<Record<string, string>> = { 'tcp:': 'http:', 'tls:': 'https:' };

/**
 * Reads the entries of a list: `tcp://host:port`, `tls://host:port`, `host:port`, `unix:/path`, with options after `#` (`id`,
 * `weight`, `backup`, `max`, `keepAlive`, `proxyProtocol`). Equal ids are told apart by their ordinal, as those of backends are.
 */
export function parseTargets(entries: readonly string[]): ParsedTargets {
  const targets: StreamTarget[] = [];
  const faults: string[] = [];
  const seen = new Map<string, number>();
  entries.forEach((entry, index) => {
    const parsed = parseTarget(entry, index);
    if (typeof parsed === 'string') {
      faults.push(`target ${index} ${parsed}`);
      return;
    }
    const ordinal = (seen.get(parsed.id) ?? 0) + 1;
    seen.set(parsed.id, ordinal);
    targets.push(ordinal === 1 ? parsed : { ...parsed, id: `${parsed.id}~${ordinal}` });
  });
  return { targets, faults };
}

/** One target, or why the entry names none: a text that does not quote the entry. */
function parseTarget(entry: string, index: number): StreamTarget | string {
  const scheme = /^([a-z][a-z0-9+.-]*:)\/\//i.exec(entry)?.[1]?.toLowerCase() ?? '';
  const known = schemes[scheme];
  if (scheme !== '' && scheme !== 'unix:' && known === undefined)
    return `has the scheme ${scheme.slice(0, -1).slice(0, 20)}; ${forms}`;
  const parsed = parseBackend(known === undefined ? entry : known + entry.slice(scheme.length), index);
  if (parsed.kind === 'fault') return `${firstHalf(parsed.text)}; ${forms}`;
  const { backend } = parsed;
  const address = entry.split('#', 1)[0] as string;
  if (backend.socketPath === '') {
    if (/[/?\\@]/.test(address.slice(scheme === '' ? 0 : scheme.length + 2))) return `has more than a host and a port; ${forms}`;
    // HTTP has ports of its own that go without saying; a TCP service has none.
    if (!/:\d+$/.test(address)) return `has no port; ${forms}`;
  }
  const options = targetOptions(entry.slice(address.length + 1), backend);
  if (typeof options === 'string') return options;
  const origin =
    backend.socketPath === ''
      ? `${scheme === 'tls:' ? 'tls' : 'tcp'}${backend.origin.slice(backend.origin.indexOf(':'))}`
      : backend.origin;
  return changedBackend(backend, { entry, origin, id: backend.id === backend.origin ? origin : backend.id, ...options });
}

type TargetOptions = Pick<StreamTarget, 'max' | 'keepAlive' | 'sendProxyProtocol'>;

/**
 * A backend of a frontend as the target of a connection whose bytes are passed on unread.
 * @param secure the bytes are TLS already: they are passed as they are, whatever the backend is spoken to in otherwise
 */
export function targetOf(backend: Backend, secure: boolean): StreamTarget {
  const hash = backend.entry.indexOf('#');
  const options = targetOptions(hash === -1 ? '' : backend.entry.slice(hash + 1), backend);
  const scheme = secure ? 'http' : backend.scheme;
  const origin =
    backend.socketPath === ''
      ? `${scheme === 'https' ? 'tls' : 'tcp'}${backend.origin.slice(backend.origin.indexOf(':'))}`
      : backend.origin;
  // An option that means nothing here is HTTP's to complain about.
  return changedBackend(backend, { scheme, origin, ...(typeof options === 'string' ? noOptions : options) });
}

const noOptions: TargetOptions = Object.freeze({ max: 0, keepAlive: null, sendProxyProtocol: null });

/** Options that only a target has, and which of those of a backend it names. @param backend read from the same text */
function targetOptions(fragment: string, { proxyProtocol }: Backend): TargetOptions | string {
  const options = new URLSearchParams(fragment);
  const max = options.get('max') ?? '0';
  if (!/^\d{1,7}$/.test(max)) return 'has an option max that is no whole number from 0 to 9999999';
  const keepAlive = options.get('keepAlive');
  if (keepAlive !== null && !/^(1|0|true|false)?$/.test(keepAlive))
    return 'has an option keepAlive that is neither true nor false';
  return {
    max: Number(max),
    keepAlive: keepAlive === null ? null : keepAlive !== '0' && keepAlive !== 'false',
    sendProxyProtocol: options.has('proxyProtocol') ? proxyProtocol : null,
  };
}

/** What follows the semicolon tells how to write a backend of HTTP. */
function firstHalf(text: string): string {
  return text.split('; ', 1)[0] as string;
}
