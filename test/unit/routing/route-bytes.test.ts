// What a worker keeps of a frontend: a hundred thousand of them have to fit into it.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import type { FrontendRecord } from '../../../src/model/frontend.js';
import type { CommandResult } from '../../../src/redis/commands.js';
import { isMiss, RouteCache } from '../../../src/routing/route-cache.js';
import { parseRecord } from '../../../src/store/redis-record.js';
import { ControlledStore } from '../../helpers/controlled-store.js';

const count = 20_000;

/** Replies as a client of Redis gives them: each text has memory of its own. */
class RepliedStore extends ControlledStore {
  override async readFrontends(names: readonly string[]): Promise<FrontendRecord[]> {
    return names.map((name) => {
      const at = /\d+/.exec(name)?.[0] ?? '';
      const texts = /^site/.test(name) ? [name, `http://127.0.0.1:8080#id=${at}-a`, `http://127.0.0.1:8080#id=${at}-b`] : [];
      const list: CommandResult = [null, texts.map((text) => Buffer.from(text).toString())];
      const [nothing, never]: CommandResult[] = [
        [null, ['0', []]],
        [null, -2],
      ];
      return parseRecord(name, { list, dead: nothing!, deadTtl: never!, health: nothing!, policy: nothing! }, 0, () => undefined);
    });
  }
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function heap(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

it('a frontend with two backends costs a worker less than 1 KiB', async () => {
  const store = new RepliedStore();
  const cache = new RouteCache({ store, entries: count, maxStale: 0, log: () => undefined });
  await cache.find('site-0.example');
  const before = heap();
  for (let at = 1; at <= count; at += 1) expect(isMiss(await cache.find(`site-${at}.example`))).toBe(false);
  const bytes = (heap() - before) / count;
  if (process.env.SHOW) console.log(bytes);
  expect(bytes).toBeLessThan(1024);
  expect(cache.hits + cache.misses).toBe(count + 1);
});
