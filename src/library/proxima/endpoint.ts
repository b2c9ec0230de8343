// Endpoints as programs of Proxima write them: checked, brought into one form, and written for people.
import { readEndpoint } from '../../config/endpoint.js';

/** A port, the path of a unix socket, or an object with one of them. `host` is an address; `secure` a class of connections, no encryption. */
export type EndpointLike =
  | number
  | string
  | {
      readonly port?: number | undefined;
      readonly host?: string | undefined;
      readonly path?: string | undefined;
      readonly secure?: boolean | undefined;
    };

/** What `net.connect` takes. */
export type ConnectArgs = [port: number, host?: string] | [path: string];

/**
 * @param showSecure whether `secure` is told at the end
 * @returns port and host, or path, as the arguments of a call
 * @throws Error in Proxima's words
 */
function normalize(options: EndpointLike, showSecure?: false): ConnectArgs;
function normalize(options: EndpointLike, showSecure: boolean): [...ConnectArgs, boolean] | ConnectArgs;
function normalize(options: EndpointLike, showSecure = false): [...ConnectArgs, boolean] | ConnectArgs {
  const read = readEndpoint(typeof options === 'object' ? withoutAbsent(options) : options);
  if (typeof read === 'string') throw new Error(read);
  const { port, host, path, secure } = read;
  const args: ConnectArgs = path !== '' ? [path] : host === '' ? [port] : [port, host];
  return showSecure ? [...args, secure] : args;
}

/** What is undefined, or null, counts as not written. */
function withoutAbsent(options: object): object {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined && value !== null));
}

/**
 * `port: 8080, host: 127.0.0.1, secure: false`, of an endpoint or of the arguments of a call.
 * @param args the endpoint, or its parts, or a list of them; before it, optionally, whether `secure` is told (it is, unless false stands there)
 */
function pretty(...args: readonly unknown[]): string {
  const showSecure = typeof args[0] === 'boolean' ? args[0] : true;
  const parts = typeof args[0] === 'boolean' ? args.slice(1) : args;
  const [what, host] = parts;
  if (Array.isArray(what)) return pretty(showSecure, ...(what as unknown[]));
  if (typeof what === 'object' && what !== null) return pretty(showSecure, ...normalize(what, showSecure));
  const place = typeof what === 'number' ? `port: ${what}` : `path: ${String(what)}`;
  const at = typeof what === 'number' && typeof host === 'string' ? `, host: ${host}` : '';
  return `${place}${at}${showSecure ? `, secure: ${parts.includes(true)}` : ''}`;
}

export const endpoint = Object.freeze({ normalize, pretty });
