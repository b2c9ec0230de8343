import { describe, expect, it } from 'vitest';
import { PasswordChecks, standardLimit } from '../../../src/auth/password-checks.js';
import { hashPassword, type PasswordHash, parsePasswordHash } from '../../../src/auth/password-hash.js';

const hash = parsePasswordHash(await hashPassword('right', { ln: 10, r: 8, p: 1 })) as PasswordHash;

describe('D.5 22: a flood of passwords', () => {
  it('takes no more threads than it may, lets a bounded number wait, and refuses the rest at once', async () => {
    const checks = new PasswordChecks(2, 3);
    const results = Array.from({ length: 9 }, (_, at) => checks.verify(at % 2 === 0 ? 'right' : 'wrong', hash));
    expect(checks.load).toEqual({ running: 2, waiting: 3 });
    expect(results.slice(5)).toEqual(['busy', 'busy', 'busy', 'busy']);
    expect(await Promise.all(results.slice(0, 5))).toEqual([true, false, true, false, true]);
    expect(checks.load).toEqual({ running: 0, waiting: 0 });
  });

  it('never runs more at a time when new ones come as old ones end', async () => {
    const checks = new PasswordChecks(1, 2);
    let most = 0;
    let busy = 0;
    const one = async (): Promise<void> => {
      for (let round = 0; round < 10; round += 1) {
        const pending = checks.verify('wrong', hash);
        most = Math.max(most, checks.load.running);
        if (pending === 'busy') busy += 1;
        await pending;
      }
    };
    await Promise.all([one(), one(), one(), one()]);
    expect(most).toBe(1);
    expect(busy).toBeGreaterThan(0);
    expect(checks.load).toEqual({ running: 0, waiting: 0 });
  });

  it('gives the place back when a check fails', async () => {
    const checks = new PasswordChecks(1, 1);
    const impossible = { ...hash, ln: 40 };
    await expect(checks.verify('x', impossible)).rejects.toThrow();
    expect(checks.load.running).toBe(0);
    expect(await checks.verify('right', hash)).toBe(true);
  });

  it('leaves threads to files and names', () => {
    expect(standardLimit()).toBeGreaterThanOrEqual(1);
    expect(standardLimit()).toBeLessThanOrEqual(2);
  });
});
