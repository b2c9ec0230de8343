// A backend as a program names it, to the entry of a frontend's list.
import { isIPv6 } from 'node:net';
import { shownValue } from '../config/config-error.js';
import { backendSchemes, proxyProtocols, speaksTls } from '../model/backend.js';
import { RouteConfigError } from './route-config-error.js';
import type { BackendConfig } from './types.js';

const known: ReadonlySet<string> = new Set([
  'id',
  'hostname',
  'port',
  'weight',
  'protocol',
  'backup',
  'group',
  'proxyProtocol',
  'isDead',
  'deadSince',
  'failureCount',
]);

/**
 * `http://10.0.0.1:80#id=node-1&weight=2`. What can be wrong with the address itself is for whoever reads the entry to say.
 * @param at position, for the message
 * @throws RouteConfigError
 */
export function backendEntry(backend: BackendConfig, route: string, at: number): string {
  const wrong = (member: string, value: unknown, allowed: string): RouteConfigError =>
    new RouteConfigError(route, `backends[${at}]${member} is ${shownValue(value)}; allowed: ${allowed}`);
  if (typeof backend !== 'object' || backend === null) throw wrong('', backend, 'an object with hostname and port');
  const stranger = Object.keys(backend).find((name) => !known.has(name));
  if (stranger !== undefined) throw new RouteConfigError(route, `backends[${at}].${stranger} is not a known member`);
  const { hostname, protocol = 'http', id, weight, backup = false, group, proxyProtocol = 'none' } = backend;
  if (typeof hostname !== 'string' || !/^[\w.:[\]-]{1,255}$/.test(hostname))
    throw wrong('.hostname', hostname, 'a host name or an address');
  if (!backendSchemes.includes(protocol)) throw wrong('.protocol', protocol, '"http", "https", "h2", "h2c"');
  const port = backend.port ?? (speaksTls({ scheme: protocol }) ? 443 : 80);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw wrong('.port', port, 'a whole number from 1 to 65535');
  if (weight !== undefined && !(Number.isInteger(weight) && weight >= 0 && weight <= 1_000_000))
    throw wrong('.weight', weight, 'a whole number from 0 to 1000000');
  for (const [member, text] of Object.entries({ id, group })) {
    if (text !== undefined && (typeof text !== 'string' || !/^[\x21-\x7e]{1,200}$/.test(text)))
      throw wrong(`.${member}`, text, 'up to 200 characters, without spaces and letters beyond ASCII');
  }
  if (!proxyProtocols.includes(proxyProtocol)) throw wrong('.proxyProtocol', proxyProtocol, '"none", "v1", "v2"');
  if (typeof backup !== 'boolean') throw wrong('.backup', backup, 'true or false');
  const host = isIPv6(hostname) ? `[${hostname}]` : hostname;
  const options = new URLSearchParams({
    id: id ?? `${host}:${port}`,
    ...(weight === undefined ? {} : { weight: String(weight) }),
    ...(backup ? { backup: 'true' } : {}),
    ...(group === undefined ? {} : { group }),
    ...(proxyProtocol === 'none' ? {} : { proxyProtocol }),
  });
  return `${protocol}://${host}:${port}#${options}`;
}
