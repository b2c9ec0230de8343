import { expect, it } from 'vitest';
import { Hchecker } from '../../../src/health/hchecker.js';
import { eventually } from '../../helpers/eventually.js';

const on = 'Disabling passive checks (active hchecker detected).';
const off = 'Enabling passive checks (active hchecker stopped).';

function setUp() {
  const told: string[] = [];
  const state = { ping: 0, away: false, now: 1_000_000 };
  const store = {
    readHcheckerPing: async () => {
      if (state.away) throw new Error('the store is away');
      return state.ping;
    },
  };
  const log = { debug: () => {}, info: (text: string) => void told.push(text), warn: () => {}, error: () => {} };
  return { state, told, hchecker: new Hchecker(store, log, () => state.now) };
}

it('an hchecker is active while its ping is at most 30 seconds old', async () => {
  const { state, hchecker } = setUp();
  for (const [age, active] of [
    [0, true],
    [30, true],
    [31, false],
    [-5, true],
  ] as const) {
    state.ping = state.now - age;
    await hchecker.poll();
    expect(hchecker.active).toBe(active);
  }
});

it('without a ping nothing is active and nothing is said', async () => {
  const { told, hchecker } = setUp();
  await hchecker.poll();
  expect(hchecker.active).toBe(false);
  expect(told).toEqual([]);
});

it('each change is said once, in the words of Hipache', async () => {
  const { state, told, hchecker } = setUp();
  state.ping = state.now;
  await hchecker.poll();
  await hchecker.poll();
  state.now += 60;
  await hchecker.poll();
  await hchecker.poll();
  expect(told).toEqual([on, off]);
});

it('while the store is away the last ping grows old', async () => {
  const { state, hchecker } = setUp();
  state.ping = state.now;
  await hchecker.poll();
  state.away = true;
  state.now += 30;
  await hchecker.poll();
  expect(hchecker.active).toBe(true);
  state.now += 1;
  await hchecker.poll();
  expect(hchecker.active).toBe(false);
});

it('the first look is at once', async () => {
  const { state, hchecker } = setUp();
  state.ping = state.now;
  hchecker.start();
  await eventually('the first look', () => hchecker.active);
  hchecker.stop();
});
