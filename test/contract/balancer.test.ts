import { createBalancers } from '../../src/balancing/balancers.js';
import { Loads } from '../../src/balancing/loads.js';
import { strategies } from '../../src/config/strategy.js';
import { newSeed, seeded } from '../helpers/seeded.js';
import { balancerContract } from './balancer.contract.js';

const seed = newSeed('balancers');

for (const strategy of strategies) {
  balancerContract(strategy, () => createBalancers(new Loads(strategy), seeded(seed))[strategy]);
}
