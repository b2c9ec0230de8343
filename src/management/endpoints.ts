// Every call there is, in the order of the document.
import type { Endpoint } from './endpoint.js';
import { backendEndpoints } from './routes/backends.js';
import { certificateEndpoints } from './routes/certificates.js';
import { explainEndpoints } from './routes/explain.js';
import { lintEndpoints } from './routes/lint.js';
import { routeEndpoints } from './routes/routes.js';

export function allEndpoints(): readonly Endpoint[] {
  return [...routeEndpoints, ...backendEndpoints, ...certificateEndpoints, ...explainEndpoints, ...lintEndpoints];
}
