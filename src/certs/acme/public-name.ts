// Which names an authority of the public can vouch for.
import { isIP } from 'node:net';

/** Reserved (RFC 6761, RFC 6762, RFC 7686, RFC 8375, ICANN's .internal), or used inside of networks by custom. */
const privateEnds = ['local', 'localhost', 'test', 'example', 'invalid', 'onion', 'internal', 'lan', 'home.arpa', 'corp', 'home'];
const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** @param name a host in lower case, or `*.suffix` */
export function isPublicName(name: string): boolean {
  const host = name.startsWith('*.') ? name.slice(2) : name;
  const labels = host.split('.');
  if (labels.length < 2 || host.length > 253 || isIP(host) !== 0) return false;
  if (!labels.every((one) => label.test(one)) || /^\d+$/.test(labels.at(-1) as string)) return false;
  return !privateEnds.some((end) => host === end || host.endsWith(`.${end}`));
}

/** The name that a frontend is served under: without port and path. Empty for `*`. */
export function nameOfFrontend(frontend: string): string {
  const host = frontend.replace(/\/.*$/, '').replace(/:\d+$/, '').toLowerCase();
  return host === '*' ? '' : host;
}
