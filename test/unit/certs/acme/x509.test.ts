import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { certificateRequest, challengeCertificate, newPrivateKey, renewalId } from '../../../../src/certs/acme/x509.js';

const openssl = (args: readonly string[], input: string | Buffer) => execFileSync('openssl', args, { input }).toString();

it('a request for a certificate is signed, and names the host alone', () => {
  const text = openssl(
    ['req', '-inform', 'der', '-noout', '-text', '-verify'],
    certificateRequest('*.example.com', newPrivateKey()),
  );
  expect(text).toContain('DNS:*.example.com');
  expect(text).toMatch(/Subject:\s*\n/);
  expect(text).toContain('NIST CURVE: P-256');
});

it('a challenge certificate proves one name by the digest of its key authorization', () => {
  const { certificate, key } = challengeCertificate('a.example.com', 'token.thumbprint');
  const x509 = new X509Certificate(certificate);
  expect(x509.subjectAltName).toBe('DNS:a.example.com');
  expect(openssl(['pkey', '-pubout'], key)).toBe(x509.publicKey.export({ type: 'spki', format: 'pem' }).toString());
  // RFC 8737 section 3: critical, an octet string of 32 bytes.
  expect(openssl(['x509', '-noout', '-text'], certificate)).toContain('1.3.6.1.5.5.7.1.31: critical');
  const digest = openssl(['dgst', '-sha256', '-r'], 'token.thumbprint').slice(0, 64);
  expect(x509.raw.toString('hex')).toContain(`0420${digest}`);
});

describe('the id of a certificate for advice', () => {
  it('is the key of its issuer and its number as they are encoded', () => {
    // A number whose first bit is set is encoded with a zero before it.
    const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', '/dev/null'];
    const extensions = ['-addext', 'authorityKeyIdentifier=keyid:always', '-set_serial', '0x8765432187654321', '-subj', '/CN=a'];
    const pem = openssl([...args, ...extensions], '');
    const identifier = openssl(['x509', '-noout', '-ext', 'authorityKeyIdentifier'], pem).split('\n')[1] ?? '';
    const issuer = Buffer.from(identifier.replace(/[^0-9A-F]/g, ''), 'hex').toString('base64url');
    expect(renewalId(new X509Certificate(pem).raw)).toBe(`${issuer}.AIdlQyGHZUMh`);
  });

  it('is missing where the certificate does not tell', () => {
    expect(renewalId(new X509Certificate(challengeCertificate('a', 'b').certificate).raw)).toBe('');
  });
});
