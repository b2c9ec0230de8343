// The table of the balancers there are, by the name of their strategy.
import type { Strategy } from '../config/strategy.js';
import type { Balancer } from './balancer.js';
import { createLeastConnections } from './least-connections.js';
import { createLeastLatency } from './least-latency.js';
import type { LoadView } from './loads.js';
import { createRandom } from './random.js';
import { createRendezvous } from './rendezvous.js';
import { createRoundRobin } from './round-robin.js';

/**
 * One balancer for each strategy.
 * @param loads what the backends are busy with, for those that look at it
 * @param random gives numbers from 0 to below 1; a test passes its own
 */
export function createBalancers(loads: LoadView, random: () => number = Math.random): Readonly<Record<Strategy, Balancer>> {
  const rendezvous = createRendezvous();
  return {
    RANDOM: createRandom(random),
    ROUND_ROBIN: createRoundRobin(),
    IP_HASH: rendezvous,
    LEAST_LATENCY: createLeastLatency(loads, random),
    LEAST_CONNECTIONS: createLeastConnections(loads, random),
    HASH: rendezvous,
  };
}
