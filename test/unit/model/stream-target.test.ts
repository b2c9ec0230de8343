import { describe, expect, it } from 'vitest';
import { parseTargets } from '../../../src/model/stream-target.js';

const forms = 'write tcp://host:port, tls://host:port, host:port or unix:/path';

describe('targets of a stream', () => {
  it('are written with or without a scheme, as addresses, names and unix sockets, and keep what they say of themselves', () => {
    const entries = [
      'tcp://10.0.0.1:5432',
      '10.0.0.1:5432',
      'tls://db.example:5433#weight=3&max=10',
      'tcp://[2001:db8::1]:6379#id=one',
      'unix:/run/db.sock#backup&keepAlive=0',
    ];
    const { targets, faults } = parseTargets(entries);
    expect(faults).toEqual([]);
    expect(targets.map(({ id, origin, scheme }) => ({ id, origin, scheme }))).toEqual([
      { id: 'tcp://10.0.0.1:5432', origin: 'tcp://10.0.0.1:5432', scheme: 'http' },
      { id: 'tcp://10.0.0.1:5432~2', origin: 'tcp://10.0.0.1:5432', scheme: 'http' },
      { id: 'tls://db.example:5433', origin: 'tls://db.example:5433', scheme: 'https' },
      { id: 'one', origin: 'tcp://[2001:db8::1]:6379', scheme: 'http' },
      { id: 'unix:/run/db.sock', origin: 'unix:/run/db.sock', scheme: 'http' },
    ]);
    expect(targets[2]).toMatchObject({ host: 'db.example', port: 5433, weight: 3, max: 10, keepAlive: null, index: 2 });
    expect(targets[4]).toMatchObject({ socketPath: '/run/db.sock', backup: true, keepAlive: false, max: 0 });
  });

  it('that are wrong are told one by one without quoting them, and leave the others in place', () => {
    const entries = [
      'http://10.0.0.1:80',
      'udp://10.0.0.1:53',
      'tcp://10.0.0.1',
      '10.0.0.1',
      'tcp://user:secret@10.0.0.1:1',
      'tcp://10.0.0.1:1/path',
      'tcp://10.0.0.1:70000',
      'tcp://10.0.0.1:1#max=-1',
      'tcp://10.0.0.1:1#keepAlive=maybe',
      '',
      'unix:/',
      'tcp://10.0.0.1:1',
    ];
    const { targets, faults } = parseTargets(entries);
    expect(targets.map(({ index }) => index)).toEqual([11]);
    expect(faults).toEqual([
      `target 0 has the scheme http; ${forms}`,
      `target 1 has the scheme udp; ${forms}`,
      `target 2 has no port; ${forms}`,
      `target 3 has neither a scheme nor a port; ${forms}`,
      `target 4 has more than a host and a port; ${forms}`,
      `target 5 has more than a host and a port; ${forms}`,
      `target 6 has a port outside 1 to 65535; ${forms}`,
      'target 7 has an option max that is no whole number from 0 to 9999999',
      'target 8 has an option keepAlive that is neither true nor false',
      `target 9 is empty; ${forms}`,
      `target 10 has no path of a unix socket; ${forms}`,
    ]);
  });
});
