// The program that each worker process runs.
import { tuneEngine } from '../base/engine-flags.js';

tuneEngine();
const { createProxy } = await import('./create-proxy.js');
const { runWorker } = await import('./worker.js');

runWorker(createProxy);
