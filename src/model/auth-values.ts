// Values that fields of `auth:` records share: names of headers, and URLs that are asked.
import * as z from 'zod';

const headerAllowed =
  'a header name that is free to set: not one of the connection, the length, the host, or those that tell of the client';
const headersAllowed = `a list of names, each ${headerAllowed}`;

/** Header fields that the proxy itself makes, or that belong to one connection (RFC 9110 section 7.6.1). */
const ownNames = new Set([
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'upgrade',
  'expect',
  'keep-alive',
  'te',
  'trailer',
  'proxy-connection',
  'proxy-authorization',
  'proxy-authenticate',
  'forwarded',
  'x-real-ip',
  'x-request-id',
]);

function isFree(name: string): boolean {
  const lower = name.toLowerCase();
  return !ownNames.has(lower) && !lower.startsWith('x-forwarded-');
}

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}$/;

/** A header that may be set, copied or passed on by name. */
export const headerName = z.string({ error: headerAllowed }).regex(token, headerAllowed).refine(isFree, { error: headerAllowed });

/** Such names: a JSON list, or a text with commas or blanks between them. */
export const headerNames = z.preprocess(
  (value) => (typeof value === 'string' ? value.split(/[\s,]+/).filter((name) => name !== '') : value),
  z.array(z.string({ error: headersAllowed }).regex(token, headersAllowed).refine(isFree, { error: headersAllowed }), {
    error: headersAllowed,
  }),
);

/** The name of a provider or of a function. */
export const tokenText = z.string().regex(/^[\w.:@/-]{1,200}$/, 'up to 200 letters, digits and . : @ / _ -');

/** An http or https URL. A password in it would end up in messages, so it is refused. */
export const webAddress = z.string().refine((text) => {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return (protocol === 'http:' || protocol === 'https:') && username === '' && password === '';
});
