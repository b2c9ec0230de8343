import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load.js';
import { modeOf, parseStream } from '../../../src/model/stream.js';

const settings = { streams: [{ name: 'db', port: 0, maxConnections: 5, targets: ['tcp://10.0.0.1:1'] }] };
const [config] = loadConfig({ env: {}, cwd: tmpdir(), root: false, settings }).streams;
if (config === undefined) throw new Error('no stream');
const nothing = { values: [], fault: '' };

describe('a stream as it is in force', () => {
  it('is what the configuration says where the store says nothing', () => {
    const plan = parseStream(config, nothing, nothing);
    expect(plan).toMatchObject({ name: 'db', mode: 'proxy', faults: [] });
    expect(plan.settings).toEqual(config.settings);
    expect(plan.targets.map(({ origin }) => origin)).toEqual(['tcp://10.0.0.1:1']);
  });

  it('takes each field of the hash and the whole list over the configuration', () => {
    const framing = '{"type": "length-prefix", "size": 2, "endianness": "little"}';
    const values = ['mode', 'funnel', 'maxConnections', '9', 'inactivityTimeout', '2m', 'async', 'true', 'framing', framing];
    const plan = parseStream(config, { values, fault: '' }, { values: ['10.0.0.2:2', 'unix:/a'], fault: '' });
    expect(plan.faults).toEqual([]);
    expect(plan.mode).toBe('funnel');
    expect(plan.settings).toMatchObject({
      maxConnections: 9,
      inactivityTimeout: 120_000,
      async: true,
      overflow: 'drop',
      framing: { kind: 'length-prefix', size: 2, offset: 0, endianness: 'little', includesHeader: false },
    });
    expect(plan.targets.map(({ origin }) => origin)).toEqual(['tcp://10.0.0.2:2', 'unix:/a']);
  });

  it('keeps the configuration where a field, a record or a target is wrong, and says so', () => {
    const framing = '{"type": "length-prefix", "size": 5}';
    const values = ['mode', 'quick', 'maxConnections', '-1', 'retrys', '1', 'framing', framing];
    const plan = parseStream(config, { values, fault: '' }, { values: [], fault: 'is no list' });
    expect(plan.settings).toEqual(config.settings);
    expect(plan.targets).toHaveLength(1);
    expect(plan.faults).toEqual([
      'stream:db: mode is "quick"; allowed: "proxy", "fifo", "funnel", "l4", "auto"',
      'stream:db: maxConnections is -1; allowed: a whole number from 0 to 10000000',
      'stream:db: retrys is not a known field; the nearest known one is retries',
      expect.stringMatching(/^stream:db: framing is an object; allowed/),
      'stream:db:targets: is no list',
    ]);
    expect(plan.faults[3]).toContain('1, 2, 3, 4, 6 or 8');
  });

  it('with the mode auto follows the rule of Proximux in its order', () => {
    const auto = (maxConnections: number, targets: number) => modeOf({ mode: 'auto', maxConnections }, targets);
    expect([auto(1, 1), auto(2, 2), auto(0, 1), auto(9, 1), auto(0, 2), auto(1, 2)]).toEqual([
      'proxy',
      'proxy',
      'fifo',
      'fifo',
      'funnel',
      'funnel',
    ]);
    expect(modeOf({ mode: 'fifo', maxConnections: 2 }, 2)).toBe('fifo');
  });
});
