// Which clients may reach a frontend that asks for client certificates, and what its backends are told of them.
import type { X509Certificate } from 'node:crypto';
import { ProxyError } from '../../errors/proxy-error.js';
import type { ClientCertificate } from '../../exchange/client.js';
import type { Stage } from '../stage.js';

/** Stands for the authorities of the listener, where a frontend names none of its own. */
export const listenerAuthorities = 'listener';

/**
 * The names that backends read are ours alone: whatever a client sends under them is never forwarded, see http1/known-headers.
 * A frontend that is asked for on a connection whose handshake was made for another one, or before its policy changed, answers 421.
 */
export const clientCertificate: Stage = (exchange) => {
  const policy = exchange.route?.policy ?? null;
  if (policy === null || policy.clientAuth === 'none') return undefined;
  const { tls } = exchange.client;
  if (tls === null) return new ProxyError('client-certificate-required', 'the connection did not come over TLS');
  const wanted = policy.clientCa?.id ?? listenerAuthorities;
  if (tls.authorities !== wanted)
    return new ProxyError(
      'misdirected-request',
      `${exchange.authority} asks for client certificates, which this connection was not asked for`,
    );
  const { certificate } = tls;
  if (certificate === null)
    return policy.clientAuth === 'require' ? new ProxyError('client-certificate-required', 'the client showed none') : undefined;
  if (certificate.refusal !== '') return new ProxyError('client-certificate-refused', certificate.refusal);
  if (certificate.lines === '') certificate.lines = linesOf(certificate);
  exchange.changes.lines += certificate.lines;
  exchange.body.dropTrailers();
  return undefined;
};

function linesOf({ x509 }: ClientCertificate): string {
  return (
    `X-Client-Cert: ${x509.raw.toString('base64')}\r\n` +
    `X-Client-Cert-Subject: ${distinguishedName(x509.subject)}\r\n` +
    `X-Client-Cert-Issuer: ${distinguishedName(x509.issuer)}\r\n` +
    `X-Client-Cert-Serial: ${x509.serialNumber}\r\n` +
    `X-Client-Cert-Fingerprint: ${fingerprintOf(x509)}\r\n`
  );
}

function fingerprintOf({ fingerprint256 }: X509Certificate): string {
  return fingerprint256.replaceAll(':', '').toLowerCase();
}

/**
 * Node gives a line an attribute, the widest first, with its special characters escaped. Here they stand in one line the other way
 * round (RFC 4514); whatever is not printable ASCII is percent-encoded, so that nothing in a certificate can end a header line.
 */
function distinguishedName(lines: string): string {
  return lines
    .split('\n')
    .reverse()
    .join(',')
    .replace(/[^\x20-\x7e]|%/gu, encodeCharacter);
}

function encodeCharacter(character: string): string {
  let text = '';
  for (const byte of Buffer.from(character, 'utf8')) text += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  return text;
}
