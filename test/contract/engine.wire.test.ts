// The engine contract over the product's own engine.
import { engineContract } from './engine.contract.js';

engineContract('wire', { engine: 'wire', skip: [] });
