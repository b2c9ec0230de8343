// What stands before every call: headers that keep browsers careful, and the refusal of what other pages make a browser send.
import type { NextFunction, Request, Response } from 'express';
import { createAddressSet } from '../base/ip.js';
import { Problem } from './problem.js';

const local = createAddressSet(['127.0.0.0/8', '::1']);

/** For every answer. The pages of the API need no script and nothing from elsewhere. */
const headers: readonly (readonly [string, string])[] = [
  ['Cache-Control', 'no-store'],
  [
    'Content-Security-Policy',
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  ],
  ['Cross-Origin-Opener-Policy', 'same-origin'],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
  ['Permissions-Policy', 'camera=(), geolocation=(), microphone=()'],
  ['Referrer-Policy', 'no-referrer'],
  ['X-Content-Type-Options', 'nosniff'],
  ['X-Frame-Options', 'DENY'],
];

/** @param secure whether the API is served by HTTPS */
export function securityHeaders(secure: boolean): (request: Request, response: Response, next: NextFunction) => void {
  return (_request, response, next) => {
    for (const [name, value] of headers) response.setHeader(name, value);
    if (secure) response.setHeader('Strict-Transport-Security', 'max-age=31536000');
    next();
  };
}

/**
 * Where no token is asked for, being on this machine is what gives rights, and a browser on it can be made to call: by a page of
 * another origin, or by a name that leads here (DNS rebinding). Neither is served.
 */
export function refuseOtherOrigins(tokensAsked: boolean): (request: Request, response: Response, next: NextFunction) => void {
  return (request, _response, next) => {
    const { host = '', origin } = request.headers;
    if (origin !== undefined && originHost(origin) !== host)
      throw new Problem('forbidden', 'Pages of other origins may not call this');
    if (!tokensAsked && local.has(request.socket.localAddress?.replace(/^::ffff:/, '') ?? '') && !isLocalName(host))
      throw new Problem('wrong-host', 'Without tokens this is served under localhost, 127.0.0.1 and [::1] only');
    next();
  };
}

function originHost(origin: string): string {
  return URL.canParse(origin) ? new URL(origin).host : '';
}

function isLocalName(host: string): boolean {
  const name = host
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase();
  return name === 'localhost' || local.has(name);
}
