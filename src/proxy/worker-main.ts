// The program that each worker process runs.
import { createProxy } from './create-proxy.js';
import { runWorker } from './worker.js';

runWorker(createProxy);
