// Opens the addresses that HTTP and HTTPS are served on, one after the other.
import type { AddressSet } from '../base/ip.js';
import type { BindFiles } from '../certs/static-certificate.js';
import { tlsOptionsOf } from '../certs/tls-preset.js';
import type { Bind, Config } from '../config/config.js';
import type { ConnectionContext } from '../listener/connection-context.js';
import { type Listener, openListener } from '../listener/listener.js';
import type { TlsPassage } from '../stream/l4/tls-passage.js';
import type { TlsTermination } from './tls-termination.js';

export interface AddressParts {
  readonly config: Pick<Config, 'http' | 'https'>;
  /** By address of HTTPS. */
  readonly bindFiles: readonly BindFiles[];
  readonly termination: TlsTermination;
  /** What passes names on with their TLS; null: there is no HTTPS. */
  readonly passage: TlsPassage | null;
  readonly trusted: AddressSet;
  readonly context: ConnectionContext;
  /** Filled as they open, so that whoever started can close what is open when one cannot be had. */
  readonly listeners: Listener[];
}

/** @throws StartError in one line when an address cannot be had */
export async function openAddresses(parts: AddressParts): Promise<void> {
  const { config, bindFiles, termination, passage, trusted, context, listeners } = parts;
  for (const bind of config.http.bind) {
    const ipv6Only = leavesIpv4(bind, config.http.bind);
    listeners.push(await openListener({ ...bind, ipv6Only, tls: null, clearHttp2: config.http.http2, trusted, context }));
  }
  for (const [at, bind] of config.https.bind.entries()) {
    const ipv6Only = leavesIpv4(bind, config.https.bind);
    const { standard = null, clientCa = '' } = bindFiles[at] ?? {};
    const tls = termination.names({ port: bind.port, options: tlsOptionsOf(bind), standard, clientCa });
    const diversion = passage?.names(bind.port);
    listeners.push(
      await openListener({ ...bind, ipv6Only, tls, ...(diversion && { diversion }), clearHttp2: false, trusted, context }),
    );
  }
}

/** Whether `::` must leave IPv4 to a sibling that listens to all its addresses on the same port. */
function leavesIpv4({ address, port }: Bind, binds: readonly Bind[]): boolean {
  return address === '::' && binds.some((other) => other.address === '0.0.0.0' && other.port === port);
}
