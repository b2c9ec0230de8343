import { describe, expect, test } from 'vitest';
import { formatRedisUrl, maskDriverUrl, parseDriverUrl, type RedisUrl } from '../../../src/config/driver-url.js';

const local: RedisUrl = {
  kind: 'redis',
  host: '127.0.0.1',
  port: 6379,
  tls: false,
  unixPath: '',
  username: '',
  password: '',
  db: 0,
  prefix: '',
};
const unix = { ...local, host: '', port: 0 };

describe('a Redis URL', () => {
  test.each<[string, Partial<RedisUrl>]>([
    ['redis:', {}],
    ['redis://', {}],
    ['redis:///', {}],
    ['REDIS://10.0.0.5', { host: '10.0.0.5' }],
    ['redis://redis', { host: 'redis' }],
    ['redis://10.0.0.5:6380', { host: '10.0.0.5', port: 6380 }],
    ['redis://:6380', { port: 6380 }],
    ['redis://[::1]:6380/2', { host: '::1', port: 6380, db: 2 }],
    ['redis:///2', { db: 2 }],
    ['redis:/2', { db: 2 }],
    ['redis:#p1:', { prefix: 'p1:' }],
    ['redis://h:1/3#p1:', { host: 'h', port: 1, db: 3, prefix: 'p1:' }],
    ['redis://h?db=4', { host: 'h', db: 4 }],
    ['redis://:secret@h', { host: 'h', password: 'secret' }],
    ['redis://secret@h', { host: 'h', password: 'secret' }],
    ['redis://user:secret@h/1', { host: 'h', username: 'user', password: 'secret', db: 1 }],
    ['redis://user:a%3Ab%40c@h', { host: 'h', username: 'user', password: 'a:b@c' }],
    ['redis://:50%@h', { host: 'h', password: '50%' }],
    ['redis://:a@b@h', { host: 'h', password: 'a@b' }],
    ['rediss://h', { host: 'h', tls: true }],
  ])('%s is understood', (text, parts) => {
    expect(parseDriverUrl(text)).toEqual({ ...local, ...parts });
  });

  test.each<[string, Partial<RedisUrl>]>([
    ['redis+unix:///run/redis.sock', { unixPath: '/run/redis.sock' }],
    ['redis+unix:///run/redis.sock?db=2#p:', { unixPath: '/run/redis.sock', db: 2, prefix: 'p:' }],
    ['redis+unix://:secret@/run/my%20redis.sock', { unixPath: '/run/my redis.sock', password: 'secret' }],
  ])('%s names a unix socket', (text, parts) => {
    expect(parseDriverUrl(text)).toEqual({ ...unix, ...parts });
  });

  test.each<[string, Partial<RedisUrl>]>([
    [
      'redis+sentinel://10.0.0.1,10.0.0.2:26380/mymaster',
      {
        sentinel: {
          hosts: [
            { host: '10.0.0.1', port: 26379 },
            { host: '10.0.0.2', port: 26380 },
          ],
          name: 'mymaster',
          username: '',
          password: '',
        },
      },
    ],
    [
      'rediss+sentinel://user:pass@[::1]:1/m/2?sentinel_username=s&sentinel_password=p%26q#x:',
      {
        tls: true,
        username: 'user',
        password: 'pass',
        db: 2,
        prefix: 'x:',
        sentinel: { hosts: [{ host: '::1', port: 1 }], name: 'm', username: 's', password: 'p&q' },
      },
    ],
    [
      'redis+cluster://:pass@a:7000,b#x:',
      {
        password: 'pass',
        prefix: 'x:',
        cluster: [
          { host: 'a', port: 7000 },
          { host: 'b', port: 6379 },
        ],
      },
    ],
  ])('%s names several servers', (text, parts) => {
    expect(parseDriverUrl(text)).toEqual({ ...local, host: '', port: 0, ...parts });
  });

  test.each([
    ['', 'a driver URL begins with'],
    ['10.0.0.5', 'a driver URL begins with'],
    ['localhost:6379', '"localhost" is not a known store'],
    ['redis:10.0.0.5', 'after two slashes'],
    ['redis://h:99999', 'from 1 to 65535'],
    ['redis://h:0', 'from 1 to 65535'],
    ['redis://::1', 'IPv6 address in brackets'],
    ['redis://h/first', 'the number of a database'],
    ['redis://h?database=1', '?db=2'],
    ['redis://h/1?db=2', 'two databases'],
    ['redis+unix://run/redis.sock', 'three slashes'],
    ['redis+sentinel://a,b', 'the name of the primary'],
    ['redis+sentinel:///name', 'names their hosts'],
    ['redis+sentinel://a/name?password=1', 'sentinel_password'],
    ['redis+sentinel://a/name/1?db=2', 'two databases'],
    ['redis+cluster://', 'names their hosts'],
    ['redis+cluster://a,b/2', 'one database'],
    ['redis+cluster://a:0', 'from 1 to 65535'],
    ['memcached://h', 'does not have'],
    ['etcd://h', 'does not have'],
    ['etcds://h', 'does not have'],
    ['zookeeper://h', 'does not have'],
    ['mongo://h', 'hipache-driver-* cannot be loaded'],
  ])('"%s" is refused with a reason', (text, reason) => {
    expect(() => parseDriverUrl(text)).toThrow(reason);
  });

  test.each([
    'redis://127.0.0.1:6379',
    'redis://us%20er:a%3Ab%40c%2F@h:1/3#p1:',
    'rediss://[::1]:6380',
    'redis+unix://:secret@/run/my%20redis.sock?db=2#p:',
    'redis+sentinel://:a%2Cb@h:1,[::1]:2/my%20master/3?sentinel_username=u&sentinel_password=p%26q#p:',
    'rediss+cluster://u:p@h:1,i:2#p:',
  ])('%s comes back the same when it is written again', (text) => {
    const url = parseDriverUrl(text) as RedisUrl;
    expect(parseDriverUrl(formatRedisUrl(url))).toEqual(url);
  });
});

describe('a memory URL', () => {
  test.each([
    ['memory:', null],
    ['memory://', null],
    ['memory:state.json', 'state.json'],
    ['memory:./a/state.json', './a/state.json'],
    ['memory:/var/lib/state.json', '/var/lib/state.json'],
    ['memory:///var/lib/state.json', '/var/lib/state.json'],
  ])('%s is understood', (text, file) => {
    expect(parseDriverUrl(text)).toEqual({ kind: 'memory', file });
  });

  test('with two slashes before a name it is refused, as the name would be lost', () => {
    expect(() => parseDriverUrl('memory://state.json')).toThrow('without slashes');
  });
});

describe('a driver URL that is shown', () => {
  test.each([
    ['redis://10.0.0.5:6379/2#p:', 'redis://10.0.0.5:6379/2#p:'],
    ['redis://[::1]:6379', 'redis://[::1]:6379'],
    ['memory:state.json', 'memory:state.json'],
    ['redis://:secret@h', 'redis://:CENSORED@h'],
    ['redis://secret@h', 'redis://:CENSORED@h'],
    ['redis://user:secret@h:1', 'redis://user:CENSORED@h:1'],
    ['redis://user:se:cret@h', 'redis://user:CENSORED@h'],
    ['redis://:se/cr#et@h', 'redis://:CENSORED@h'],
    ['redis+unix://:secret@/run/redis.sock', 'redis+unix://:CENSORED@/run/redis.sock'],
    ['redis://:secret', 'redis://:CENSORED'],
    ['redis://user:secret', 'redis://user:CENSORED'],
    [':secret@h', 'CENSORED'],
    ['redis+sentinel://:secret@h:1,i:2/m', 'redis+sentinel://:CENSORED@h:1,i:2/m'],
    ['redis+sentinel://h:1,i:2/m?sentinel_password=secret#p', 'redis+sentinel://h:1,i:2/m?sentinel_password=CENSORED#p'],
    ['redis+cluster://h:1,i:2', 'redis+cluster://h:1,i:2'],
    ['redis+cluster://h,i:2', 'redis+cluster://h,i:2'],
  ])('%s appears as %s', (text, shown) => {
    expect(maskDriverUrl(text)).toBe(shown);
  });

  test('has no password in the reason of a refusal', () => {
    for (const text of ['redis://:secret@h:99999', 'redis://user:secret', 'secret@h', 'redis://:secret@h/secret']) {
      expect(() => parseDriverUrl(text)).toThrow(/^(?!.*secret)/);
    }
  });
});
