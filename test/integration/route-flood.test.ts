// A flood of invented names: it costs Redis at most one look-up for each new name, and pushes out nothing that somebody wrote.
import { expect, it, onTestFinished } from 'vitest';
import { startRedis } from '../helpers/redis.js';
import { startRouting } from '../helpers/routing.js';

const hot = 300;
const flood = 1500;

it('a flood of hosts of a wildcard, of nobody, and of ports pushes out no hot host and costs a look-up a name', async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const pipeline = redis.client.pipeline();
  for (let at = 0; at < hot; at += 1) pipeline.rpush(`frontend:site-${at}.example`, 'site', `http://127.0.0.1:${3000 + at}`);
  pipeline.rpush('frontend:*.wild.example', 'wild', 'http://127.0.0.1:2000');
  await pipeline.exec();
  const { cache, find } = await startRouting(redis.url, { entries: hot });
  await cache.ready();
  const lookups = async (work: () => Promise<void>): Promise<number> => {
    const before = Number(/cmdstat_exec:calls=(\d+)/.exec(await redis.client.info('commandstats'))?.[1] ?? 0);
    await work();
    return Number(/cmdstat_exec:calls=(\d+)/.exec(await redis.client.info('commandstats'))?.[1]) - before;
  };
  const askHot = async (): Promise<void> => {
    for (let at = 0; at < hot; at += 1) expect(await find(`site-${at}.example`)).toBe(String(3000 + at));
  };
  expect(await lookups(askHot)).toBeLessThanOrEqual(hot);
  const floods: readonly (readonly [(at: number) => string, string])[] = [
    [(at) => `x${at}.wild.example`, '2000'],
    [(at) => `x${at}.nowhere.example`, 'unknown'],
    [(at) => `site-0.example:${at + 1}`, '3000'],
  ];
  for (const [nameOf, answer] of floods) {
    const cost = await lookups(async () => {
      for (let at = 0; at < flood; at += 50) {
        const names = Array.from({ length: 50 }, (_, one) => nameOf(at + one));
        // Twice, and at the same time: who asks for what is being looked up waits for that.
        for (const name of await Promise.all([...names, ...names].map((one) => find(one)))) expect(name).toBe(answer);
      }
    });
    expect(cost).toBeLessThanOrEqual(flood);
    expect(await lookups(askHot)).toBe(0);
  }
  expect(cache.reader.size).toBeLessThan(2 * hot);
});
