// A list entry to a backend: what Hipache and PlanB accept, read strictly, with https meaning TLS and options in the fragment.
import { isIPv4, isIPv6 } from 'node:net';
import { BoundedMap } from '../base/bounded-map.js';
import {
  type BackendAddress,
  type BackendOptions,
  type BackendScheme,
  backendSchemes,
  ListedBackend,
  proxyProtocols,
  speaksHttp2,
  speaksTls,
} from './backend.js';

/** A backend, or why the entry names none: one line that does not quote the entry, which may hold a password. */
export type ParsedBackend =
  | { readonly kind: 'backend'; readonly backend: ListedBackend }
  | { readonly kind: 'fault'; readonly text: string };

const maxEntryLength = 2048;
const maxWeight = 1_000_000;
/** A socket address in the kernel has 108 bytes, the last one zero. */
const maxSocketPathBytes = 107;

/**
 * Reads one entry of a frontend's list: `http://host[:port]`, `https://…`, `h2://…`, `h2c://…`, `host:port` or `unix:/path`, with
 * options after `#` (`id`, `weight`, `backup`, `group`, `proxyProtocol`; unknown ones are left for later versions). User information and path are
 * no part of the address.
 * @param index position among the backends, zero based
 */
export function parseBackend(entry: string, index: number): ParsedBackend {
  if (entry.length === 0) return fault('is empty');
  if (entry.length > maxEntryLength) return fault(`is longer than ${maxEntryLength} characters`);
  if (!/^[\x21-\x7e]+$/.test(entry)) return fault('has a space, a control character or a letter outside ASCII');
  const hash = entry.indexOf('#');
  const address = hash === -1 ? entry : entry.slice(0, hash);
  const options = parseOptions(hash === -1 ? '' : entry.slice(hash + 1));
  if (typeof options === 'string') return fault(options);
  const parts = partsOf(address);
  if (typeof parts === 'string') return fault(parts);
  if (options.use.proxyProtocol !== 'none' && speaksHttp2(parts))
    return fault(
      'has the option proxyProtocol, and requests of many clients share a connection of HTTP/2; write http:// or https://',
    );
  const id = options.id === '' ? parts.origin : options.id;
  return { kind: 'backend', backend: new ListedBackend(entry, index, id, parts, options.use) };
}

/** Many frontends have backends on few machines: they share the texts of an address, which are most of what a route holds. */
const knownAddresses = new BoundedMap<string, BackendAddress>(10_000);

function partsOf(address: string): BackendAddress | string {
  const known = knownAddresses.get(address);
  if (known !== undefined) return known;
  const parts = /^unix:\//i.test(address) ? parseSocket(address) : parseUrl(address);
  if (typeof parts === 'string') return parts;
  const { host, origin, publishedUrl } = parts;
  const own = { ...parts, host: ownCopy(host), origin: ownCopy(origin), publishedUrl: ownCopy(publishedUrl) };
  knownAddresses.set(address, own);
  return own;
}

/** A text that was put together, or cut out of another one, keeps what it was made of. Addresses are ASCII. */
function ownCopy(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}

function fault(text: string): ParsedBackend {
  return { kind: 'fault', text };
}

/** Of entries that ask for nothing else: nearly all. */
const standardUse: BackendOptions = Object.freeze({ weight: 1, backup: false, group: '', proxyProtocol: 'none' });

function parseOptions(fragment: string): { readonly id: string; readonly use: BackendOptions } | string {
  if (fragment === '') return { id: '', use: standardUse };
  const options = new URLSearchParams(fragment);
  const weight = options.get('weight') ?? '1';
  if (!/^\d{1,7}$/.test(weight) || Number(weight) > maxWeight)
    return `has a weight that is no whole number from 0 to ${maxWeight}`;
  // `#backup` alone is how other proxies write it.
  const backup = options.get('backup') ?? 'false';
  if (!/^(1|0|true|false)?$/.test(backup)) return 'has an option backup that is neither true nor false';
  const version = options.get('proxyProtocol') ?? 'none';
  const proxyProtocol = proxyProtocols.find((one) => one === version);
  if (proxyProtocol === undefined) return 'has an option proxyProtocol that is none of none, v1 and v2';
  const use = {
    weight: Number(weight),
    backup: backup !== '0' && backup !== 'false',
    group: options.get('group') ?? '',
    proxyProtocol,
  };
  return { id: options.get('id') ?? '', use: isStandard(use) ? standardUse : use };
}

function isStandard({ weight, backup, group, proxyProtocol }: BackendOptions): boolean {
  return weight === 1 && !backup && group === '' && proxyProtocol === 'none';
}

function parseSocket(address: string): BackendAddress | string {
  // `unix:///run/app.sock` is how URL writers spell it.
  const socketPath = address.slice('unix:'.length).replace(/^\/\/\//, '/');
  if (socketPath.startsWith('//')) return 'names a host before the path of a unix socket; write unix:/path';
  if (socketPath === '/') return 'has no path of a unix socket; write unix:/path';
  if (socketPath.length > maxSocketPathBytes) return `has a socket path of more than ${maxSocketPathBytes} characters`;
  const origin = `unix:${socketPath}`;
  return { scheme: 'http', host: '', port: 0, socketPath, origin, publishedUrl: withoutSeparator(origin) };
}

function parseUrl(address: string): BackendAddress | string {
  const schemeMatch = /^([a-z][a-z0-9+.-]*):\/\//i.exec(address);
  const written = schemeMatch === null ? 'http' : schemeMatch[1]!.toLowerCase();
  const scheme = backendSchemes.find((one) => one === written);
  if (scheme === undefined) return `has the scheme ${written.slice(0, 20)}; write http, https, h2, h2c or unix`;
  const rest = address.slice(schemeMatch === null ? 0 : schemeMatch[0].length);
  const pathAt = rest.search(/[/?\\]/);
  const authority = pathAt === -1 ? rest : rest.slice(0, pathAt);
  const path = pathAt === -1 ? '' : rest.slice(pathAt);
  const hostPort = authority.slice(authority.lastIndexOf('@') + 1).toLowerCase();
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{0,5}))?$/.exec(hostPort);
  if (match === null) return 'has no valid host and port; write http://host:port';
  const [, literal = '', portText = ''] = match;
  const host = literal.startsWith('[') ? literal.slice(1, -1) : literal;
  if (literal.startsWith('[') ? !isIPv6(host) : !isHostName(host))
    return 'has no valid host; write a name, an IPv4 or a [IPv6] address';
  if (portText === '' && schemeMatch === null) return 'has neither a scheme nor a port; write http://host or host:port';
  const port = portText === '' ? defaultPort(scheme) : Number(portText);
  if (port < 1 || port > 65535) return 'has a port outside 1 to 65535';
  const hostAndPort = portText === '' ? literal : `${literal}:${portText}`;
  return {
    scheme,
    host,
    port,
    socketPath: '',
    origin: `${scheme}://${literal}:${port}`,
    publishedUrl: withoutSeparator(`${scheme}://${hostAndPort}${path.startsWith('/') ? path : `/${path}`}`),
  };
}

function defaultPort(scheme: BackendScheme): number {
  return speaksTls({ scheme }) ? 443 : 80;
}

function isHostName(host: string): boolean {
  if (/^[\d.]+$/.test(host)) return isIPv4(host);
  return host.length <= 255 && !host.startsWith('.') && !host.includes('..');
}

/** `;` parts the four fields of a message on the channel `dead`. */
function withoutSeparator(url: string): string {
  return url.replaceAll(';', '%3B');
}
