import { describe, expect, it } from 'vitest';
import type { Balancer } from '../../../src/balancing/balancer.js';
import { createLeastLatency } from '../../../src/balancing/least-latency.js';
import { Loads } from '../../../src/balancing/loads.js';
import { createRandom } from '../../../src/balancing/random.js';
import { newSeed, seeded } from '../../helpers/seeded.js';
import { backends, routeOf } from './backends.js';
import { quantile, type Simulation, shown, simulate } from './simulation.js';

const seed = newSeed('least latency');

/** Four backends of which each takes about `usual` milliseconds, longer when it is busy. */
function world(usual: readonly number[], other?: (random: () => number) => Balancer) {
  const time = { now: 1_000 };
  const random = seeded(seed);
  const loads = new Loads('LEAST_LATENCY', () => time.now);
  const balancer = other?.(random) ?? createLeastLatency(loads, random, () => time.now);
  const means = [...usual];
  const simulation: Simulation = {
    route: routeOf(backends(usual.length), { strategy: 'LEAST_LATENCY' }),
    loads,
    balancer,
    random,
    time,
    service: ({ index }, inFlight) => (means[index] as number) * (0.5 + random()) * (1 + inFlight / 8),
  };
  return { simulation, means };
}

function report(what: string, text: string): void {
  process.stdout.write(`least latency, ${what}: ${text}\n`);
}

describe('least latency (D.3 16)', () => {
  it('starts fair: nobody is measured, all are as good', () => {
    const outcome = simulate(world([20, 20, 20, 20]).simulation, { seconds: 5, rate: 200 });
    report('four alike', shown(outcome));
    for (const count of outcome.counts) expect(count).toBeGreaterThan(150);
  });

  it('asks each backend soon, so that none stays unmeasured', () => {
    const { simulation } = world([20, 20, 20, 20]);
    expect(Math.min(...simulate(simulation, { seconds: 1, rate: 100 }).counts)).toBeGreaterThan(0);
  });

  it('gives a backend that is ten times slower next to nothing, and the others the rest evenly', () => {
    const outcome = simulate(world([20, 20, 200, 20]).simulation, { seconds: 60, rate: 200 });
    report('the third ten times slower', shown(outcome));
    expect(outcome.counts[2]).toBeLessThan(0.02 * 12_000);
    for (const index of [0, 1, 3]) expect(outcome.counts[index]).toBeGreaterThan(0.25 * 12_000);
  });

  it('prefers the faster in their order, and does not run to one alone', () => {
    const outcome = simulate(world([10, 20, 40, 80]).simulation, { seconds: 60, rate: 100 });
    report('10, 20, 40 and 80 ms', shown(outcome));
    const [first, second, third, fourth] = outcome.counts as [number, number, number, number];
    expect(first).toBeGreaterThan(second);
    expect(second).toBeGreaterThan(third);
    expect(third).toBeGreaterThan(fourth);
    expect(first).toBeLessThan(0.7 * 6_000);
  });

  it('has a better 99th percentile than random choice when one backend is slow', () => {
    const load = { seconds: 60, rate: 60 };
    const ours = quantile(simulate(world([20, 20, 200, 20]).simulation, load), 0.99);
    const random = quantile(simulate(world([20, 20, 200, 20], createRandom).simulation, load), 0.99);
    report('99th percentile', `${ours.toFixed(0)} ms, of random choice ${random.toFixed(0)} ms`);
    expect(ours).toBeLessThan(random / 2);
  });

  it('takes a backend back within a minute and a half when it has recovered', () => {
    const { simulation, means } = world([20, 20, 200, 20]);
    simulate(simulation, { seconds: 60, rate: 200 });
    means[2] = 20;
    simulate(simulation, { seconds: 90, rate: 200 });
    const outcome = simulate(simulation, { seconds: 20, rate: 200 });
    report('the third has recovered', shown(outcome));
    expect(outcome.counts[2]).toBeGreaterThan(0.15 * 4_000);
  });

  it('does not fall for a backend that fails fast', () => {
    const { simulation } = world([20, 20, 20, 20]);
    const broken: Simulation = {
      ...simulation,
      service: (backend, inFlight) => (backend.index === 1 ? -1 : simulation.service(backend, inFlight)),
    };
    const outcome = simulate(broken, { seconds: 60, rate: 200 });
    report('the second fails at once', shown(outcome));
    expect(outcome.counts[1]).toBeLessThan(0.02 * 12_000);
  });

  it('chooses the faster of two, always', () => {
    const time = { now: 0 };
    const list = backends(2);
    const route = routeOf(list, { strategy: 'LEAST_LATENCY' });
    const loads = new Loads('RANDOM', () => time.now);
    const balancer = createLeastLatency(loads, seeded(seed), () => time.now);
    for (const [at, milliseconds] of [30, 10].entries()) {
      loads.started(route, list[at]!);
      loads.answered(route, list[at]!, 200, milliseconds);
      loads.ended(route, list[at]!);
    }
    for (let turn = 0; turn < 100; turn++) expect(balancer.pick(list, route, '', null)).toBe(list[1]);
    // Three running requests make the faster one the slower choice.
    for (let turn = 0; turn < 3; turn++) loads.started(route, list[1]!);
    for (let turn = 0; turn < 100; turn++) expect(balancer.pick(list, route, '', null)).toBe(list[0]);
  });
});
