import { describe, expect, it } from 'vitest';
import { heartbeatFields, type NodeHeartbeat, parseHeartbeat } from '../../../src/model/node.js';

const beat: NodeHeartbeat = {
  id: 'one',
  boot: 'b',
  host: 'machine',
  addresses: ['http://127.0.0.1:80', 'https://[::]:443'],
  version: '1.2.3',
  pid: 12,
  startedAt: 1000,
  beatAt: 2000,
  phase: 'reloading',
  workers: 4,
  revision: 17,
  staleness: 3,
  active: 5,
  connections: 6,
};

describe('a heartbeat', () => {
  it('is read as it was written', () => {
    expect(parseHeartbeat('one', heartbeatFields(beat))).toEqual(beat);
  });

  it('that somebody wrote by hand is taken for what it can be', () => {
    expect(parseHeartbeat('one', ['boot', 'b', 'pid', 'many', 'phase', 'odd', 'lonely'])).toMatchObject({
      pid: 0,
      phase: 'serving',
      addresses: [],
      revision: 0,
    });
    expect(parseHeartbeat('one', ['host', 'machine'])).toBeNull();
    expect(parseHeartbeat('one', [])).toBeNull();
  });
});
