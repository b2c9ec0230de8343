// Whether a request belongs on the connection that it came on: the host that it asks for, and the name that TLS was made for.

import type { Certificate, CertificateCache } from '../../certs/certificate-cache.js';
import { servesAlso } from '../../certs/certificate-names.js';
import { ProxyError } from '../../errors/proxy-error.js';
import type { ClientTls } from '../../exchange/client.js';
import { normaliseHost } from '../../routing/host-name.js';
import type { Stage, StageResult } from '../stage.js';

/**
 * A host that has another certificate than the one the client has seen is answered 421 (RFC 9110 section 15.5.20): the client has
 * not verified that host. Clients that name no host in TLS are served all the same, and so are proxies that are trusted.
 */
export function createSecureName(certificates: Pick<CertificateCache, 'findSoon'>): Stage {
  return (exchange) => {
    const { client, authority } = exchange;
    const { tls } = client;
    if (tls === null || tls.agreed === authority || tls.serverName === '' || client.trusted) return undefined;
    // What is no host at all is for the route to refuse.
    const host = normaliseHost(authority)?.host ?? '';
    if (host === tls.serverName || host === '') return agree(tls, authority);
    const shown = certificates.findSoon(tls.serverName);
    const own = certificates.findSoon(host);
    if (shown instanceof Promise || own instanceof Promise)
      return Promise.all([shown, own]).then(([one, other]) => decide(tls, authority, host, one, other));
    return decide(tls, authority, host, shown, own);
  };
}

function agree(tls: ClientTls, authority: string): undefined {
  tls.agreed = authority;
  return undefined;
}

function decide(
  tls: ClientTls,
  authority: string,
  host: string,
  shown: Certificate | null,
  own: Certificate | null,
): StageResult {
  if (own === null || own === shown || (shown !== null && servesAlso(shown, host))) return agree(tls, authority);
  return new ProxyError('misdirected-request', `${host} has another certificate than ${tls.serverName}, which TLS was made for`);
}
