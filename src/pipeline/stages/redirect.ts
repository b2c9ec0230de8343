// Sends clients elsewhere before anything is asked of them: to HTTPS, or to another host.
import { ProxyError } from '../../errors/proxy-error.js';
import type { Exchange } from '../../exchange/exchange.js';
import type { Redirect } from '../../model/policy/redirects.js';
import { hostOf, pathOf } from '../header-rules.js';
import type { Answer, Stage, StageResult } from '../stage.js';
import { acmePath } from './acme-challenge.js';

/** @param httpsPort port that clients reach this proxy at over HTTPS; 0: there is none that it knows of */
export function createRedirect(httpsPort: () => number): Stage {
  return (exchange) => {
    const policy = exchange.route?.policy ?? null;
    if (policy === null) return undefined;
    const { autoHttps, requireHttps, redirectTo } = policy;
    // A backend that proves names by itself must be reached in plain HTTP (RFC 8555 section 8.3).
    if ((autoHttps || requireHttps) && exchange.scheme === 'http' && !exchange.head.target.startsWith(acmePath)) {
      return toHttps(exchange, requireHttps, httpsPort());
    }
    return redirectTo === undefined ? undefined : elsewhere(exchange, redirectTo);
  };
}

/** 308 keeps method and body (RFC 9110 section 15.4.9). */
function toHttps(exchange: Exchange, required: boolean, port: number): StageResult {
  const host = hostOf(exchange.head.authority);
  // A WebSocket client follows no redirect. A trusted proxy in front may offer HTTPS without this one.
  const offered = port !== 0 || exchange.client.trusted;
  if (host === '' || (required && (exchange.upgrade !== '' || !offered))) return new ProxyError('https-required');
  return moved(308, `https://${host}${port === 0 || port === 443 ? '' : `:${port}`}${pathAndQuery(exchange)}`);
}

function elsewhere(exchange: Exchange, { scheme, authority, base, status, keepPath }: Redirect): StageResult {
  const { head } = exchange;
  const place = `${scheme ?? exchange.scheme}://${authority}`;
  const asked = `${exchange.scheme}://${head.authority.toLowerCase()}`;
  // Who is there already would be sent round in a circle.
  if (place === asked && isWithin(pathOf(head.target), base, keepPath)) return undefined;
  return moved(status, `${place}${keepPath ? `${base}${pathAndQuery(exchange)}` : base || '/'}`);
}

function isWithin(path: string, base: string, keepPath: boolean): boolean {
  if (!keepPath) return path === (base || '/');
  return base === '' || path === base || path.startsWith(`${base}/`);
}

/** `*` asks about the server as a whole; bytes beyond ASCII may not stand in a URI (RFC 3986 section 2). */
function pathAndQuery({ head }: Exchange): string {
  if (!head.target.startsWith('/')) return '/';
  return head.target.replace(/[^\x21-\x7e]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

function moved(status: number, location: string): Answer {
  return { status, contentType: 'text/plain', body: `This is now at ${location}\n`, headers: ['location', location] };
}
