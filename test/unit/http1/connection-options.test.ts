// What Connection asks for and what it may not take away (RFC 9110 sections 7.6.1 and 7.8, RFC 9112 section 9.3).
import { describe, expect, it } from 'vitest';
import {
  acceptedRequest,
  acceptedResponse,
  getWith,
  requestVerdict,
  requestWith,
  responseVerdict,
} from '../../helpers/raw-heads.js';

const get10 = (...lines: string[]): string => requestWith('GET / HTTP/1.0', ...lines);

describe('keepAlive (RFC 9112 section 9.3)', () => {
  it.each([
    ['nothing', [], true, false],
    ['close', ['Connection: close'], false, false],
    ['Close in another case', ['connection: CLOSE'], false, false],
    ['keep-alive', ['Connection: keep-alive'], true, true],
    ['Keep-Alive in another case', ['Connection: Keep-Alive'], true, true],
    ['both: close wins', ['Connection: keep-alive, close'], false, false],
    ['both on two lines', ['Connection: close', 'Connection: keep-alive'], false, false],
    ['others', ['Connection: te'], true, false],
    ['close among others', ['Connection: te ,\tclose,'], false, false],
    ['words that are only like it', ['Connection: closed, keep-alives'], true, false],
    ['an empty value', ['Connection:'], true, false],
    ['Proxy-Connection, which counts for nothing', ['Proxy-Connection: keep-alive'], true, false],
  ])('with %s', (_, lines, in11, in10) => {
    expect(acceptedRequest(getWith(...lines)).keepAlive).toBe(in11);
    expect(acceptedRequest(get10(...lines)).keepAlive).toBe(in10);
    const response = [...lines, 'Content-Length: 0'];
    expect(acceptedResponse(requestWith('HTTP/1.1 200 OK', ...response)).keepAlive).toBe(in11);
    expect(acceptedResponse(requestWith('HTTP/1.0 200 OK', ...response)).keepAlive).toBe(in10);
  });
});

describe('upgrade (RFC 9110 section 7.8)', () => {
  it.each([
    ['Connection: Upgrade', 'Upgrade: websocket'],
    ['Connection: keep-alive, Upgrade', 'Upgrade: websocket'],
    ['Connection: upgrade,', 'upgrade: websocket'],
  ])('is asked for by %s', (...lines) => {
    expect(acceptedRequest(getWith(...lines)).upgrade).toBe('websocket');
  });

  it('lists all that were offered', () => {
    expect(acceptedRequest(getWith('Connection: upgrade', 'Upgrade: h2c', 'Upgrade: a/1, b')).upgrade).toBe('h2c, a/1, b');
  });

  it('needs both lines and HTTP/1.1', () => {
    expect(acceptedRequest(getWith('Upgrade: websocket')).upgrade).toBe('');
    expect(acceptedRequest(getWith('Upgrade: websocket', 'Connection: keep-alive')).upgrade).toBe('');
    expect(acceptedRequest(getWith('Connection: upgrade')).upgrade).toBe('');
    expect(acceptedRequest(get10('Connection: upgrade', 'Upgrade: websocket')).upgrade).toBe('');
  });
});

describe('connectionNames (RFC 9110 section 7.6.1)', () => {
  it('are lower-case names beyond close, keep-alive and upgrade', () => {
    expect(acceptedRequest(getWith('Connection: close, X-Foo , ,TE', 'connection: X-BAR,x-foo')).connectionNames).toEqual(
      new Set(['x-foo', 'te', 'x-bar']),
    );
  });

  it.each(['close', 'keep-alive', 'Upgrade', 'keep-alive, Upgrade', 'close, close', '', ',', ' , ,'])(
    'are none for %j',
    (value) => {
      expect(acceptedRequest(getWith(`Connection: ${value}`)).connectionNames).toBeNull();
    },
  );

  it.each([
    'Host',
    'Content-Length',
    'Transfer-Encoding',
    'X-Forwarded-For',
    'X-Forwarded-Proto',
    'X-Forwarded-Anything',
    'X-Real-IP',
    'Forwarded',
    'Authorization',
    'Cookie',
    'X-Request-Id',
  ])('never hold %s, which a client must not be able to take away', (name) => {
    expect(acceptedRequest(getWith(`Connection: close, ${name}`)).connectionNames).toBeNull();
    expect(acceptedRequest(getWith(`Connection: ${name.toLowerCase()}, x-own`)).connectionNames).toEqual(new Set(['x-own']));
  });

  it.each(['a b', 'close;q=1', '"close"', 'a/b', 'close, (x)', 'x=y', 'keep-alive\xa0', 'a, b c'])(
    'refuses %j, which is no list of tokens',
    (value) => {
      expect(requestVerdict(getWith(`Connection: ${value}`))).toBe('bad-header');
      expect(responseVerdict(requestWith('HTTP/1.1 200 OK', `Connection: ${value}`))).toBe('backend-bad-response');
    },
  );
});
