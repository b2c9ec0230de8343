// List entries to backends: what people have in their Redis, and what they mistype.
import { describe, expect, it } from 'vitest';
import { type Backend, changedBackend } from '../../../src/model/backend.js';
import { parseBackend } from '../../../src/model/parse-backend.js';
import { parseBackends } from '../../../src/model/parse-backends.js';

function backendOf(entry: string, index = 0): Backend {
  const parsed = parseBackend(entry, index);
  if (parsed.kind === 'fault') throw new Error(parsed.text);
  return parsed.backend;
}

function faultOf(entry: string): string {
  const parsed = parseBackend(entry, 0);
  return parsed.kind === 'fault' ? parsed.text : '';
}

describe('addresses', () => {
  it.each([
    ['http://h:8080', 'http', 'h', 8080, 'http://h:8080', 'http://h:8080/'],
    ['http://h', 'http', 'h', 80, 'http://h:80', 'http://h/'],
    ['http://h:80', 'http', 'h', 80, 'http://h:80', 'http://h:80/'],
    ['https://h:8443', 'https', 'h', 8443, 'https://h:8443', 'https://h:8443/'],
    ['https://h', 'https', 'h', 443, 'https://h:443', 'https://h/'],
    ['h2://h', 'h2', 'h', 443, 'h2://h:443', 'h2://h/'],
    ['H2C://h:50051', 'h2c', 'h', 50051, 'h2c://h:50051', 'h2c://h:50051/'],
    ['http://h:1/base/path', 'http', 'h', 1, 'http://h:1', 'http://h:1/base/path'],
    ['http://h:1/Base?x=1', 'http', 'h', 1, 'http://h:1', 'http://h:1/Base?x=1'],
    ['http://h:1?x=1', 'http', 'h', 1, 'http://h:1', 'http://h:1/?x=1'],
    ['http://user:pw@h:1', 'http', 'h', 1, 'http://h:1', 'http://h:1/'],
    ['http://[::1]:8080', 'http', '::1', 8080, 'http://[::1]:8080', 'http://[::1]:8080/'],
    ['http://[2001:DB8::1]', 'http', '2001:db8::1', 80, 'http://[2001:db8::1]:80', 'http://[2001:db8::1]/'],
    ['127.0.0.1:18101', 'http', '127.0.0.1', 18101, 'http://127.0.0.1:18101', 'http://127.0.0.1:18101/'],
    ['app.internal:80', 'http', 'app.internal', 80, 'http://app.internal:80', 'http://app.internal:80/'],
    ['[::1]:8080', 'http', '::1', 8080, 'http://[::1]:8080', 'http://[::1]:8080/'],
    ['unix:80', 'http', 'unix', 80, 'http://unix:80', 'http://unix:80/'],
    ['HTTP://Host.EXAMPLE:8080/Path', 'http', 'host.example', 8080, 'http://host.example:8080', 'http://host.example:8080/Path'],
    ['http://h:1/a;b', 'http', 'h', 1, 'http://h:1', 'http://h:1/a%3Bb'],
  ])('%s', (entry, scheme, host, port, origin, publishedUrl) => {
    expect(changedBackend(backendOf(entry), {})).toEqual({
      entry,
      index: 0,
      id: origin,
      scheme,
      host,
      port,
      socketPath: '',
      origin,
      publishedUrl,
      weight: 1,
      backup: false,
      group: '',
      proxyProtocol: 'none',
    });
  });

  it.each(['unix:/run/app.sock', 'unix:///run/app.sock'])('%s is a unix socket', (entry) => {
    expect(backendOf(entry)).toMatchObject({
      scheme: 'http',
      host: '',
      port: 0,
      socketPath: '/run/app.sock',
      origin: 'unix:/run/app.sock',
      publishedUrl: 'unix:/run/app.sock',
    });
  });
});

describe('options in the fragment', () => {
  it('name the backend and give it a weight', () => {
    expect(backendOf('http://10.0.0.1:80#id=node-1&weight=2')).toMatchObject({
      id: 'node-1',
      weight: 2,
      origin: 'http://10.0.0.1:80',
      publishedUrl: 'http://10.0.0.1:80/',
    });
  });

  it.each([
    ['#weight=0', 0],
    ['#weight=1000000', 1_000_000],
    ['#unknown=1', 1],
    ['#', 1],
  ])('%s is a weight of %i', (fragment, weight) => {
    expect(backendOf(`http://h:1${fragment}`).weight).toBe(weight);
  });

  it.each([
    ['', false],
    ['#backup', true],
    ['#backup=1', true],
    ['#backup=true&weight=5', true],
    ['#id=b&backup=0', false],
    ['#backup=false', false],
  ])('%j says whether it is a backup: %j', (fragment, backup) => {
    expect(backendOf(`http://h:1${fragment}`).backup).toBe(backup);
  });

  it.each(['yes', 'TRUE', '2'])('a backup of %j is refused', (backup) => {
    expect(faultOf(`http://h:1#backup=${backup}`)).toBe('has an option backup that is neither true nor false');
  });

  it.each([
    ['http://h:1', 'none'],
    ['http://h:1#proxyProtocol=none', 'none'],
    ['https://h:1#proxyProtocol=v1', 'v1'],
    ['unix:/run/app.sock#id=b&proxyProtocol=v2', 'v2'],
  ])('%s asks for the PROXY header %s', (entry, version) => {
    expect(backendOf(entry).proxyProtocol).toBe(version);
  });

  it('ask for no PROXY header of another version, nor on connections that clients share', () => {
    expect(faultOf('http://h:1#proxyProtocol=v3')).toBe('has an option proxyProtocol that is none of none, v1 and v2');
    for (const scheme of ['h2', 'h2c'])
      expect(faultOf(`${scheme}://h:1#proxyProtocol=v2`)).toContain('share a connection of HTTP/2');
  });

  it.each(['-1', '1.5', '1000001', 'heavy', ''])('a weight of %j is refused', (weight) => {
    expect(faultOf(`http://h:1#weight=${weight}`)).toContain('weight');
  });

  it('belong to a unix socket as well', () => {
    expect(backendOf('unix:/run/app.sock#weight=3')).toMatchObject({ socketPath: '/run/app.sock', weight: 3 });
  });
});

describe('what is no backend', () => {
  it.each([
    ['nothing', ''],
    ['a bare word', 'notaurl'],
    ['a bare word with a path', 'h/path'],
    ['a number', '18101'],
    ['another scheme', 'ftp://h:21'],
    ['a TCP backend', 'tcp://h:1'],
    ['no host', 'http://'],
    ['no host before the port', 'http://:80'],
    ['no host after the user', 'http://user@'],
    ['port 0', 'http://h:0'],
    ['a port above 65535', 'http://h:65536'],
    ['a port of letters', 'http://h:port'],
    ['a port of many digits', 'http://h:000080'],
    ['an IPv6 address without brackets', 'http://::1:80'],
    ['a bad IPv6 address', 'http://[::g]:80'],
    ['an IPv6 zone', 'http://[fe80::1%eth0]:80'],
    ['a bad IPv4 address', 'http://1.2.3.4.5:80'],
    ['an empty label', 'http://a..b:80'],
    ['a space', 'http://h:80 '],
    ['a line break', 'http://h:80\r\nx'],
    ['a zero byte', 'http://h\u0000:80'],
    ['a letter outside ASCII', 'http://h\u00e9:80'],
    ['more than 2048 characters', `http://h:80/${'x'.repeat(2048)}`],
    ['a unix socket with a host', 'unix://host/run/app.sock'],
    ['a unix socket without a path', 'unix:/'],
    ['a unix socket with too long a path', `unix:/${'x'.repeat(107)}`],
  ])('%s', (_what, entry) => {
    expect(faultOf(entry)).not.toBe('');
  });

  it('is told without quoting a password', () => {
    expect(faultOf('htp://user:secret@h:80')).not.toContain('secret');
    expect(faultOf('http://user:secret@h:99999')).not.toContain('secret');
  });
});

describe('a list', () => {
  it('counts faulty entries, as Hipache does, and tells which they are', () => {
    const { backends, faults } = parseBackends(['http://a:1', 'notaurl', 'http://b:1']);
    expect(backends.map(({ index, host }) => [index, host])).toEqual([
      [0, 'a'],
      [2, 'b'],
    ]);
    expect(faults).toEqual([expect.stringMatching(/^backend 1 /)]);
  });

  it('gives backends of equal addresses ids of their own', () => {
    const { backends } = parseBackends([
      'http://a:1',
      'http://b:1',
      'http://a:1',
      'http://a:1/',
      'http://c:1#id=x',
      'http://d:1#id=x',
    ]);
    expect(backends.map(({ id }) => id)).toEqual(['http://a:1', 'http://b:1', 'http://a:1~2', 'http://a:1~3', 'x', 'x~2']);
  });
});
