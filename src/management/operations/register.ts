// A registration as dynamic-reverse-proxy takes it: a path prefix of this machine, for all hosts or for some.
import { frontendNames, type RegisteredRoute } from '../../library/registered-route.js';
import type { RecordAddress } from '../../store/change.js';
import type { Workspace } from '../workspace.js';
import { writeRecords } from './write-records.js';

/** Writes the frontends of a registration in one change; who registers a prefix again replaces it. */
export async function registerRoute(workspace: Workspace, route: RegisteredRoute): Promise<{ readonly revision: number }> {
  const { prefix, port, host, reqHostNames: _hosts, requireEncryption, ...extra } = route;
  const policy = [
    ...(requireEncryption === true ? ['requireHttps', 'true'] : []),
    ...(Object.keys(extra).length > 0 ? ['extra', JSON.stringify(extra)] : []),
  ];
  const names = frontendNames(route);
  const addresses = names.flatMap((name): RecordAddress[] => [
    { kind: 'route', name },
    { kind: 'frontend', name },
  ]);
  const list = [prefix, `http://${host}:${port}`];
  const deed = { action: 'register', target: `route ${names.join(', ')}` };
  return writeRecords(workspace, deed, addresses, () => ({ after: names.flatMap(() => [policy, list]) }));
}
