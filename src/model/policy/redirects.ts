// Policy: who is sent elsewhere, to HTTPS or to another host.
import * as z from 'zod';
import { guarding, jsonField } from './field.js';
import { Disallowed, isObject, parsedBy } from './parsed-by.js';

/** Where the clients of a frontend are sent. */
export interface Redirect {
  /** Null: the scheme of the request. */
  readonly scheme: 'http' | 'https' | null;
  /** Host with its port, in lower case. */
  readonly authority: string;
  /** Put before the path of the request, without a trailing slash; may be empty. */
  readonly base: string;
  readonly status: 301 | 302 | 307 | 308;
  /** Whether the path and query of the request are kept behind the base. */
  readonly keepPath: boolean;
}

const redirectAllowed =
  'a host ("example.com"), a URL without query ("https://example.com/base"), or {"to": one of them, "status": 301, 302, 307 or 308, "keepPath": true or false}';
const statuses = [301, 302, 307, 308] as const;
const target =
  /^(?:(https?):\/\/)?([a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?\.?|\[[0-9a-f:.]{2,45}\])(:\d{1,5})?(\/[!$&-.0-;=@-Z_a-z~%/]*)?$/i;

function parseRedirect(written: unknown): Redirect | Disallowed {
  const { to, status = 308, keepPath = true, ...others } = isObject(written) ? written : { to: written };
  const parts = typeof to === 'string' ? target.exec(to) : null;
  const known = statuses.find((one) => one === status);
  if (parts === null || known === undefined || typeof keepPath !== 'boolean' || Object.keys(others).length > 0)
    return new Disallowed(redirectAllowed);
  const [, scheme, host = '', port = '', path = ''] = parts;
  // A path behind a bare host is more likely a slip than a wish.
  if (scheme === undefined && path !== '') return new Disallowed(redirectAllowed);
  if (port !== '' && (Number(port.slice(1)) === 0 || Number(port.slice(1)) > 65_535)) return new Disallowed(redirectAllowed);
  return {
    scheme: scheme === undefined ? null : scheme.toLowerCase() === 'https' ? 'https' : 'http',
    authority: `${host}${port}`.toLowerCase(),
    base: keepPath ? path.replace(/\/+$/, '') : path,
    status: known,
    keepPath,
  };
}

const flag = z.boolean({ error: 'true or false' }).default(false);

export const redirectFields = {
  /** Plain requests are sent to the same place over HTTPS. */
  autoHttps: jsonField(flag),
  /** As `autoHttps`, and whoever cannot be sent there is refused: nothing in clear text reaches a backend. */
  requireHttps: guarding(jsonField(flag)),
  /** All requests are sent to another host. */
  redirectTo: jsonField(parsedBy(parseRedirect)),
};
