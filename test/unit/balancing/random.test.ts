import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../src/balancing/random.js';
import { backends, newWhose } from './backends.js';

const four = backends(4);
const highest = 1 - 2 ** -53;

const whose = newWhose();

describe('random choice (D.3 14 and 17)', () => {
  it('reaches the first and the last candidate', () => {
    expect(createRandom(() => 0).pick(four, whose, '', null)?.index).toBe(0);
    expect(createRandom(() => highest).pick(four, whose, '', null)?.index).toBe(3);
  });

  it('reaches the first and the last candidate by weight as well', () => {
    const weights = [0.1, 0.1, 0.1, 0.1];
    expect(createRandom(() => 0).pick(four, whose, '', weights)?.index).toBe(0);
    expect(createRandom(() => highest).pick(four, whose, '', weights)?.index).toBe(3);
  });

  it('draws by weight: a draw falls to whoever owns that part of the sum', () => {
    const draw = (value: number) => createRandom(() => value).pick(four, whose, '', [1, 2, 3, 4])?.index;
    expect([0.05, 0.15, 0.29, 0.31, 0.59, 0.61].map(draw)).toEqual([0, 1, 1, 2, 2, 3]);
  });
});
