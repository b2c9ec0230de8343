// Policy: who ends TLS, which certificates clients have to show, and whether browsers are told to come by HTTPS alone.
import { createHash, X509Certificate } from 'node:crypto';
import * as z from 'zod';
import { guarding, jsonField, textField } from './field.js';
import { Disallowed, isObject, parsedBy } from './parsed-by.js';

/** The authorities that client certificates must be from. */
export interface ClientCa {
  /** The same text means the same authorities. */
  readonly id: string;
  /** PEM. */
  readonly pem: string;
}

const caAllowed = 'one or more certificates of authorities in PEM form, up to 64 KiB';
const block = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
const longest = 65_536;

function parseClientCa(written: unknown): ClientCa | Disallowed {
  if (typeof written !== 'string' || written.length > longest) return new Disallowed(caAllowed);
  const blocks = written.match(block);
  if (blocks === null) return new Disallowed(caAllowed);
  try {
    for (const one of blocks) {
      if (!new X509Certificate(one).ca) return new Disallowed(`${caAllowed}; one of these is not an authority's`);
    }
  } catch {
    return new Disallowed(`${caAllowed}; one of these is damaged`);
  }
  const pem = `${blocks.join('\n')}\n`;
  return { id: createHash('sha256').update(pem).digest('hex').slice(0, 32), pem };
}

const hstsAllowed =
  'true, seconds, a duration such as "365d", or {"maxAge": seconds, "includeSubDomains": true or false, "preload": true or false}';
const year = 31_536_000;
const longestAge = 10 * year;

/** The value of Strict-Transport-Security (RFC 6797 section 6.1); empty: the field is not sent. */
function parseHsts(written: unknown): string | Disallowed {
  if (written === false) return '';
  const {
    maxAge = year,
    includeSubDomains = false,
    preload = false,
    ...others
  } = isObject(written) ? written : { maxAge: written === true ? year : written };
  const seconds = ageOf(maxAge);
  const flags = typeof includeSubDomains === 'boolean' && typeof preload === 'boolean';
  if (seconds === null || !flags || Object.keys(others).length > 0) return new Disallowed(hstsAllowed);
  return `max-age=${seconds}${includeSubDomains ? '; includeSubDomains' : ''}${preload ? '; preload' : ''}`;
}

function ageOf(written: unknown): number | null {
  const parts = typeof written === 'string' ? /^(\d{1,9})\s*(s|m|h|d)?$/.exec(written) : null;
  const unit = { s: 1, m: 60, h: 3_600, d: 86_400 }[parts?.[2] ?? 's'] ?? 1;
  const seconds = parts === null ? written : Number(parts[1]) * unit;
  return Number.isInteger(seconds) && (seconds as number) >= 0 && (seconds as number) <= longestAge ? (seconds as number) : null;
}

const authAllowed = '"none", "optional", "require"';

export const tlsFields = {
  /**
   * `passthrough`: the backends end TLS themselves. A client that names the host in its greeting is passed on to one of them, byte
   * by byte; nothing of what it says is read here.
   */
  tls: guarding(textField(z.enum(['terminate', 'passthrough'], { error: '"terminate", "passthrough"' }).default('terminate'))),
  /**
   * `require`: clients without a certificate of the authorities are refused. `optional`: they are served, but a certificate that
   * was not signed by them is refused.
   */
  clientAuth: guarding(textField(z.enum(['none', 'optional', 'require'], { error: authAllowed }).default('none'))),
  /** Absent: the authorities of the setting `https.ca`. */
  clientCa: guarding(textField(parsedBy(parseClientCa))),
  /** Sent over HTTPS alone, in place of what a backend says. */
  hsts: jsonField(parsedBy(parseHsts)),
};
