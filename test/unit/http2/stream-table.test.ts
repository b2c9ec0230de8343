// The table of streams against a Map, which it must not differ from.
import { describe, expect, it } from 'vitest';
import { StreamTable } from '../../../src/http2/stream-table.js';
import { seeded } from '../../helpers/seeded.js';

describe('a table of streams', () => {
  it('holds what a Map would hold, whatever comes and goes', () => {
    const random = seeded(7);
    for (const most of [1, 5, 20, 300]) {
      const table = new StreamTable<string>();
      const map = new Map<number, string>();
      let next = 1;
      for (let step = 0; step < 3000; step++) {
        if (map.size < most && random() < 0.6) {
          // A client may skip numbers.
          next += 2 * (1 + Math.floor(random() * 40));
          table.set(next, `stream ${next}`);
          map.set(next, `stream ${next}`);
        } else {
          const known = [...map.keys()];
          const id = random() < 0.1 ? next + 2 : (known[Math.floor(random() * known.length)] ?? 1);
          expect(table.delete(id)).toBe(map.delete(id));
          expect(table.has(id)).toBe(false);
        }
        expect(table.size).toBe(map.size);
      }
      for (const [id, stream] of map) expect(table.get(id)).toBe(stream);
      expect(new Map([...table].sort(([a], [b]) => a - b))).toEqual(new Map([...map].sort(([a], [b]) => a - b)));
      expect([...table.values()].sort()).toEqual([...map.values()].sort());
    }
  });

  it('replaces a stream of the same number', () => {
    const table = new StreamTable<string>();
    table.set(1, 'first').set(1, 'second');
    expect([table.size, table.get(1)]).toEqual([1, 'second']);
  });

  it('visits no stream that a visit has deleted', () => {
    const table = new StreamTable<string>();
    for (const id of [1, 3, 5, 7]) table.set(id, `stream ${id}`);
    const seen: number[] = [];
    table.forEach((_stream, id) => {
      seen.push(id);
      table.delete(id);
      table.delete(5);
    });
    expect(seen).toEqual([1, 3, 7]);
    expect(table.size).toBe(0);
    table.set(9, 'stream 9').clear();
    expect([...table.keys()]).toEqual([]);
  });
});
