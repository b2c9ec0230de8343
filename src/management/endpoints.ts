// Every call there is, in the order of the document.
import type { Changes } from './changes.js';
import type { Endpoint } from './endpoint.js';
import type { Fleet } from './fleet.js';
import { backendEndpoints } from './routes/backends.js';
import { certificateEndpoints } from './routes/certificates.js';
import { documentEndpoints } from './routes/document.js';
import { eventEndpoints } from './routes/events.js';
import { explainEndpoints } from './routes/explain.js';
import { fleetEndpoints } from './routes/fleet.js';
import { historyEndpoints } from './routes/history.js';
import { lintEndpoints } from './routes/lint.js';
import { recordEndpoints } from './routes/records.js';
import { routeEndpoints } from './routes/routes.js';

/** Those of a management that runs. */
export function allEndpoints(fleet: Pick<Fleet, 'known'>, changes: Changes): readonly Endpoint[] {
  return [
    ...routeEndpoints,
    ...backendEndpoints,
    ...certificateEndpoints,
    ...recordEndpoints,
    ...fleetEndpoints(fleet),
    ...explainEndpoints,
    ...lintEndpoints,
    ...historyEndpoints,
    ...documentEndpoints,
    ...eventEndpoints(changes),
  ];
}
