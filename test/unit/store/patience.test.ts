// How long a look-up is waited for: what is usual decides, and one that is late frees all who can do without.
import { describe, expect, it } from 'vitest';
import { Patience } from '../../../src/store/patience.js';

const onOne = (): readonly string[] => ['one'];

/** From now on a reply usually takes a millisecond. */
function makeUsual(patience: Patience): void {
  for (let reply = 0; reply < 4; reply += 1) patience.replied('one', 1);
}

/** A look-up that ends when the test says so. */
function look(): { readonly looking: Promise<string>; end(): void } {
  let end = (): void => {};
  const looking = new Promise<string>((resolve) => {
    end = () => resolve('found');
  });
  return { looking, end };
}

async function took(work: Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work;
  return performance.now() - begun;
}

describe('a look-up', () => {
  it('that ends in time is what was waited for', async () => {
    const patience = new Patience(10_000);
    makeUsual(patience);
    const { looking, end } = look();
    const waiting = patience.wait(looking, false, onOne);
    end();
    expect(await waiting).toBe('found');
    expect(patience.isOut(onOne())).toBe(false);
  });

  it('that does not end is late, and until its server replies nobody need wait', async () => {
    const patience = new Patience(5);
    makeUsual(patience);
    const { looking, end } = look();
    expect(await patience.wait(looking, false, onOne)).toBe('late');
    expect(patience.isOut(onOne())).toBe(true);
    end();
    await looking;
    expect(patience.isOut(onOne())).toBe(true);
    patience.replied('one', 60);
    expect(patience.isOut(onOne())).toBe(false);
  });

  it('is waited for four times as long as the quickest of the last four replies took', async () => {
    const patience = new Patience(1);
    for (const reply of [1, 400, 300, 20, 5000]) patience.replied('one', reply);
    expect(await took(patience.wait(look().looking, false, onOne))).toBeGreaterThanOrEqual(79);
  });

  it('is waited for until it ends where there were fewer than four before', async () => {
    const patience = new Patience(1);
    for (let reply = 0; reply < 3; reply += 1) patience.replied('one', 1);
    const { looking, end } = look();
    const waiting = patience.wait(looking, false, onOne);
    setTimeout(end, 40);
    expect(await waiting).toBe('found');
  });

  it('is waited for while the server replies to others', async () => {
    const patience = new Patience(20);
    makeUsual(patience);
    const { looking, end } = look();
    let replies = 0;
    const replying = setInterval(() => {
      patience.replied('one', 1);
      replies += 1;
      if (replies === 30) end();
    }, 4);
    expect(await patience.wait(looking, false, onOne)).toBe('found');
    clearInterval(replying);
    expect(replies).toBeGreaterThanOrEqual(30);
  });

  it('is waited for as long as the setting says by those who have nothing else, not by those who have', async () => {
    const patience = new Patience(60_000);
    makeUsual(patience);
    expect(await patience.wait(look().looking, true, onOne)).toBe('late');
  });

  it('whose reply arrived while the process was busy is not late', async () => {
    const patience = new Patience(5);
    makeUsual(patience);
    const arrived = new Promise<string>((resolve) => {
      setTimeout(() => setImmediate(() => resolve('found')), 1);
    });
    const waiting = patience.wait(arrived, false, onOne);
    const until = performance.now() + 100;
    while (performance.now() < until);
    expect(await waiting).toBe('found');
    expect(patience.isOut(onOne())).toBe(false);
  });
});

describe('of several servers', () => {
  it('the one that is silent is not waited for, however much the others reply', async () => {
    const patience = new Patience(20);
    makeUsual(patience);
    const replying = setInterval(() => patience.replied('other', 1), 4);
    expect(await patience.wait(look().looking, false, () => ['one', 'other'])).toBe('late');
    clearInterval(replying);
    expect(patience.isOut(['other'])).toBe(false);
    expect(patience.isOut(['other', 'one'])).toBe(true);
    expect(patience.most(['other'])).toBeGreaterThan(patience.most(['one']));
  });

  it('one that was waited for and has replied by now is waited for no longer', async () => {
    const patience = new Patience(5);
    makeUsual(patience);
    const { looking, end } = look();
    let servers = ['one'];
    const waiting = patience.wait(looking, false, () => servers);
    servers = [];
    setTimeout(end, 40);
    expect(await waiting).toBe('found');
  });
});
