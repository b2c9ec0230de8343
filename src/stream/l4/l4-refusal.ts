// What the policy of a frontend keeps out where bytes are passed on unread. What cannot be asked of such a connection is not let in.
import type { Route } from '../../model/frontend.js';

/** Null: it may pass. `denied`: not this client. Any other text says why nobody may. */
export function refusalOf({ policy, frontend, fault }: Route, address: string, secure: boolean): 'denied' | string | null {
  if (fault !== '') return fault;
  if (policy === null) return null;
  const { allow, deny, maintenance, maintenanceAllow } = policy;
  if (deny?.has(address) === true || allow?.has(address) === false) return 'denied';
  if (maintenance && maintenanceAllow?.has(address) !== true) return 'denied';
  if (policy.requireHttps && !secure) return 'denied';
  const unasked = policy.authProvider !== undefined ? 'authProvider' : policy.clientAuth === 'require' ? 'clientAuth' : '';
  if (unasked === '') return null;
  return `route:${frontend}: ${unasked} cannot be asked where bytes are passed on unread: connections are closed; serve it over HTTP, or remove the field`;
}
