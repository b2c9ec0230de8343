// Answers for frontends that are closed for the time being; those who work on them pass.
import { ProxyError } from '../../errors/proxy-error.js';
import type { Stage } from '../stage.js';

export const maintenance: Stage = (exchange) => {
  const policy = exchange.route?.policy ?? null;
  if (policy === null || !policy.maintenance) return undefined;
  return policy.maintenanceAllow?.has(exchange.clientAddress) === true ? undefined : new ProxyError('maintenance');
};
