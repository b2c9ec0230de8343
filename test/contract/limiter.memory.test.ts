import { expect, it } from 'vitest';
import { MemoryLimiter } from '../../src/limits/memory-limiter.js';
import { describeLimiter } from './limiter.contract.js';

describeLimiter({ name: 'memory', create: (window) => new MemoryLimiter(window, 1_000) });

it('a limiter in memory forgets the oldest key when there are too many', async () => {
  const limiter = new MemoryLimiter({ name: 'bounded', points: 1, duration: 60 }, 3);
  const isNew = async (key: string): Promise<boolean> => (await limiter.take(key, 1, 60)).taken;
  for (const key of ['a', 'b', 'c']) expect(await isNew(key)).toBe(true);
  expect(await isNew('c')).toBe(false);
  expect(await isNew('d')).toBe(true);
  expect(await isNew('b')).toBe(false);
  expect(await isNew('a')).toBe(true);
});
