import { describe, expect, it } from 'vitest';
import { FallbackLimiter, type WhenAway } from '../../src/limits/fallback-limiter.js';
import type { Limiter, Window } from '../../src/limits/limiter.js';
import { MemoryLimiter } from '../../src/limits/memory-limiter.js';
import { NodeLimiter } from '../../src/limits/node-limiter.js';
import { WindowCounts } from '../../src/limits/window-counts.js';
import { describeLimiter } from './limiter.contract.js';

/** Counts while it is up. */
class Shared extends MemoryLimiter {
  up = true;

  override async spend(...question: Parameters<Limiter['spend']>): ReturnType<Limiter['spend']> {
    if (!this.up) throw new Error('Redis is away');
    return super.spend(...question);
  }

  override async take(...question: Parameters<Limiter['take']>): ReturnType<Limiter['take']> {
    if (!this.up) throw new Error('Redis is away');
    return super.take(...question);
  }
}

function limiterWith(window: Window, whenAway: WhenAway): { readonly limiter: FallbackLimiter; readonly shared: Shared } {
  const shared = new Shared(window, 1_000);
  return { shared, limiter: new FallbackLimiter(window, shared, new MemoryLimiter(window, 1_000), whenAway) };
}

const window: Window = { name: 'gold', points: 10, duration: 60 };

describeLimiter({ name: 'fallback, Redis there', create: (made) => limiterWith(made, 'local').limiter });
describeLimiter({
  name: 'fallback, Redis away, local',
  create: (made) => {
    const { limiter, shared } = limiterWith(made, 'local');
    shared.up = false;
    return limiter;
  },
});

/** What the supervisor of a node counts, and a way to it that may be cut. */
class Keeper {
  readonly counts = new WindowCounts(1_000);
  up = true;
  limiter(made: Window): NodeLimiter {
    const ask: ConstructorParameters<typeof NodeLimiter>[1] = async (question) => {
      if (!this.up) throw new Error('nobody answers');
      return JSON.parse(JSON.stringify(this.counts.answer(question)));
    };
    return new NodeLimiter(made, ask, new MemoryLimiter(made, 1_000));
  }
}
const keeper = new Keeper();
const goneKeeper = new Keeper();
goneKeeper.up = false;
describeLimiter({ name: 'of a node', create: (made) => keeper.limiter(made) });
describeLimiter({ name: 'of a node whose keeper is gone', create: (made) => goneKeeper.limiter(made) });

describe('the workers of a node', () => {
  it('count together', async () => {
    const [one, two] = [keeper.limiter(window), keeper.limiter(window)];
    await one.spend('a', 6, 60);
    expect(await two.take('a', 5, 60)).toMatchObject({ taken: false, spent: 6 });
    expect(await two.take('a', 4, 60)).toMatchObject({ taken: true, spent: 10 });
    expect(await one.take('a', 1, 60)).toMatchObject({ taken: false, spent: 10 });
  });

  it('are remembered no more clients of than the bound, the oldest being forgotten first', () => {
    const counts = new WindowCounts(100, () => 0);
    const question = { window: 'gold', points: 10, seconds: 60, limit: 10 };
    for (let key = 0; key < 1_000; key++) counts.answer({ ...question, key: `10.0.${key >> 8}.${key & 255}` });
    expect(counts.size).toBe(100);
    expect(counts.answer({ ...question, key: '10.0.3.231' }).taken).toBe(false);
    expect(counts.answer({ ...question, key: '10.0.0.1' }).taken).toBe(true);
  });
});

describe('while Redis is away', () => {
  it('`local` counts from nothing, and what Redis has counted is in force again when it is back', async () => {
    const { limiter, shared } = limiterWith(window, 'local');
    await limiter.spend('a', 9, 60);
    shared.up = false;
    expect(await limiter.take('a', 10, 60)).toMatchObject({ taken: true, spent: 10 });
    expect(await limiter.take('a', 1, 60)).toMatchObject({ taken: false });
    shared.up = true;
    expect(await limiter.take('a', 1, 60)).toMatchObject({ taken: true, spent: 10 });
  });

  it('`open` limits nobody', async () => {
    const { limiter, shared } = limiterWith(window, 'open');
    shared.up = false;
    for (let turn = 0; turn < 5; turn++) expect(await limiter.take('a', 9, 60)).toMatchObject({ taken: true, spent: 0 });
    expect(await limiter.spend('a', 9, 60)).toMatchObject({ spent: 0 });
    expect(limiter.strict).toBe(false);
  });

  it('`closed` counts nothing, and lets nothing be given out until it can be counted again', async () => {
    const { limiter, shared } = limiterWith(window, 'closed');
    shared.up = false;
    expect(limiter.strict).toBe(false);
    await expect(limiter.spend('a', 1, 60)).rejects.toThrow('away');
    expect(limiter.strict).toBe(true);
    await expect(limiter.take('a', 1, 60)).rejects.toThrow('away');
    shared.up = true;
    expect(await limiter.take('a', 1, 60)).toMatchObject({ taken: true, spent: 1 });
    expect(limiter.strict).toBe(false);
  });
});
