// The authority of a request to a host that can be looked up: lower case, without a trailing dot, its port apart.
import { isIPv6 } from 'node:net';

/** A host as frontends are named by it. An IPv6 address keeps its brackets (`[::1]`), so that `[::1]:80` is `host:port` too. */
export interface HostName {
  /** Lower case, without the trailing dot of a full DNS name; empty for an empty Host header. */
  readonly host: string;
  /** Decimal digits without leading zeros; empty where there is none. */
  readonly port: string;
}

/** DNS allows 253; a little more is let through, a key of any length is not. */
const maxHostLength = 255;

/**
 * RFC 3986 section 3.2.2, `reg-name` or IPv4 address, less three characters that would change what the name means here:
 * `*` begins a wildcard frontend, `;` parts the fields of a `dead` message, `,` joins two Host headers.
 */
const regName = /^(?:[a-z0-9._~!$&'()+=-]|%[0-9a-f]{2})+$/;

/**
 * Reads the value of a Host header, or of `:authority`. An empty one is a host of its own (RFC 9112 section 3.2: a target
 * without authority), anything that is not `host[:port]` gives null.
 */
export function normaliseHost(authority: string): HostName | null {
  if (authority === '') return { host: '', port: '' };
  // Before the change of case: some letters outside ASCII become ASCII by it.
  if (!/^[\x21-\x7e]+$/.test(authority)) return null;
  const text = authority.toLowerCase();
  const portAt = text.startsWith('[') ? text.indexOf(']') + 1 : text.indexOf(':');
  const name = portAt <= 0 ? text : text.slice(0, portAt);
  const port = parsePort(portAt <= 0 ? '' : text.slice(portAt));
  if (port === null) return null;
  if (name.startsWith('[')) return name.endsWith(']') && isIPv6Literal(name.slice(1, -1)) ? { host: name, port } : null;
  const host = name.endsWith('.') ? name.slice(0, -1) : name;
  if (host.length > maxHostLength || !regName.test(host)) return null;
  return host.startsWith('.') || host.endsWith('.') || host.includes('..') ? null : { host, port };
}

/** `:8080` to `8080`; `` and `:` to `` (RFC 3986 section 3.2.3: the port may be empty); null for anything else. */
function parsePort(text: string): string | null {
  if (text === '' || text === ':') return '';
  if (!/^:\d{1,5}$/.test(text)) return null;
  const port = Number(text.slice(1));
  return port >= 1 && port <= 65535 ? String(port) : null;
}

/** Without a zone (RFC 6874): it means something only on the machine of the client. */
function isIPv6Literal(text: string): boolean {
  return !text.includes('%') && isIPv6(text);
}
