import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { standardRetryBudget } from '../../../src/model/policy/retries.js';
import { RetryBudgets } from '../../../src/pipeline/retry-budget.js';

const frontend = 'example.com';

/** Makes as many further attempts as are allowed at one moment, up to a number. */
function spend(budgets: RetryBudgets, now: number, most: number, budget = standardRetryBudget, name = frontend): number {
  let made = 0;
  while (made < most && budgets.allows(name, budget, now)) {
    budgets.retry(name, budget, now);
    made++;
  }
  return made;
}

describe('the retry budget of a frontend (D.4 19)', () => {
  it('is 20 % of the requests of the last ten seconds', () => {
    const budgets = new RetryBudgets();
    for (let at = 0; at < 1000; at++) budgets.request(frontend, standardRetryBudget, at * 10);
    expect(spend(budgets, 9_990, 1000)).toBe(200);
  });

  it('is at least 3 a second of these ten seconds, however few requests there are', () => {
    const budgets = new RetryBudgets();
    budgets.request(frontend, standardRetryBudget, 0);
    expect(spend(budgets, 0, 1000)).toBe(30);
    expect(spend(budgets, 9_999, 1000)).toBe(0);
    expect(spend(budgets, 10_000, 1000)).toBe(30);
  });

  it('comes back as attempts and requests leave the window, second by second', () => {
    const budgets = new RetryBudgets();
    for (let second = 0; second < 10; second++) {
      for (let at = 0; at < 100; at++) budgets.request(frontend, standardRetryBudget, second * 1000);
    }
    expect(spend(budgets, 9_000, 150)).toBe(150);
    // The requests of eight seconds are forgotten, the attempts are not.
    expect(spend(budgets, 17_000, 1000)).toBe(0);
    expect(spend(budgets, 19_000, 1000)).toBe(30);
  });

  it('is a frontend alone: others are not charged', () => {
    const budgets = new RetryBudgets();
    expect(spend(budgets, 0, 1000)).toBe(30);
    expect(spend(budgets, 0, 1000, standardRetryBudget, 'other.example.com')).toBe(30);
  });

  it('may be nothing at all', () => {
    const none = { percent: 0, minPerSecond: 0, window: 10 };
    const budgets = new RetryBudgets();
    for (let at = 0; at < 100; at++) budgets.request(frontend, none, 0);
    expect(spend(budgets, 0, 10, none)).toBe(0);
  });

  it('has another window as soon as the policy says so', () => {
    const budgets = new RetryBudgets();
    expect(spend(budgets, 0, 1000)).toBe(30);
    expect(spend(budgets, 0, 1000, { percent: 20, minPerSecond: 3, window: 1 })).toBe(3);
    expect(spend(budgets, 1000, 1000, { percent: 20, minPerSecond: 3, window: 1 })).toBe(3);
  });

  it('bears a clock that is read a little late', () => {
    const budgets = new RetryBudgets();
    budgets.request(frontend, standardRetryBudget, 5_000);
    budgets.request(frontend, standardRetryBudget, 3_000);
    expect(spend(budgets, 4_000, 1000)).toBe(30);
  });

  it('never allows more in any window of whole seconds than the requests in it give (property)', () => {
    const step = fc.record({ wait: fc.integer({ min: 0, max: 3000 }), requests: fc.nat(40), wishes: fc.nat(40) });
    const budgetOf = fc.record({ percent: fc.nat(100), minPerSecond: fc.nat(5), window: fc.integer({ min: 1, max: 12 }) });
    fc.assert(
      fc.property(budgetOf, fc.array(step, { maxLength: 60 }), (budget, steps) => {
        const budgets = new RetryBudgets();
        const events: { second: number; requests: number; retries: number }[] = [];
        let now = 0;
        for (const { wait, requests, wishes } of steps) {
          now += wait;
          for (let at = 0; at < requests; at++) budgets.request(frontend, budget, now);
          const second = Math.floor(now / 1000);
          const before = events.filter((event) => event.second > second - budget.window);
          const requestsNow = requests + before.reduce((sum, event) => sum + event.requests, 0);
          const retriesBefore = before.reduce((sum, event) => sum + event.retries, 0);
          const limit = Math.max((requestsNow * budget.percent) / 100, budget.minPerSecond * budget.window);
          const made = spend(budgets, now, wishes, budget);
          events.push({ second, requests, retries: made });
          // A naive count over all events agrees: neither more nor less than allowed.
          expect(made).toBe(Math.max(0, Math.min(wishes, Math.ceil(limit) - retriesBefore)));
        }
      }),
    );
  });
});
