import { connect, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { classifyConnectError, classifySocketError, codeOf } from '../../../src/errors/classify.js';
import { ProxyError } from '../../../src/errors/proxy-error.js';

const withCode = (code: string, message = `connect ${code}`) => Object.assign(new Error(message), { code });

/** The error of a real connection attempt. */
const failureOf = (options: { port: number; host: string } | { path: string }) =>
  new Promise<Error>((resolve, reject) => {
    const socket = connect(options as { port: number; host: string }, () => reject(new Error('it connected')));
    socket.on('error', resolve);
  });

describe('an error of a connection attempt', () => {
  it('to a port where nobody listens is a refusal', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.on('listening', resolve));
    const { port } = server.address() as { port: number };
    await new Promise((resolve) => server.close(resolve));
    const error = classifyConnectError(await failureOf({ port, host: '127.0.0.1' }), `http://127.0.0.1:${port}`);
    expect(error).toMatchObject({ code: 'backend-refused', status: 502, source: 'backend', retry: 'yes' });
    expect(error.message).toContain(`http://127.0.0.1:${port}`);
    expect(codeOf(error.cause)).toBe('ECONNREFUSED');
  });

  it('to a unix socket that is not there says that the backend is unreachable', async () => {
    expect(classifyConnectError(await failureOf({ path: '/nonexistent/app.sock' })).code).toBe('backend-unreachable');
  });

  it.each([
    ['ECONNRESET', 'backend-refused'],
    ['ETIMEDOUT', 'backend-connect-timeout'],
    ['EHOSTUNREACH', 'backend-unreachable'],
    ['ENETUNREACH', 'backend-unreachable'],
    ['ENOTFOUND', 'backend-unreachable'],
    ['EAI_AGAIN', 'backend-unreachable'],
    ['EMFILE', 'pool-exhausted'],
    ['CERT_HAS_EXPIRED', 'backend-tls-failed'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'backend-tls-failed'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'backend-tls-failed'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'backend-tls-failed'],
    ['EPROTO', 'backend-tls-failed'],
    ['ESOMETHINGNEW', 'backend-unreachable'],
  ])('%s is %s', (code, expected) => {
    expect(classifyConnectError(withCode(code)).code).toBe(expected);
  });

  it('during the TLS handshake is a failed handshake, also when the peer just closed', () => {
    expect(classifyConnectError(withCode('ECONNRESET'), 'https://a:443', true).code).toBe('backend-tls-failed');
  });

  it('of several addresses is told by the one that says most', () => {
    const error = new AggregateError([withCode('ENETUNREACH'), withCode('ECONNREFUSED')]);
    const classified = classifyConnectError(error);
    expect(classified.code).toBe('backend-refused');
    expect(codeOf(classified.cause)).toBe('ECONNREFUSED');
  });

  it('that is no Error at all is still told', () => {
    expect(classifyConnectError('broken').message).toContain('broken');
  });

  it('that was translated already stays as it is', () => {
    const error = new ProxyError('pool-exhausted');
    expect(classifyConnectError(error)).toBe(error);
    expect(classifySocketError(error, 'none', false)).toBe(error);
  });
});

describe('the end of an established connection', () => {
  it('before any answer may be tried again where the request is idempotent', () => {
    expect(classifySocketError(null, 'none', false)).toMatchObject({ code: 'backend-closed', retry: 'if-idempotent' });
    expect(classifySocketError(withCode('ECONNRESET'), 'none', false).code).toBe('backend-closed');
  });

  it('that was used before is stale', () => {
    expect(classifySocketError(withCode('ECONNRESET'), 'none', true).code).toBe('backend-stale');
    expect(classifySocketError(null, 'none', true).code).toBe('backend-stale');
  });

  it('within an answer cannot be mended', () => {
    expect(classifySocketError(withCode('ECONNRESET'), 'begun', true)).toMatchObject({ code: 'backend-cut-body', retry: 'no' });
  });

  it('whose peer acknowledges nothing is a timeout', () => {
    expect(classifySocketError(withCode('ETIMEDOUT'), 'none', false).code).toBe('backend-timeout');
  });

  it('after something that is not HTTP is a bad response', () => {
    expect(classifySocketError(withCode('HPE_INVALID_CONSTANT'), 'none', false).code).toBe('backend-bad-response');
  });

  it('never advises to repeat what a backend may have seen, whatever TLS says', () => {
    expect(classifySocketError(withCode('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'), 'none', false).retry).toBe('if-idempotent');
  });
});
